"""A finetune node as plain code: transformers, peft and datasets, without an easymodel import."""

from typing import Literal

from easymodel_nb.errors import problem_error
from easymodel_nb.workflow.document import Workflow


def export(workflow: Workflow, node: str, to: Literal["script", "notebook"]) -> tuple[str, str]:
    """A file name and its text.

    Raises
    ------
    StudioError
        When the node is not complete.

    """
    raise problem_error("export.later", f"This version cannot write a {to} yet.", node=node)
