"""A static picture of the canvas and its runs: one self-contained SVG, no script, no font, no link.

For a cell of its own, for pages that run no JavaScript, and for people who read a
notebook on GitHub.
"""

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import Literal, NamedTuple

from easymodel_nb.report.theme import TOKENS, Shade, color
from easymodel_nb.widgets.state import RunCard
from easymodel_nb.workflow.document import Edge, Node, Workflow
from easymodel_nb.workflow.labels import TASK_TITLES

_WIDTHS = {"finetune": 336.0}
_WIDTH = 232.0
_HEAD, _LINE, _PADDING, _MARGIN = 40.0, 20.0, 12.0, 28.0
_MOST_LINES = 3
_CHARACTER = 6.2  # a wide estimate for 12 px text
_KINDS = {"model": "kmodel", "dataset": "kdataset", "finetune": "accenttext"}
_WORDS = {
    "queued": ("Queued", "text2"),
    "running": ("Running", "accenttext"),
    "finished": ("Finished", "ok"),
    "stopped": ("Stopped", "text2"),
    "failed": ("Failed", "err"),
    "interrupted": ("Interrupted", "warn"),
}


class _Box(NamedTuple):
    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    run: RunCard | None


def picture(
    workflow: Workflow, runs: Sequence[RunCard], shade: Shade | Literal["auto"] = "auto"
) -> str:
    """The canvas as SVG text; "auto" follows the reader's own light or dark setting."""
    boxes = [_box(node, runs) for node in workflow.nodes]
    left = min((box.x for box in boxes), default=0.0) - _MARGIN
    top = min((box.y for box in boxes), default=0.0) - _MARGIN
    width = max((box.x + box.width for box in boxes), default=_WIDTH) + _MARGIN - left
    height = max((box.y + box.height for box in boxes), default=_HEAD) + _MARGIN - top
    by_id = {box.node.id: box for box in boxes}
    size = f'width="{width:g}" height="{height:g}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="emnb-picture" role="img" '
        f'aria-label="{_text(_told(workflow, boxes))}" {size} '
        f'viewBox="{left:g} {top:g} {width:g} {height:g}" '
        'style="max-width:100%;height:auto" font-family="system-ui,sans-serif" font-size="12">'
    )
    ground = f'<rect x="{left:g}" y="{top:g}" {size} rx="8" class="f-canvas"/>'
    edges = "".join(_edge(edge, by_id) for edge in workflow.edges)
    nodes = "".join(part for box in boxes for part in _node(box))
    return f"{head}<style>{_styles(shade)}</style>{ground}{edges}{nodes}</svg>"


def _styles(shade: Shade | Literal["auto"]) -> str:
    def rules(of: Shade) -> str:
        return "".join(
            f".emnb-picture .f-{name}{{fill:{color(name, of)}}}"
            f".emnb-picture .s-{name}{{stroke:{color(name, of)}}}"
            for name in TOKENS
        )

    if shade != "auto":
        return rules(shade)
    return rules("light") + "@media (prefers-color-scheme:dark){" + rules("dark") + "}"


def _told(workflow: Workflow, boxes: Sequence[_Box]) -> str:
    """The picture in words, for those who do not see it."""
    nodes = "; ".join(", ".join([box.node.title, *box.lines]) for box in boxes)
    return f"{workflow.name}: {nodes}" if nodes else f"{workflow.name}: an empty canvas"


def _box(node: Node, runs: Sequence[RunCard]) -> _Box:
    run = next((card for card in runs if card.node_id == node.id), None)
    width = _WIDTHS.get(node.type, _WIDTH)
    room = int((width - 2 * _PADDING) / _CHARACTER)
    lines = [part for line in _lines(node, run) for part in _wrapped(line, room)]
    height = _HEAD + _LINE * len(lines) + (_PADDING if lines else 0)
    if run is not None and run.fraction is not None:
        height += _PADDING
    return _Box(node, node.position.x, node.position.y, width, height, lines, run)


def _lines(node: Node, run: RunCard | None) -> list[str]:
    if node.type in {"model", "dataset"}:
        return [str(node.data.get("source") or "no source yet")]
    if node.type == "note":
        return str(node.data.get("text", "")).splitlines()[:6]
    if node.type != "finetune":
        return [f"a {node.type} node, unknown to this version"]
    if run is None:
        named = str(node.data.get("task", "generation"))
        task = TASK_TITLES.get(named, named)
        return [
            f"{task}, {node.data.get('epochs', 3)} epochs, batch {node.data.get('batch_size', 8)}"
        ]
    said = run.problem.message if run.problem else run.headline or ""
    return [run.summary, said or (run.stage.message if run.status == "running" else "")]


def _node(box: _Box) -> Iterator[str]:
    kind = _KINDS.get(box.node.type, "text2")
    word, tone = _WORDS[box.run.status] if box.run else ("", "text2")
    edge = {"failed": "err", "running": "accenttext"}.get(
        box.run.status if box.run else "", "line2"
    )
    left, right = box.x + _PADDING, box.x + box.width - _PADDING
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="8" '
        f'class="f-surface s-{edge}"/>'
    )
    yield f'<circle cx="{left + 6:g}" cy="{box.y + 20:g}" r="5" class="f-{kind}"/>'
    yield _words(box.node.title, left + 20, box.y + 24, "text", 'font-weight="600" font-size="13"')
    if word:
        yield _words(word, right, box.y + 24, tone, 'text-anchor="end" font-size="11"')
    for number, line in enumerate(box.lines):
        yield _words(line, left, box.y + _HEAD + _LINE * number + 10, "text2")
    if box.run is not None and box.run.fraction is not None:
        bar, y = right - left, box.y + box.height - _PADDING - 4
        yield f'<rect x="{left:g}" y="{y:g}" width="{bar:g}" height="5" rx="2.5" class="f-hover"/>'
        yield (
            f'<rect x="{left:g}" y="{y:g}" width="{bar * box.run.fraction:g}" height="5" rx="2.5" '
            f'class="f-{"ok" if box.run.status == "finished" else "accenttext"}"/>'
        )


def _words(words: str, x: float, y: float, token: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="f-{token}" {more}>{_text(words)}</text>'


def _edge(edge: Edge, boxes: dict[str, _Box]) -> str:
    source, target = boxes.get(edge.source), boxes.get(edge.target)
    if source is None or target is None:
        return ""
    x1, y1 = source.x + source.width, source.y + _HEAD / 2
    x2, y2 = target.x, target.y + (13 if edge.targetHandle == "model" else 29)
    bend = max(40.0, abs(x2 - x1) / 2)
    return (
        f'<path d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}" '
        f'fill="none" stroke-width="1.5" class="s-{_KINDS.get(edge.sourceHandle or "", "line3")}"/>'
    )


def _wrapped(line: str, room: int) -> list[str]:
    return wrap(line, room, max_lines=_MOST_LINES, placeholder="…", break_on_hyphens=False)


def _text(words: str) -> str:
    return escape(words, quote=True)
