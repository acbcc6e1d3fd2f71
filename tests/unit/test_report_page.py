"""The report as a page and as files: whole, offline, and whatever a run says stays text."""

import base64
import csv
import io
import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.measured import Measured
from easymodel_nb.report import files, grid, png
from easymodel_nb.report.content import DataTable
from easymodel_nb.report.csv_text import csv_text
from easymodel_nb.report.page import page
from easymodel_nb.report.page_samples import samples_data
from easymodel_nb.report.page_settings import settings_data
from easymodel_nb.report.told import Told
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.events import Problem
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
VOID = {"meta", "br", "img", "input", "hr", "link"}


def perplexity(value: float) -> Measured:
    return Measured(value=value, low=value * 0.9, high=value * 1.1, n=40)


def view(name: str = "small-model", **fields: Any) -> RunView:
    points = [
        EpochPoint(
            step=step,
            epoch=epoch,
            analytics=Analytics(perplexity={"validation": perplexity(v), "train": perplexity(v)}),
        )
        for step, epoch, v in ((0, 0, 40.0), (5, 1, 20.0), (10, 2, 12.0))
    ]
    plan = {
        "task": "generation",
        "model": {"name": name},
        "dataset": {"name": "requests", "train_rows": 40},
        "finetune": {"task": "generation", "epochs": 2, "learning_rate": 1e-3, "batch_size": 8},
        "epochs": 2,
        "choices": [{"field": "learning_rate", "value": 1e-3, "reason": "usual for this size"}],
    }
    known: dict[str, Any] = {
        "id": "20260101T000000000-abcd",
        "node_id": "f1",
        "created": "2026-01-01T00:00:00Z",
        "started": "2026-01-01T00:00:01Z",
        "ended": "2026-01-01T00:01:01Z",
        "status": "finished",
        "plan": plan,
        "environment": {"device": "CPU, 2 cores", "seed": 42, "gone": None},
        "epochs": 2,
        "max_steps": 10,
        "curve": [CurvePoint(step=s, epoch=s / 5, loss=3.0 / s) for s in range(1, 11)],
        "points": points,
        "samples": [{"step": 10}],
    }
    return RunView(**{**known, **fields})


def rows(said: str = "Hi there") -> list[dict[str, Any]]:
    return [
        {"prompt": "Say", "reference": "Hi", "base": "uh", "tuned": said},
        {"prompt": "More", "reference": None, "base": "", "tuned": None},
    ]


def scores() -> list[Scores]:
    return [
        Scores(0, 0, "prompts", "x", {"overall": [20.0, None], "fluency": [0.2, None]}),
        Scores(10, 2, "prompts", "x", {"overall": [61.0, 30.0], "fluency": [0.6, 0.3]}),
    ]


