"""What the dashboard says of a run: its numbers, sentences, panels and samples."""

import html.parser
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem
from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.cells import cells
from easymodel_nb.report.course import course
from easymodel_nb.report.figures import Empty
from easymodel_nb.report.finding import finding
from easymodel_nb.report.paired import apart
from easymodel_nb.report.panels.loss import loss_content
from easymodel_nb.report.panels.perplexity import perplexity_content
from easymodel_nb.report.samples import mark_words, samples_html
from easymodel_nb.report.story import facts
from easymodel_nb.report.top import header_html, run_label, top_html
from easymodel_nb.runlog.headline import PERPLEXITY
from easymodel_nb.runlog.log import RunLog, new_run, write_live
from easymodel_nb.runlog.run import Run
from easymodel_nb.widgets.dashboard.dashboard import Dashboard
from easymodel_nb.widgets.dashboard.panel import ChartPanel

REQUEST = {
    "node": {"id": "f1", "data": {"method": "full"}},
    "model": {"id": "m1", "data": {"source": "openai-community/gpt2"}},
    "dataset": {"id": "d1", "data": {"source": "builtin:requests"}},
}
PLAN = {
    "epochs": 3,
    "max_steps": 30,
    "method": "full",
    "finetune": {"learning_rate": 5e-4},
    "model": {"source": "openai-community/gpt2"},
    "dataset": {"source": "builtin:requests", "train_rows": 900},
}


def around(value: float, share: float = 0.04, n: int = 100) -> Measured:
    return Measured(value=value, low=value * (1 - share), high=value * (1 + share), n=n)


class Recorder:
    """Writes the log of a run, as a run would."""

    def __init__(self, home: Path) -> None:
        self.folder = new_run(home)
        self.log = RunLog(self.folder)
        self.log.append("run_created", project_id="p", node_id="f1", request=REQUEST)
        self.log.append("stage", stage="loading", message="Loading gpt2")

    def start(self) -> "Recorder":
        self.log.append("run_started", attempt=1, plan=PLAN, environment={"device": "Tesla T4"})
        return self

    def point(
        self, epoch: float, validation: Measured, train: Measured | None = None
    ) -> "Recorder":
        perplexity = {"validation": validation} | ({"train": train} if train else {})
        bits = {"bits_per_byte": Measured(value=2 - epoch / 10, n=100)}
        analytics = {"perplexity": perplexity, "task": bits}
        self.log.append("epoch", step=int(epoch * 10), epoch=epoch, analytics=analytics)
        return self

    def steps(self, first: int, last: int) -> "Recorder":
        for step in range(first, last + 1):
            self.log.append(
                "progress",
                step=step,
                max_steps=30,
                epoch=step / 10,
                epochs=3,
                loss=5 - step / 10,
                learning_rate=5e-4,
                tokens_per_second=1000.0 + step,
                seconds_left=60.0,
            )
        return self

    def live(self, **fields: Any) -> "Recorder":
        stage = {"stage": "training", "message": "Training, epoch 2 of 3"}
        write_live(self.folder, **{"stage": stage, **fields})
        return self

    def finish(self, **summary: Any) -> "Recorder":
        self.log.append("run_finished", summary=summary, model_path="model")
        return self

    @property
    def run(self) -> Run:
        return Run(self.folder)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def trained(recorder: Recorder, values: tuple[float, ...] = (212.0, 35.0, 15.0, 13.2)) -> Recorder:
    recorder.start()
    for epoch, value in enumerate(values):
        recorder.point(epoch, around(value), around(value * 0.9))
        if epoch < len(values) - 1:
            recorder.steps(epoch * 10 + 1, epoch * 10 + 10)
    return recorder


