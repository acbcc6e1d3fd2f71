"""The canvas as SVG: the nodes as they lie, their edges, and what came of their runs."""

from collections.abc import Sequence
from typing import Literal

from easymodel_nb.report import svg
from easymodel_nb.report.canvas_node import HEAD, KINDS, Box, NodeRun, port
from easymodel_nb.report.svg import Drawing, ink
from easymodel_nb.report.theme import Shade
from easymodel_nb.workflow.document import Edge, Workflow

_MARGIN, _LEAST = 28.0, 232.0
_INPUTS = {"model": 13.0, "dataset": 29.0}


def picture(
    workflow: Workflow, runs: Sequence[NodeRun] = (), shade: Shade | Literal["auto"] = "auto"
) -> str:
    """The canvas as a file of its own; "auto" follows the reader's light or dark setting."""
    drawn = drawing(workflow, runs)
    return svg.document(drawn, told(workflow, runs), shade=shade)


def told(workflow: Workflow, runs: Sequence[NodeRun] = ()) -> str:
    """The canvas in words, for those who do not see it."""
    nodes = "; ".join(box.told for box in _boxes(workflow, runs))
    return f"{workflow.name}: {nodes}" if nodes else f"{workflow.name}: an empty canvas"


def drawing(workflow: Workflow, runs: Sequence[NodeRun] = (), least: float = _LEAST) -> Drawing:
    """The canvas on its ground, from its upper left corner, at least that wide."""
    boxes = _boxes(workflow, runs)
    left = min((box.x for box in boxes), default=0.0) - _MARGIN
    top = min((box.y for box in boxes), default=0.0) - _MARGIN
    wide = max((box.x + box.width for box in boxes), default=left) + _MARGIN - left
    tall = max((box.y + box.height for box in boxes), default=top + HEAD) + _MARGIN - top
    wide = max(wide, least)
    by_id = {box.node.id: box for box in boxes}
    edges = "".join(_edge(edge, by_id) for edge in workflow.edges)
    nodes = "".join(box.drawn() for box in boxes)
    ports = "".join(_ports(box, workflow.edges) for box in boxes)
    ground = ink.rect(0.5, 0.5, wide - 1, tall - 1, "f-canvas s-line", radius=10)
    moved = f'<g transform="translate({ink.num(-left)} {ink.num(-top)})">{edges}{nodes}{ports}</g>'
    return Drawing(ground + moved, wide, tall)


def _boxes(workflow: Workflow, runs: Sequence[NodeRun]) -> list[Box]:
    by_node: dict[str, NodeRun] = {}
    for run in runs:  # the newest comes first
        by_node.setdefault(run.node_id, run)
    return [Box(node, by_node.get(node.id)) for node in workflow.nodes]


def _edge(edge: Edge, boxes: dict[str, Box]) -> str:
    source, target = boxes.get(edge.source), boxes.get(edge.target)
    if source is None or target is None:
        return ""
    x1, y1 = source.x + source.width, source.y + HEAD / 2
    x2, y2 = target.x, target.y + _INPUTS.get(edge.targetHandle or "", HEAD / 2)
    bend = max(40.0, abs(x2 - x1) / 2)
    curve = (
        f"M{ink.num(x1)} {ink.num(y1)}C{ink.num(x1 + bend)} {ink.num(y1)} "
        f"{ink.num(x2 - bend)} {ink.num(y2)} {ink.num(x2)} {ink.num(y2)}"
    )
    token = KINDS.get(edge.sourceHandle or "", "line3")
    return f'<path d="{curve}" fill="none" stroke-width="1.5" class="s-{token}"/>'


def _ports(box: Box, edges: Sequence[Edge]) -> str:
    kind, out = box.node.type, (box.x + box.width, box.y + HEAD / 2)
    leaves = any(edge.source == box.node.id for edge in edges)
    if kind in {"model", "dataset"}:
        return port(*out, kind, filled=leaves)
    if kind != "finetune":
        return ""
    enters = {edge.targetHandle for edge in edges if edge.target == box.node.id}
    inputs = [port(box.x, box.y + y, name, filled=name in enters) for name, y in _INPUTS.items()]
    return "".join(inputs) + port(*out, "model", filled=leaves)
