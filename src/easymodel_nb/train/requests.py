"""What runs are asked for: a finetune node or its variants, its data, the model it begins with."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from easymodel_nb.errors import problem_error
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.auditing.asking import source_of
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.document import Node, Workflow

_SAME_MODEL = ("accept", "output_name", "processes", "sweep")  # what these hold changes no weight


class Asked(NamedTuple):
    """One run to be queued; `continues` is the node of the same queueing whose run comes before."""

    request: dict[str, Any]
    continues: str | None


def asked(
    workflow: Workflow, order: list[str], project_id: str | None, views: Iterable[RunView]
) -> list[Asked]:
    """The runs of these nodes, in their order: one a node, or one a variant of its sweep.

    Raises
    ------
    StudioError
        When a node is to go on from another one that has no model and is not trained before it.

    """
    known = [view for view in views if view.project_id == project_id]
    found = []
    for name in order:
        node, feeding = _node(workflow, name), source_of(workflow, name, "model")
        continues = feeding.id if feeding.id in order else None
        model = _model(node, feeding, known, queued=continues is not None)
        for variant in sweeps.variants(node):
            request = {
                "name": workflow.name,
                "node": variant.node.model_dump(mode="json"),
                "model": model,
                "dataset": source_of(workflow, name, "dataset").model_dump(mode="json"),
            }
            if variant.values:
                request["variant"] = variant.values
            found.append(Asked(request, continues))
    return found


def _model(node: Node, feeding: Node, views: list[RunView], *, queued: bool) -> dict[str, Any]:
    """The model node, or the run of another finetune node: "" is the one queued before it."""
    if feeding.type != "finetune":
        return feeding.model_dump(mode="json")
    run = "" if queued else begun_from(feeding, views)
    if run is None:
        raise problem_error(
            "run.no_model",
            f"{feeding.title} has no trained model yet. Train it first, or train all.",
            node=node.id,
            field="model",
        )
    return {"run_of": feeding.id, "run": run}


def begun_from(node: Node, views: Iterable[RunView]) -> str | None:
    """The run of a node that is gone on from: the newest that waits or trains, else is finished.

    Of the finished ones those come first that were trained with what the node holds now.
    """
    mine = sorted((v for v in views if v.node_id == node.id), key=lambda v: v.id, reverse=True)
    finished = [view for view in mine if view.status == "finished"]
    same = [view for view in finished if _settings(view) == _plain(node.data)]
    chosen = [*(view for view in mine if view.active), *same, *finished]
    return chosen[0].id if chosen else None


def _settings(view: RunView) -> dict[str, Any]:
    return _plain((view.request.get("node") or {}).get("data") or {})


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in _SAME_MODEL}


def _node(workflow: Workflow, name: str) -> Node:
    node = workflow.node(name)
    assert node is not None  # noqa: S101  check() has seen it
    return node


def source_run(request: dict[str, Any]) -> str:
    """The run whose model a request begins with; empty where it is a model of its own."""
    model = request.get("model") or {}
    return str(model.get("run") or "") if "run_of" in model else ""


def title_of(view: RunView) -> str:
    """What a sentence calls the node of a run, with the variant that it is of."""
    node = view.request.get("node") or {}
    return str(node.get("label") or "Finetuning")
