"""One node of the canvas as it is drawn without a studio: closed, with what came of its run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath

from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.widths import fit, width, wrap
from easymodel_nb.workflow.document import Node
from easymodel_nb.workflow.labels import TASK_TITLES

HEAD, PADDING = 40.0, 12.0
_WIDTHS = {"finetune": 336.0}
_WIDTH, _LINE, _FIELD, _BAR, _SPARK = 232.0, 17.0, 28.0, 5.0, 40.0
_SIZE = 12.0
_MOST_LINES, _MOST_EPOCHS = 4, 12
_PORT = 5.5
KINDS = {"model": "kmodel", "dataset": "kdataset", "finetune": "accenttext"}
_ICONS = {  # on a grid of 24, as in the studio
    "model": "M12 3 20 7.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
    "dataset": "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 "
    "8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
    "finetune": "M3 8h9m6 0h3M3 16h3m6 0h9M15 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM9 13a3 3 0 1 1 0 6 "
    "3 3 0 0 1 0-6z",
    "note": "M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4",
}
_UNKNOWN = "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7.5v5.5M12 16.2v.1"
# The word of a status, its colour, and that of the ring and of the node's edge.
_STATES = {
    "queued": ("Queued", "text2", "line3", "line2"),
    "running": ("Running", "accenttext", "accenttext", "accenttext"),
    "finished": ("Finished", "ok", "ok", "line2"),
    "stopped": ("Stopped", "text2", "line3", "line2"),
    "failed": ("Failed", "err", "err", "err"),
    "interrupted": ("Interrupted", "warn", "warn", "line2"),
}
_IDLE = ("", "text2", "line2", "line2")


@dataclass(frozen=True)
class NodeRun:
    """What a node tells of its run: `share` of the steps done, `said` what came of it."""

    node_id: str
    status: str
    summary: str = ""
    said: str = ""
    problem: bool = False
    share: float | None = None
    epochs: float = 0.0
    spark: Sequence[float] = field(default_factory=tuple)


class Box:
    """A node with its place and size."""

    def __init__(self, node: Node, run: NodeRun | None) -> None:
        self.node, self.run = node, run
        self.x, self.y = node.position.x, node.position.y
        self.width = _WIDTHS.get(node.type, _WIDTH)
        self.room = self.width - 2 * PADDING
        self.lines = [part for line in _lines(node, run) for part in self._wrapped(line)]
        self.height = HEAD + self._inside() + (PADDING if self._inside() else 0.0)

    def _wrapped(self, line: str) -> list[str]:
        return wrap(line, self.room, _SIZE, most=_MOST_LINES)

    def _inside(self) -> float:
        tall = _LINE * len(self.lines)
        if self.node.type in {"model", "dataset"}:
            return tall + _FIELD
        if self.run is not None and self.run.share is not None:
            tall += _BAR + 8
        if self.run is not None and len(self.run.spark) > 1:
            tall += _SPARK + 8
        return tall

    @property
    def told(self) -> str:
        """The node in words."""
        parts = [self.node.title, *_lines(self.node, self.run)]
        if self.node.type in {"model", "dataset"}:
            parts.insert(1, source_of(self.node))
        return ", ".join(part for part in parts if part)

    def drawn(self) -> str:
        """The node as SVG."""
        x, y = self.x, self.y
        word, tone, ring, edge = _STATES.get(self.run.status, _IDLE) if self.run else _IDLE
        parts = [
            ink.rect(x, y, self.width, self.height, f"f-surface s-{edge}", radius=10),
            _ring(x + PADDING + 12, y + HEAD / 2, self.node.type, ring, self.run),
        ]
        right = x + self.width - PADDING
        if word:
            parts.append(ink.words(word, right, y + 24, tone, "end"))
        room = self.room - 32 - (width(word, ink.SIZE) + 8 if word else 0)
        title = fit(self.node.title, room, 13, bold=True)
        parts.append(ink.words(title, x + PADDING + 32, y + 25, "text", size=13, bold=True))
        parts += self._body(x + PADDING, y + HEAD)
        return "".join(parts)

    def _body(self, x: float, y: float) -> list[str]:
        parts = []
        if self.node.type in {"model", "dataset"}:
            parts.append(ink.rect(x, y, self.room, _FIELD, "f-sunken s-line", radius=6))
            source = fit(source_of(self.node) or "no source yet", self.room - 16, _SIZE)
            parts.append(ink.words(source, x + 8, y + 18, "text", size=_SIZE))
            y += _FIELD
        for line in self.lines:
            tone = "err" if self.run is not None and self.run.problem else "text2"
            parts.append(ink.words(line, x, y + 12, tone, size=_SIZE))
            y += _LINE
        if self.run is not None and self.run.share is not None:
            parts.append(self._bar(x, y + 4, self.run))
            y += _BAR + 8
        if self.run is not None and len(self.run.spark) > 1:
            parts.append(self._curve(x, y + 4, self.run.spark))
        return parts

    def _bar(self, x: float, y: float, run: NodeRun) -> str:
        """One segment an epoch, filled as far as the run is."""
        epochs = int(run.epochs) if 1 <= run.epochs <= _MOST_EPOCHS else 1
        wide = (self.room - 3 * (epochs - 1)) / epochs
        token = "ok" if run.status == "finished" else "accenttext"
        parts = []
        for index in range(epochs):
            start = x + index * (wide + 3)
            done = min(max((run.share or 0.0) * epochs - index, 0.0), 1.0)
            parts.append(ink.rect(start, y, wide, _BAR, "f-hover", radius=2))
            if done > 0:
                parts.append(ink.rect(start, y, wide * done, _BAR, f"f-{token}", radius=2))
        return "".join(parts)

    def _curve(self, x: float, y: float, spark: Sequence[float]) -> str:
        """The loss; logarithmic where it spans more than a factor of 20."""
        far = min(spark) > 0 and max(spark) / min(spark) > 20  # noqa: PLR2004
        values = [math.log(v) for v in spark] if far else list(spark)
        low, high = min(values), max(values)
        span = (high - low) or 1.0
        step = (self.room - 4) / (len(values) - 1)
        points = [
            (x + index * step, y + 2 + (high - value) / span * (_SPARK - 6))
            for index, value in enumerate(values)
        ]
        base = ink.stroke([(x, y + _SPARK), (x + self.room, y + _SPARK)], "line")
        dot = ink.marker("circle", *points[-1], "train", radius=3)
        return base + ink.stroke(points, "train", 1.5) + dot


def port(x: float, y: float, kind: str, *, filled: bool) -> str:
    """A port: round for a model, square for a dataset, filled where it is connected."""
    token = KINDS.get(kind, "line3")
    ground = f"f-{token}" if filled else "f-surface"
    if kind == "dataset":
        side = 2 * _PORT - 1
        return ink.rect(
            x - side / 2, y - side / 2, side, side, f"{ground} s-{token}", radius=2,
            more=' stroke-width="1.75"',
        )  # fmt: skip
    return (
        f'<circle cx="{ink.num(x)}" cy="{ink.num(y)}" r="{ink.num(_PORT - 0.5)}" '
        f'class="{ground} s-{token}" stroke-width="1.75"/>'
    )


def _ring(x: float, y: float, kind: str, ring: str, run: NodeRun | None) -> str:
    dashed = ' stroke-dasharray="3 3"' if run is not None and run.status == "queued" else ""
    bold = "2" if run is not None else "1.5"
    shape = _ICONS.get(kind, _UNKNOWN)
    return (
        f'<circle cx="{ink.num(x)}" cy="{ink.num(y)}" r="11.5" fill="none" class="s-{ring}" '
        f'stroke-width="{bold}"{dashed}/>'
        f'<path transform="translate({ink.num(x - 6.5)} {ink.num(y - 6.5)}) scale(0.5417)" '
        f'd="{shape}" fill="none" class="s-{KINDS.get(kind, "text2")}" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def source_of(node: Node) -> str:
    """The source of a model or dataset; of a file or folder of this machine its name alone."""
    source = str(node.data.get("source") or "").strip()
    if source.startswith(("/", "~")):
        return PurePosixPath(source).name
    return PureWindowsPath(source).name if source[1:3] in {":\\", ":/"} else source


def _lines(node: Node, run: NodeRun | None) -> list[str]:
    if node.type in {"model", "dataset"}:
        return []
    if node.type == "note":
        return [line for line in str(node.data.get("text", "")).splitlines()[:6] if line.strip()]
    if node.type != "finetune":
        return [f"a {node.type} node, unknown to this version"]
    if run is not None:
        return [line for line in (run.summary, run.said) if line]
    named = str(node.data.get("task", "generation"))
    task = TASK_TITLES.get(named, named)
    return [f"{task}, {node.data.get('epochs', 3)} epochs, batch {node.data.get('batch_size', 8)}"]