class _Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> _Text:
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return parser


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (24.6, "24.6"),
        (212.4, "212"),
        (1.0234, "1.02"),
        (9.996, "10.0"),
        (1234.5, "1,230"),
        (9_999, "10.0 k"),
        (38_240, "38.2 k"),
        (485_165_195.0, "4.9e8"),
        (0.0123, "0.0123"),
        (0, "0"),
        (-3.14159, "\u22123.14"),
    ],
)
def test_perplexities_have_three_significant_digits(value: float, text: str) -> None:
    assert write.perplexity(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (-0.46, "\u221246 %"),
        (0.034, "+3 %"),
        (0.001, "0 %"),
        (-0.001, "0 %"),
        (-0.9968, "\u221299.7 %"),
        (-0.99999, "\u221299.9 %"),
        (1.5, "+150 %"),
    ],
)
def test_percents_are_whole_with_a_real_sign(ratio: float, text: str) -> None:
    assert write.percent(ratio) == text


@pytest.mark.parametrize(
    ("write_it", "value", "text"),
    [
        (write.count, 9_999, "9,999"),
        (write.count, 38_240, "38 k"),
        (write.count, 999_700, "1 M"),
        (write.count, 1_240_000, "1.2 M"),
        (write.duration, 50, "50 s"),
        (write.duration, 83, "1 min 23 s"),
        (write.duration, 59.7, "1 min 00 s"),
        (write.duration, 7_500, "2 h 05 min"),
        (write.about, 0.2, "1 s"),
        (write.about, 41, "40 s"),
        (write.about, 59, "1 min"),
        (write.about, 5_000, "1 h 23 min"),
        (write.learning_rate, 5e-5, "5e-5"),
        (write.learning_rate, 3.16e-4, "3.2e-4"),
        (write.learning_rate, 0, "0"),
        (write.epoch, 2.0, "2"),
        (write.epoch, 1.5, "1.5"),
        (write.epoch, 10.0, "10"),
        (write.rate, 3102.2, "3,102"),
        (write.rate, 0.52, "0.52"),
    ],
)
def test_other_numbers(write_it: Any, value: float, text: str) -> None:
    assert write_it(value) == text


@given(st.floats(1e-3, 1e12))
def test_a_written_perplexity_is_within_half_a_percent(value: float) -> None:
    text = write.perplexity(value).replace(",", "")
    number = float(text.removesuffix(" k")) * (1000 if text.endswith(" k") else 1)
    assert number == pytest.approx(value, rel=0.006 if value < 1e6 else 0.06)


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_durations_grow_with_the_time(a: float, b: float) -> None:
    def seconds(text: str) -> int:
        units = {"h": 3600, "min": 60, "s": 1}
        return sum(int(n) * units[u] for n, u in re.findall(r"(\d+) (h|min|s)", text))

    low, high = sorted((a, b))
    assert seconds(write.duration(low)) <= seconds(write.duration(high))
    assert abs(seconds(write.duration(high)) - high) <= 60


@given(st.floats(0, 4 * 86_400))
def test_an_estimate_is_near_and_never_nothing(value: float) -> None:
    assert not write.about(value).startswith("0")


def test_a_moment_is_in_local_time() -> None:
    local = datetime.fromisoformat("2026-11-22T14:08:00+00:00").astimezone()
    assert write.moment("2026-11-22T14:08:00.000Z") == f"{local.day} Nov {local:%H:%M}"
    assert write.moment("no time") == "no time"


def test_time_between_needs_both_ends_in_order() -> None:
    start, end = "2026-11-22T14:08:00Z", "2026-11-22T14:09:00Z"
    assert write.between(start, end) == 60
    assert write.between(end, start) is None
    assert write.between(None, end) is None
    assert write.between(start, datetime.now(UTC).replace(tzinfo=None).isoformat()) is None


# ---------------------------------------------------------------- what the intervals carry


def test_without_pairs_only_intervals_that_are_apart_carry_a_change() -> None:
    assert apart(around(24.6), around(13.2)) == "fell"
    assert apart(around(13.2), around(24.6)) == "rose"
    assert apart(around(24.6), around(24.0)) == "unknown", "they carry no sameness either"
    assert apart(Measured(value=24.6), around(13.2)) == "unknown"
    assert apart(None, around(13.2)) == "unknown"


def test_finding_of_a_clear_fall(recorder: Recorder) -> None:
    view = trained(recorder).finish().run.view
    assert finding(view) == "Validation perplexity fell from 212 to 13.2 in 3 epochs"