class Reader(HTMLParser):
    """What a browser would find: open tags that fit, scripts, and everything that is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.ids: list[str] = []

    @classmethod
    def of(cls, text: str) -> Self:
        made = cls()
        made.feed(text)
        made.close()
        return made

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.add(tag)
        self.handlers += [name for name in known if name.startswith("on")]
        self.ids += [known["id"] or ""] if "id" in known else []
        self.loads += [known[k] or "" for k in ("src", "href", "data", "srcset") if k in known]
        if tag == "script":
            self.scripts.append(known)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def told(name: str = "small-model", said: str = "Hi there", **fields: Any) -> Told:
    return Told(view(name, **fields), rows(said), scores(), card="# Card\n\nText")


def test_the_page_is_whole_and_loads_nothing():
    text = page(told())
    found = Reader.of(text)
    assert found.open == []
    assert all(load.startswith("data:text/csv") for load in found.loads)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "default-src 'none'" in text
    assert len(found.ids) == len(set(found.ids)), "ids are told apart"
    assert len(text) < 400_000


def test_it_tells_finding_numbers_panels_samples_settings_and_card():
    text = page(told())
    for said in (
        "Validation perplexity fell from 40.0 to 12.0 in 2 epochs",
        "How is this computed?",
        "Samples, 2",
        "usual for this size",
        "CPU, 2 cores",
        "# Card",
        "+41",  # the gain of the first sample
        'id="chart-perplexity"',
        "prefers-color-scheme:dark",
        'data-key="gain"',
    ):
        assert said in text, said


def test_every_warning_is_told():
    warnings = [Problem(code="x", message=f"Warning {n}.") for n in range(5)]
    text = page(told(warnings=warnings))
    assert all(f"Warning {n}." in text for n in range(5))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_can_be_given(theme: str):
    assert f'<html lang="en" data-theme="{theme}">' in page(told(), theme=theme)  # type: ignore[arg-type]


def test_whatever_a_run_says_stays_text():
    plain, hostile = page(told()), page(told(HOSTILE, HOSTILE))
    calm, found = Reader.of(plain), Reader.of(hostile)
    assert "<script>alert" not in hostile
    assert "alert(1)" in hostile, "it is shown as it is"
    assert found.scripts == calm.scripts
    assert found.handlers == []
    assert "img" not in found.tags
    assert found.open == []
    card = page(Told(view(), rows(), scores(), card=HOSTILE))
    assert Reader.of(card).scripts == calm.scripts


def test_the_tables_of_the_page_are_csv_files():
    found = Reader.of(page(told()))
    tables = [base64.b64decode(load.partition(",")[2]).decode() for load in found.loads]
    assert any(t.startswith("index,prompt,reference,base,tuned") for t in tables)
    assert any(t.startswith("setting,value,why") for t in tables)


def test_a_panel_that_cannot_be_made_costs_its_own_place(monkeypatch: pytest.MonkeyPatch):
    whole = page(told())
    assert "could not be drawn" not in whole

    def broken(*_: object) -> None:
        raise RuntimeError(HOSTILE)

    first, *rest = grid.kinds_of(view())
    monkeypatch.setitem(grid.KINDS, "generation", (first._replace(make=broken), *rest))
    text = page(told())
    assert text.count("could not be drawn") == 1
    assert "<script>alert" not in text
    assert 'id="chart-loss"' in text


def test_a_run_without_anything_has_a_page_too():
    bare = RunView(id="r", created="2026-01-01T00:00:00Z", status="failed")
    assert Reader.of(page(Told(bare))).open == []


def test_csv_is_exact_and_no_formula():
    table = DataTable("t", ["a", "b"], [[0.1 + 0.2, None], ["=1+1", 'a "quote"'], [-3.5, "-x"]])
    first, second, third = list(csv.reader(io.StringIO(csv_text(table))))[1:]
    assert first == ["0.30000000000000004", ""]
    assert second == ["'=1+1", 'a "quote"']
    assert third == ["-3.5", "'-x"]


def test_samples_have_their_scores():
    table = samples_data(told())
    assert table is not None
    assert table.columns[-4:] == ["base.overall", "base.fluency", "tuned.overall", "tuned.fluency"]
    assert list(table.rows[0])[-4:] == [20.0, 0.2, 61.0, 0.6]
    assert list(table.rows[1])[-4:] == [None, None, 30.0, 0.3]


def test_settings_come_with_their_reasons():
    found = {row[0]: row[1:] for row in settings_data(view()).rows}
    assert found["learning_rate"] == ["0.001", "usual for this size"]
    assert found["epochs"] == ["2", "as set"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with a path of this machine in its log."""
    made = tmp_path / "run"
    made.mkdir()
    plan = {"model": {"path": "/home/somebody/model", "name": "model"}, "text": "/ not a path\n"}
    lines = [
        {"seq": 0, "type": "run_created", "request": {"source": "/home/somebody/rows.csv"}},
        {"seq": 1, "type": "run_started", "plan": plan},
        {"seq": 2, "type": "progress", "step": 1, "later": "kept"},
        {"seq": 3, "type": "run_failed", "detail": 'File "/home/somebody/x.py", line 1'},
    ]
    (made / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return made


def test_the_zip_holds_page_charts_tables_card_and_record(folder: Path, tmp_path: Path):
    target = files.write(told(), tmp_path / "out" / "report.zip", folder)
    with zipfile.ZipFile(target) as archive:
        found = {n.removeprefix("report/"): archive.read(n) for n in archive.namelist()}
    assert {"report.html", "README.md", "tables/samples.csv", "record/events.jsonl"} <= set(found)
    charts = [name for name in found if name.endswith(".svg")]
    assert "charts/chart-perplexity.svg" in charts
    for name in charts:
        ET.fromstring(found[name].decode())
        assert found[name.replace(".svg", ".png")].startswith(b"\x89PNG")
    record = found["record/events.jsonl"].decode()
    assert "somebody" not in record
    assert "rows.csv" in record
    assert '"later": "kept"' in record
    assert not list(tmp_path.rglob("*.part"))


def test_a_page_alone_and_a_folder(tmp_path: Path):
    alone = files.write(told(), tmp_path / "my report.html")
    assert alone.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    into = files.write(told(), tmp_path / "folder")
    assert (into / "report.html").exists()
    assert (into / "charts" / "chart-perplexity.svg").exists()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="Name another place"):
        files.write(told(), tmp_path / "file" / "report.html")


def test_without_pictures_the_rest_is_there_and_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    found = {file.name: file.content for file in files.files(told())}
    assert b"pip install resvg-py" in found["charts/NO-PNG.txt"]
    assert "charts/chart-perplexity.svg" in found
    assert not [name for name in found if name.endswith(".png")]


def test_a_machine_without_fonts_makes_no_empty_picture(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(png, "_writes", lambda: False)
    with pytest.raises(StudioError, match="no font"):
        png.png("<svg/>")
