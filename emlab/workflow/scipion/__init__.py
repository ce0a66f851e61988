"""Scipion's workflows and templates, read as emlab's.

Written against the files that Scipion exports; none of its code is used.
"""

from emlab.workflow.scipion.convert import converted, is_scipion

__all__ = ["converted", "is_scipion"]