def test_finding_names_the_kept_epoch_and_a_clearly_lower_one(recorder: Recorder) -> None:
    view = trained(recorder, (24.6, 14.0, 12.0, 20.0)).finish(kept_epoch=3).run.view
    assert finding(view).endswith("fell from 24.6 to 20.0 in 3 epochs, lowest at epoch 2")
    assert "Epoch 3 was kept." in facts(view)


def test_finding_claims_no_fall_where_the_intervals_overlap(recorder: Recorder) -> None:
    view = trained(recorder, (24.6, 24.5, 24.4, 24.1)).finish().run.view
    assert finding(view) == "Validation perplexity is 24.1 after 3 epochs, 24.6 before"
    (cell, *_) = cells(view)
    assert (cell.aside, cell.mood) == ("\u22122 %", "none")


def test_finding_without_intervals_only_states_values(recorder: Recorder) -> None:
    recorder.start().point(0, Measured(value=24.6, n=10)).point(1, Measured(value=13.2, n=10))
    view = recorder.finish().run.view
    assert finding(view) == "Validation perplexity is 13.2 after 1 epoch, 24.6 before"
    assert course(view, PERPLEXITY) == ""


def test_finding_while_it_trains(recorder: Recorder) -> None:
    trained(recorder, (212.0, 35.0)).live(step=10, max_steps=30)
    assert finding(recorder.run.view).endswith("to 35.0 in 1 epoch so far")


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ((24.6, 14.0, 12.0, 20.0), "was lowest at epoch 2 and rose after it"),
        ((24.6, 30.0), "was lowest before training and rose after it"),
        ((24.6, 15.9, 13.2, 13.0), "is better than the base model\u2019s from epoch 1 on"),
        ((24.6, 24.0, 15.9, 13.2), "was still falling at epoch 3"),
        ((212.0, 35.0, 15.0), "fell in every epoch"),
        ((24.6, 24.5, 24.4), ""),
    ],
)
def test_panel_title_states_the_course(
    recorder: Recorder, values: tuple[float, ...], title: str
) -> None:
    told = course(trained(recorder, values).run.view, PERPLEXITY)
    assert told == (f"Validation perplexity {title}" if title else "")


# ---------------------------------------------------------------- head


def test_facts_name_model_data_rows_time_and_device(recorder: Recorder) -> None:
    line = facts(trained(recorder).finish().run.view)
    assert re.fullmatch(r"gpt2 on requests\. 900 rows, \d+ s on Tesla T4\.", line)


def test_headline_values_carry_interval_base_and_n(recorder: Recorder) -> None:
    first, train, bits, speed = cells(trained(recorder).finish().run.view)
    assert (first.value, first.aside, first.mood) == ("13.2", "\u221294 %", "good")
    assert first.notes == ("12.7 to 13.7, base 212", "100 texts")
    assert train.notes == ("11.4 to 12.4", "100 texts")
    assert (bits.value, bits.notes[0]) == ("1.70", "100 texts, base 2.00")
    assert (speed.value, speed.notes) == ("1,016", ("median of 30 readings",))


def test_a_worse_model_is_told_in_red(recorder: Recorder) -> None:
    (cell, *_) = cells(trained(recorder, (13.2, 24.6)).finish().run.view)
    assert (cell.aside, cell.mood) == ("+86 %", "bad")


def test_run_label_counts_the_projects_runs(tmp_path: Path) -> None:
    first, second = (trained(Recorder(tmp_path)).finish().run.view for _ in range(2))
    assert run_label(second, [first]) == "Run 2, Full, lr 5e-4"
    assert run_label(first, [second, first]) == "Run 1, Full, lr 5e-4"


def test_header_of_a_run_under_way(recorder: Recorder) -> None:
    trained(recorder, (212.0, 35.0)).live(
        step=12, max_steps=30, seconds_left=41.0, stage={"stage": "training", "message": "Training"}
    )
    text = read(header_html(recorder.run.view, [])).text
    assert "Running" in text
    assert "step 12 of 30, about 40 s left" in text


