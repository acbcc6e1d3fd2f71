"""Samples: which rows are shown in which order, what of them is marked, what the user chose."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.report.sample_rows import PAGE, SamplesView, page_of, sorts
from easymodel_nb.report.samples import samples_section
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.log import RunLog, new_run
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.widgets.chosen import Choices

Row = dict[str, Any]


def row(index: int, before: float | None, after: float | None, **more: Any) -> Row:
    return {
        "index": index,
        "prompt": f"prompt {index}",
        "reference": f"reference {index}",
        "base": f"base {index}",
        "tuned": f"tuned {index}",
        "base_scores": {"overall": before, "fluency": 0.5},
        "tuned_scores": {"overall": after, "fluency": 0.1 * index},
        **more,
    }


ROWS = [row(0, 40, 50), row(1, 60, 20), row(2, 10, 90), row(3, None, 30), row(4, 50, 50)]


def shown(**view: Any) -> list[int]:
    page = page_of(ROWS, SamplesView(**view), labels=False)
    return [found["index"] for found in page.rows]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", [2, 0, 4, 1, 3]),  # the largest gain; without one comes last
        ("gain", [2, 0, 4, 1, 3]),
        ("loss", [1, 4, 0, 2, 3]),
        ("worst", [1, 3, 0, 4, 2]),
        ("order", [0, 1, 2, 3, 4]),
        ("low.fluency", [0, 1, 2, 3, 4]),
        ("gain.fluency", [4, 3, 2, 1, 0]),
        ("no such order", [2, 0, 4, 1, 3]),
    ],
)
def test_rows_are_sorted_by_any_score(sort: str, order: list[int]):
    assert shown(sort=sort) == order


def test_orders_are_offered_only_for_scores_that_are_there():
    bare = [{**found, "base_scores": {}, "tuned_scores": {}} for found in ROWS]
    assert [sort.name for sort in sorts(bare, labels=False)] == ["order"]
    counts = [{**bare[0], "tuned_scores": {"tokens": 3.0, "reference_tokens": 4.0}}]
    assert [sort.name for sort in sorts(counts, labels=False)] == ["order"]


def test_pages_and_search():
    rows = [row(place, 10, 10 + place) for place in range(2 * PAGE + 1)]
    last = page_of(rows, SamplesView(page=99), labels=False)
    assert (last.number, last.pages, [r["index"] for r in last.rows]) == (2, 3, [0])
    found = page_of(rows, SamplesView(search=" TUNED 7 ", page=5), labels=False)
    assert [r["index"] for r in found.rows] == [7]
    assert (found.found, found.total, found.number) == (1, len(rows), 0)


def label(index: int, truth: str, given: str, sure: float, base: str | None = None) -> Row:
    return {
        "index": index,
        "prompt": "text",
        "reference": truth,
        "base": base,
        "tuned": given,
        "tuned_more": {"confidence": sure},
    }


def test_labels_show_errors_first_the_surest_of_them_before_the_others():
    rows = [
        label(0, "a", "a", 0.5),
        label(1, "a", "b", 0.6),
        label(2, "b", "a", 0.9),
        label(3, "b", "b", 0.3),
    ]
    order = [r["index"] for r in page_of(rows, SamplesView(), labels=True).rows]
    assert order == [2, 1, 0, 3]
    unsure = page_of(rows, SamplesView(sort="unsure"), labels=True)
    assert [r["index"] for r in unsure.rows] == [3, 0, 1, 2]
    known = [{**found, "base": found["reference"]} for found in rows]
    lost = page_of(known, SamplesView(sort="lost"), labels=True)
    assert {r["index"] for r in lost.rows[:2]} == {1, 2}


# ---------------------------------------------------------------- HTML


class Page(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]


def section(rows: list[Row], view: SamplesView | None = None, **more: Any) -> Page:
    given: dict[str, Any] = {"run": "r1", "epochs": [1.0, 2.0], "waiting": "later", **more}
    return Page(samples_section(rows, view or SamplesView(), **given))


def test_the_section_says_what_it_commands():
    page = section([row(place, 10, 20) for place in range(7)], SamplesView(epoch=1.0, page=1))
    form = next(a for a in page.all("div") if "data-em-form" in a)
    assert form["data-em-command"] == "samples_view"
    assert json.loads(form["data-em-params"] or "") == {"run": "r1"}
    fields = [a["data-em-input"] for _, a in page.tags if "data-em-input" in a]
    assert fields == ["search", "sort", "epoch"]
    chosen = [a["value"] for a in page.all("option") if "selected" in a]
    assert chosen == ["gain", "1"]
    previous, following = page.all("button")
    assert json.loads(previous["data-em-params"] or "") == {"page": 0}
    assert "disabled" in following
    assert "disabled" not in previous
    assert "2 of 7" in page.text


def test_a_gain_is_written_with_its_sign_and_both_scores():
    page = section([row(0, 44.4, 85.2)])
    assert "+41" in page.text
    assert "44 \u2192 85" in page.text
    assert "Fluency" in page.text  # behind the click
    assert "\u221240" in section([row(1, 60, 20)]).text


def test_a_missing_score_is_said_and_never_a_zero():
    page = section([row(0, None, None), row(1, 10, None)])
    assert page.text.count("n/a") >= 2
    assert "+0" not in page.text


def test_the_score_that_rows_are_sorted_by_has_a_column():
    heads = section(ROWS, SamplesView(sort="low.fluency")).text
    assert "Fluency" in heads.split("prompt 0")[0]


def test_texts_are_never_html():
    evil = '<img src=x onerror="alert(1)">'
    hurt = row(0, 10, 20, prompt=evil, base=evil, tuned=evil + "!", reference=evil)
    page = section([hurt], SamplesView(search="img"))
    assert not page.all("img")
    assert page.text.count("onerror") >= 4
    nothing = section([row(0, 1, 2)], SamplesView(search=evil))
    assert not nothing.all("img")
    assert "No sample holds" in nothing.text


# ---------------------------------------------------------------- from a run's files


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = new_run(tmp_path)
    log = RunLog(folder)
    log.append("run_created", project_id="p", node_id="f1", request={})
    lines = []
    for epoch in (0, 1, 2):
        log.append("samples", step=epoch * 10, epoch=epoch, rows=2)
        for index in (0, 1):
            told = {"epoch": epoch, "step": epoch * 10, "index": index, "prompt": f"p{index}"}
            told |= {"reference": "r", "text": f"e{epoch} i{index}", "tokens": 3}
            lines.append(json.dumps(told))
    (folder / "samples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for epoch in (0, 2):
        values = {"overall": [10.0 + epoch, None], "relevance": [0.5, 0.25]}
        scores.append(folder, Scores(epoch * 10, epoch, "prompts", "d", values))
    return Run(folder)


def test_answers_join_an_epoch_with_the_base_and_what_both_scored(run: Run):
    assert run.sampled_epochs() == [0, 1, 2]
    first = run.answer_rows(1)[0]
    assert (first["base"], first["tuned"]) == ("e0 i0", "e1 i0")
    assert first["base_scores"] == {"overall": 10.0, "relevance": 0.5}
    assert first["tuned_scores"] == {}  # epoch 1 was not scored
    last = run.answer_rows()
    assert [found["tuned"] for found in last] == ["e2 i0", "e2 i1"]
    assert last[1]["tuned_scores"] == {"overall": None, "relevance": 0.25}


def test_answers_as_a_table(run: Run):
    frame = run.answers(2)
    assert list(frame["tuned"]) == ["e2 i0", "e2 i1"]
    assert frame["tuned.overall"].tolist()[0] == 12.0
    assert frame["tuned.overall"].isna().tolist() == [False, True]
    # The contract of samples stays.
    assert list(run.samples().columns) == ["prompt", "reference", "base", "tuned"]
    assert list(run.samples()["tuned"]) == ["e2 i0", "e2 i1"]


def test_another_order_begins_at_the_first_page():
    choices = Choices()
    choices.see_samples("r", {"page": 2})
    choices.see_samples("r", {"page": 3, "sort": ""})
    assert choices.samples("r").page == 3
    choices.see_samples("r", {"sort": "worst"})
    assert choices.samples("r") == SamplesView(sort="worst", page=0)
    assert choices.samples("other") == SamplesView()
