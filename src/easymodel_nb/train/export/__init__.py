"""A finetune node as plain code: transformers, peft and datasets, without an easymodel import.

The pieces of the program are templates in `pieces/`, filled from the resolved plan. Before it
is handed out the part up to the examples is run (`proof.py`): it must give the very tokens of
the plan.
"""

from pathlib import Path
from typing import Literal

from easymodel_nb.workflow.document import Workflow


def export(
    workflow: Workflow,
    node: str,
    to: Literal["script", "notebook"],
    home: Path | None = None,
) -> tuple[str, str]:
    """A file name and its text; `home` knows what the user allowed (None: the usual one).

    Reads the data and the tokenizer, not the weights; nothing is trained.

    Raises
    ------
    StudioError
        When the node is not complete, its data or model cannot be had, or plain code would
        not train on the same tokens.

    """
    from easymodel_nb.train.export.program import Program  # noqa: PLC0415  it imports PyTorch
    from easymodel_nb.train.export.resolving import resolve  # noqa: PLC0415

    with resolve(workflow, node, home) as ready:
        return Program(ready, workflow.name, notebook=to == "notebook").proven()