def test_the_time_left_of_a_stage_is_not_told_as_that_of_the_run(recorder: Recorder) -> None:
    stage = {"stage": "evaluating", "message": "Measuring the base model", "seconds_left": 41.0}
    recorder.start().live(stage=stage)
    text = read(header_html(recorder.run.view, [])).text
    assert "about 40 s left of this stage" in text


def test_a_failed_run_says_why_and_keeps_its_charts(recorder: Recorder) -> None:
    trained(recorder, (212.0, 35.0))
    problem = Problem(code="oom", message="The memory <ran> out. Use a smaller batch.")
    recorder.log.append("run_failed", problem=problem, detail="")
    view = recorder.run.view
    assert "Failed. The memory <ran> out. Use a smaller batch." in read(top_html(view)).text
    assert perplexity_content(view).figure.lines["validation"].y == [212.0, 35.0]
    assert len(loss_content(view).figure.lines["loss"].x) == 10


def test_warnings_are_shown_and_counted(recorder: Recorder) -> None:
    recorder.start()
    for number in range(5):
        note = Problem(code="w", severity="note", message=f"Note number {number}.")
        recorder.log.append("warning", problem=note)
    text = read(top_html(recorder.run.view)).text
    assert "Note number 2." in text
    assert "Note number 3." not in text
    assert "2 more notes in the run's log." in text


# ---------------------------------------------------------------- panels


def test_perplexity_panel_has_every_point_and_a_row_for_it(recorder: Recorder) -> None:
    recorder.start().point(0, around(24.6), around(24.0)).point(0.5, around(18.0))
    recorder.point(1, around(14.0), around(13.0)).finish(kept_epoch=1)
    content = perplexity_content(recorder.run.view)
    assert list(content.figure.lines["validation"].x) == [0, 0.5, 1]
    assert list(content.figure.lines["train"].x) == [0, 1]
    assert content.figure.lines["base"].label == "base 24.6"
    assert content.figure.lines["kept"].label == "kept: epoch 1"
    assert content.figure.y_name == "perplexity, lower is better"
    assert (
        "100 validation texts, 100 train texts, 1.90 bits per byte (base 2.00)" in content.caption
    )
    assert content.caption.endswith("band 95 %")
    table = read(content.table)
    assert table.tags.count("tr") == 4
    assert "base" in table.text
    assert "emnb-marked" in content.table


def test_perplexity_axis_says_log(recorder: Recorder) -> None:
    content = perplexity_content(trained(recorder).finish().run.view)
    assert content.figure.y_name == "perplexity, log, lower is better"
    assert "kept" not in content.figure.lines


def test_an_overflow_shows_its_reason_and_no_number(recorder: Recorder) -> None:
    why = "above 4.8e8: the mean loss is 31 nats a token"
    recorder.start().point(0, Measured.missing(why, n=100)).point(1, around(14.0))
    content = perplexity_content(recorder.run.view)
    assert f"n/a: {why}" in content.caption
    assert f'title="{why}"' in content.table
    assert "base" not in content.figure.lines
    assert content.figure.lines["validation"].y[1] == 14.0


def test_no_perplexity_at_all_shows_the_reason(recorder: Recorder) -> None:
    recorder.start().point(0, Measured.missing("The task has no perplexity.")).finish()
    view = recorder.run.view
    content = perplexity_content(view)
    assert isinstance(content.figure, Empty)
    assert "The task has no perplexity." in content.empty
    (cell, *_) = cells(view)
    assert (cell.value, cell.reason) == ("", "The task has no perplexity.")
    top = read(top_html(view)).text
    assert "n/a" in top
    assert "The task has no perplexity." in top


def test_before_the_first_point_the_box_says_when(recorder: Recorder) -> None:
    recorder.start().live(step=0, max_steps=30, seconds_left=120.0, stage={"stage": "training"})
    box = read(perplexity_content(recorder.run.view).empty).text
    assert "then after epoch 1, in about 40 s." in box
    assert "From the first step on." in loss_content(recorder.run.view).empty


