"""Workflows: which protocols, how they connect, what a person is asked."""

from emlab.workflow.workflow import Step, Workflow, parse_workflow, read_workflow, shipped_workflows

__all__ = ["Step", "Workflow", "parse_workflow", "read_workflow", "shipped_workflows"]
