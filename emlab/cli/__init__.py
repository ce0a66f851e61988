"""The command line: the same verbs as the library, and no logic of its own."""

from emlab.cli.app import main

__all__ = ["main"]