def test_what_ended_early_is_not_promised(recorder: Recorder) -> None:
    recorder.start().log.append("run_stopped", reason="user")
    view = recorder.run.view
    assert "stopped before the base model was measured" in perplexity_content(view).empty
    assert "stopped before the first step" in loss_content(view).empty
    assert "You stopped it" in header_html(view, [])


def test_loss_panel_draws_at_most_500_points(recorder: Recorder) -> None:
    recorder.start()
    view = recorder.run.view
    many = [{"step": step, "epoch": 0.0, "loss": 3.0 + (step == 700)} for step in range(1, 1201)]
    view = view.model_validate({**view.model_dump(), "curve": many})
    content = loss_content(view)
    assert len(content.figure.lines["loss"].x) <= 500
    assert max(content.figure.lines["loss"].y) == 4.0
    assert read(content.details).tags.count("tr") == 9
    assert content.data is not None
    assert len(content.data.rows) == 1200


# ---------------------------------------------------------------- samples


EVIL = '<script>alert(1)</script> & "quoted" <img src=x onerror=alert(1)>'


def test_model_output_is_never_html() -> None:
    rows = [{"prompt": EVIL, "reference": EVIL, "base": EVIL, "tuned": EVIL + " more"}]
    parsed = read(samples_html(rows, waiting="later"))
    assert not {"script", "img"} & set(parsed.tags)
    assert parsed.text.count("<script>alert(1)</script>") == 4


@given(st.text(max_size=80), st.text(max_size=80))
def test_marking_words_changes_no_text(base: str, tuned: str) -> None:
    for text, marked in zip((base, tuned), mark_words(base, tuned), strict=True):
        parsed = read(marked)
        assert parsed.text.split() == text.replace("\r", "\n").split()
        assert set(parsed.tags) <= {"ins", "del"}


def test_dropped_and_new_words_are_marked() -> None:
    base, tuned = mark_words(
        "The rope is a fish. The rope is a fish that is a", "Tope is a species of fish."
    )
    assert tuned == "<ins>Tope</ins> is a <ins>species of</ins> fish."
    assert base.startswith("<del>The rope</del> is a fish.")
    assert mark_words("same text", "same text") == ("same text", "same text")


def test_long_cells_fold_and_missing_ones_say_why() -> None:
    rows = [{"prompt": "p", "reference": None, "base": "word " * 100, "tuned": None}] * 30
    markup = samples_html(rows, waiting="not generated yet")
    parsed = read(markup)
    assert "3 of 30" in parsed.text
    assert "17 more" in parsed.text
    assert "n/a: not generated yet" in parsed.text
    assert parsed.tags.count("tr") == 20 + 2
    assert '<details class="emnb-cell"><summary data-lm-suppress-shortcuts="true">' in markup


def test_a_row_without_keys_is_no_error() -> None:
    assert "n/a" in samples_html([{}], waiting="later")
    assert samples_html([], waiting="later") == ""


# ---------------------------------------------------------------- the whole


def values(dashboard: Dashboard) -> str:
    header = dashboard._header
    parts = [header._run.value, header._progress.value]
    parts += [dashboard._top.value, dashboard._samples.box.value]
    return " ".join(read(part).text for part in parts)


def hidden(widget: Any) -> bool:
    return "emnb-off" in widget._dom_classes


def everything(box: Any) -> list[Any]:
    found = [box]
    for child in (*getattr(box, "children", ()), *getattr(box, "marks", ())):
        found += everything(child)
    return found


def write_samples(folder: Path) -> None:
    line = '{"index": 0, "epoch": 0, "prompt": "p", "reference": "r", "text": "b"}\n'
    line += '{"index": 0, "epoch": 1, "prompt": "p", "reference": "r", "text": "t"}\n'
    (folder / "samples.jsonl").write_text(line, encoding="utf-8")


