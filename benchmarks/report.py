"""What a benchmark hands back, and how it is written down."""

import platform
import re
import statistics
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

VERSIONS = ("torch", "transformers", "ipywidgets", "anywidget", "bqplot", "jupyterlab", "ipykernel")


@dataclass
class Section:
    """One measured thing: a sentence that states the finding, and its numbers."""

    title: str
    finding: str
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def markdown(self) -> str:
        """The section as Markdown."""
        lines = [f"## {self.title}", "", self.finding, ""]
        lines += [_row(self.head), _row(["---"] * len(self.head)), *map(_row, self.rows)]
        return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def middle(values: list[float], digits: int = 2, unit: str = "s") -> str:
    """Median and range of a few measurements."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def machine() -> str:
    """What was measured on, in one line."""
    import psutil  # noqa: PLC0415

    name = platform.processor() or platform.machine()
    memory = psutil.virtual_memory().total / 1e9
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in VERSIONS)
    return (
        f"{psutil.cpu_count()} {name} cores, {memory:.0f} GB, {platform.system()}, Python "
        f"{platform.python_version()}; {versions}."
    )


_BLOCK = re.compile(r"<!-- (\w+):begin -->.*?<!-- \1:end -->", re.DOTALL)
"""What a command of its own measured, such as `benchmarks/canvas/run.py`, which takes longer."""


def kept(page: Path) -> list[str]:
    """The blocks between markers, with them, in their order; none where there are none."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return [found.group() for found in _BLOCK.finditer(text)]


def replace(page: Path, block: str, name: str = "canvas") -> None:
    """Write a block between the markers of that name, at the end where they are not there yet."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, after = text, ""
    if begin in text:
        before, rest = text.split(begin)
        after = rest.split(end)[1].strip("\n")
    parts = [before.rstrip("\n"), begin, block.strip("\n"), end, after]
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
