"""A report as files: one page, or a folder or zip of it with charts, tables, card and the record.

`report.html`, `charts/*.svg` and `*.png`, `tables/*.csv`, `README.md` (the model card), and
`record/`: the run's own log, samples and scores, which `studio(replay=...)` plays again.
"""

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb import whole
from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.redaction import outgoing
from easymodel_nb.report import page_settings, svg
from easymodel_nb.report.csv_text import csv_text
from easymodel_nb.report.figures import Empty
from easymodel_nb.report.page import page
from easymodel_nb.report.page_samples import samples_data
from easymodel_nb.report.png import png
from easymodel_nb.report.told import Told

RECORD = "record"
# The log first: a folder that holds it is a recorded run.
RECORDED = ("events.jsonl", "samples.jsonl", "scores.jsonl")
_WIDE = {"full": 720.0, "half": 480.0}
_MISSING = "charts/NO-PNG.txt"
Tick = Callable[[str], None]


class File(NamedTuple):
    """One file of a report: its name with slashes, and what it holds."""

    name: str
    content: bytes


def files(told: Told, folder: Path | None = None) -> Iterator[File]:
    """Every file of the report; `folder` is the run's, whose record goes along."""
    yield File("report.html", page(told).encode())
    yield from _charts(told)
    yield from _tables(told)
    if told.card:
        yield File("README.md", told.card.encode())
    if folder is not None:
        yield from record(folder)


def write(
    told: Told, target: Path, folder: Path | None = None, tick: Tick = lambda _: None
) -> Path:
    """Write the report: `*.html` the page alone, `*.zip` all of it packed, else into a folder.

    A file has its name only once it is complete. `tick` hears each file's name and may raise.

    Raises
    ------
    StudioError
        When it cannot be written there.

    """
    try:
        if target.suffix.lower() in {".html", ".htm"}:
            _put(target, page(told).encode())
        elif target.suffix.lower() == ".zip":
            _pack(told, target, folder, tick)
        else:
            for file in files(told, folder):
                tick(file.name)
                _put(target / file.name, file.content)
    except OSError as error:
        raise problem_error(
            "report.unwritable",
            f"The report could not be written to {target} ({error.strerror or error}). Name "
            "another place.",
        ) from error
    return target


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.replace(path, content)


def _pack(told: Told, target: Path, folder: Path | None, tick: Tick) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in files(told, folder):
                    tick(file.name)
                    archive.writestr(f"{target.stem}/{file.name}", file.content)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _charts(told: Told) -> Iterator[File]:
    """Each figure as SVG, in the reader's own theme, and as PNG in the light one."""
    why = ""
    for panel in told.panels:
        drawn = [f for f in panel.content.figures if not isinstance(f, Empty)]
        for number, figure in enumerate(drawn, start=1):
            name = f"charts/{panel.name}" + (f"-{number}" if len(drawn) > 1 else "")
            content, wide = panel.content, _WIDE[panel.width]
            told_by = (figure, content.title, content.caption)
            auto = svg.chart(*told_by, description=content.how, wide=wide)
            yield File(f"{name}.svg", auto.encode())
            if why:
                continue
            light = svg.chart(*told_by, description=content.how, shade="light", wide=wide)
            try:
                yield File(f"{name}.png", png(light))
            except StudioError as error:
                why = str(error)
    if why:
        yield File(_MISSING, f"{why}\n".encode())


def _tables(told: Told) -> Iterator[File]:
    found = [panel.content.data for panel in told.panels]
    found += [samples_data(told), page_settings.settings_data(told.view)]
    found.append(page_settings.environment_data(told.view))
    for data in found:
        if data is not None and data.rows:
            # With the mark by which spreadsheets know the encoding.
            yield File(f"tables/{data.name}.csv", csv_text(data).encode("utf-8-sig"))


def record(folder: Path) -> Iterator[File]:
    """What the run wrote down of itself, without the paths of this machine."""
    for name in RECORDED:
        path = folder / name
        if path.exists():
            # Not splitlines(), which also cuts at U+2028 and its like inside a text.
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
            cleaned = [_line(line) for line in lines] if name == RECORDED[0] else lines
            text = outgoing("".join(f"{line}\n" for line in cleaned))
            yield File(f"{RECORD}/{name}", text.encode())


def _line(line: str) -> str:
    raw = json.loads(line)
    if raw.get("type") not in {"run_created", "run_started", "run_failed"}:
        return line
    raw |= {"detail": ""} if "detail" in raw else {}  # a traceback is all paths
    return json.dumps(_without_paths(raw), ensure_ascii=False, allow_nan=False)


def _without_paths(value: Any) -> Any:
    """The same value where each absolute path is its last part."""
    if isinstance(value, dict):
        return {key: _without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    if isinstance(value, str) and "\n" not in value and Path(value).is_absolute():
        return Path(value).name
    return value