def test_the_box_is_there_at_once_without_bqplot() -> None:
    code = (
        "import sys; from easymodel_nb.widgets.dashboard.dashboard import Dashboard;"
        "d = Dashboard();"
        "d.show(None, None, []); assert d.box._dom_classes[:2] =="
        "('emnb-dash', 'emnb-t-em-dashboard'), d.box._dom_classes;"
        "assert not {'bqplot', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_no_run_is_one_sentence(recorder: Recorder) -> None:
    dashboard = Dashboard()
    assert "No run yet" in values(dashboard)
    assert hidden(dashboard._header.box)
    assert hidden(dashboard._charts)
    dashboard.show(None, None, [recorder.run.view])
    assert "Choose a run" in values(dashboard)


def test_a_finished_run_fills_every_part(recorder: Recorder) -> None:
    trained(recorder).log.append("samples", step=30, epoch=3, rows=1)
    write_samples(recorder.folder)
    run = recorder.finish().run
    dashboard = Dashboard()
    dashboard.show(run, run.view, [])
    assert "fell from 212 to 13.2" in values(dashboard)
    assert "1 of 1" in values(dashboard)
    classes = {
        name for widget in everything(dashboard.box) for name in getattr(widget, "_dom_classes", ())
    }
    wanted = {"emnb-t-em-dashboard", "emnb-t-chart-perplexity", "emnb-t-chart-loss"}
    assert classes >= wanted | {"emnb-t-samples", "emnb-chart"}
    assert not hidden(dashboard._charts)


def test_showing_the_same_again_sends_nothing(recorder: Recorder) -> None:
    run = trained(recorder).finish().run
    dashboard = Dashboard()
    dashboard.show(run, run.view, [])
    sent: list[Any] = []
    for widget in everything(dashboard.box):
        widget.observe(sent.append)
    dashboard.show(run, run.view, [])
    assert sent == []


def test_another_run_uses_the_same_widgets(tmp_path: Path) -> None:
    first = trained(Recorder(tmp_path)).finish().run
    second = trained(Recorder(tmp_path), (24.6, 14.0)).finish().run
    dashboard = Dashboard()
    dashboard.show(first, first.view, [])
    before = everything(dashboard.box)
    dashboard.show(second, second.view, [first.view])
    assert "fell from 24.6 to 14.0" in values(dashboard)
    assert all(a is b for a, b in zip(before, everything(dashboard.box), strict=True))
    dashboard.show(None, None, [])
    assert hidden(dashboard._charts)
    assert "fell" not in values(dashboard)
    dashboard.show(first, first.view, [])
    assert not hidden(dashboard._charts)


def test_a_live_run_is_shown_anew_every_two_seconds_and_at_once_when_it_ends(
    recorder: Recorder,
) -> None:
    now = [0.0]
    run = trained(recorder, (212.0, 35.0)).live(step=10, max_steps=30).run
    dashboard = Dashboard(clock=lambda: now[0])
    dashboard.show(run, run.view, [])
    loss = dashboard._panels["chart-loss"]
    assert len(_chart(loss)._lines["loss"].x) == 10
    recorder.steps(11, 12).live(step=12, max_steps=30)
    now[0] = 1.9
    dashboard.show(run, run.view, [])
    assert len(_chart(loss)._lines["loss"].x) == 10
    assert "step 10 of 30" in values(dashboard)
    now[0] = 2.1
    dashboard.show(run, run.view, [])
    assert len(_chart(loss)._lines["loss"].x) == 12
    assert "step 12 of 30" in values(dashboard)
    recorder.steps(13, 13).finish()
    now[0] = 2.2
    dashboard.show(run, run.view, [])
    assert len(_chart(loss)._lines["loss"].x) == 13


def _chart(panel: ChartPanel) -> Any:
    (chart,) = panel._slots[0]._charts.values()
    return chart


def test_a_figure_gives_way_to_the_box_and_comes_back(tmp_path: Path) -> None:
    full = trained(Recorder(tmp_path)).finish().run
    bare = Recorder(tmp_path).start().finish().run
    dashboard = Dashboard()
    dashboard.show(full, full.view, [])
    panel = dashboard._panels["chart-perplexity"]
    figure = _chart(panel).figure
    slot = panel._slots[0]
    dashboard.show(bare, bare.view, [full.view])
    assert hidden(figure)
    assert hidden(slot._y_name)
    assert not hidden(slot._empty)
    dashboard.show(full, full.view, [bare.view])
    assert not hidden(figure)
    assert hidden(slot._empty)
