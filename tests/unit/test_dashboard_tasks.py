"""What the dashboard says of the tasks that choose labels, and of seq2seq."""

import html.parser
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.measured import Measured
from easymodel_nb.report.cells import cells
from easymodel_nb.report.finding import finding
from easymodel_nb.report.panels.classes import classes_content
from easymodel_nb.report.panels.confusion import confused, confusion_content
from easymodel_nb.report.panels.loss import loss_content
from easymodel_nb.report.panels.perplexity import perplexity_content
from easymodel_nb.report.panels.task import task_content
from easymodel_nb.report.samples import samples_html
from easymodel_nb.runlog.log import RunLog, new_run, write_live
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets.cards import headline
from easymodel_nb.widgets.dashboard.dashboard import Dashboard

NEW = "The head is new: before training it knows no class."
NONE = "Perplexity is not defined for classification."
EVIL = '<img src=x onerror="alert(1)"> & "quoted"'


def around(value: float, by: float = 0.02, n: int = 100) -> Measured:
    return Measured(value=value, low=value - by, high=value + by, n=n)


class Recorder:
    """Writes the log of a run of a task, as a run would."""

    def __init__(self, home: Path, task: str) -> None:
        self.folder = new_run(home)
        self.log = RunLog(self.folder)
        request = {"node": {"id": "f1", "data": {"task": task}}}
        self.log.append("run_created", project_id="p", node_id="f1", request=request)
        plan = {"epochs": 3, "max_steps": 30, "finetune": {"task": task}}
        self.log.append("run_started", attempt=1, plan=plan, environment={})

    def point(self, epoch: float, task: dict[str, Measured], **more: Any) -> "Recorder":
        perplexity = more.pop("perplexity", {"validation": Measured.missing(NONE, n=100)})
        analytics = {"perplexity": perplexity, "task": task, **more}
        self.log.append("epoch", step=round(epoch * 10), epoch=epoch, analytics=analytics)
        return self

    def finish(self, **summary: Any) -> RunView:
        self.log.append("run_finished", summary=summary, model_path="model")
        return self.run.view

    @property
    def run(self) -> Run:
        return Run(self.folder)


FLOOR = {
    "majority_accuracy": Measured(value=0.3, n=100),
    "majority_macro_f1": Measured(value=0.12, n=100),
}
NEW_HEAD = {n: Measured.missing(NEW, n=100) for n in ("loss", "accuracy", "macro_f1", "mcc")}


def scores(f1: float) -> dict[str, Measured]:
    return {
        "loss": Measured(value=1 - f1, n=100),
        "accuracy": around(f1 + 0.02),
        "macro_f1": around(f1),
        "mcc": around(f1 - 0.1),
        **FLOOR,
    }


def tables(labels: list[str], matrix: list[list[int]]) -> dict[str, Any]:
    rows = [
        {"label": name, "precision": 0.9, "recall": 0.8, "f1": 0.85 - i / 100, "support": sum(row)}
        for i, (name, row) in enumerate(zip(labels, matrix, strict=True))
    ]
    return {"labels": labels, "per_class": rows, "confusion": matrix}


def classified(home: Path, *f1: float) -> Recorder:
    recorder = Recorder(home, "classification")
    recorder.point(0, NEW_HEAD | FLOOR)
    for epoch, value in enumerate(f1, start=1):
        details = tables(["cat", "dog", EVIL], [[9, 1, 0], [3, 7, 0], [0, 0, 4]])
        recorder.point(epoch, scores(value), details=details)
    return recorder


class _Parser(html.parser.HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


# ---------------------------------------------------------------- the finding


def test_a_classifier_is_compared_with_the_majority_class(tmp_path: Path) -> None:
    view = classified(tmp_path, 0.7, 0.82).finish()
    said = "Macro-F1 is 0.820 after 2 epochs, above the majority class (0.120)"
    assert finding(view) == said
    assert headline(view) == said


@pytest.mark.parametrize(
    ("f1", "says"),
    [
        (0.13, "not clearly different from the majority class (0.120)"),
        (0.05, "below the majority class (0.120)"),
    ],
)
def test_no_more_is_claimed_than_the_intervals_carry(tmp_path: Path, f1: float, says: str) -> None:
    view = classified(tmp_path, f1).finish()
    assert finding(view).endswith(says)
    first, *_ = cells(view)
    assert first.mood == ("bad" if f1 < 0.1 else "none")


def test_how_common_the_majority_is_is_chance_too(tmp_path: Path) -> None:
    over = {"macro_f1": around(0.03), "accuracy": around(0.01)}  # paired: around is +- 0.02
    recorder = Recorder(tmp_path, "classification").point(0, NEW_HEAD | FLOOR)
    details = tables(["cat", "dog"], [[9, 1], [3, 7]]) | {"over_majority": over}
    view = recorder.point(1, scores(0.33), details=details).finish()
    assert finding(view).endswith("above the majority class (0.120)")
    f1, accuracy, *_ = cells(view)
    assert (f1.mood, accuracy.mood) == ("good", "none")
    assert accuracy.aside == "not clearly more"  # though its own interval leaves out the level


def test_without_an_interval_the_floor_is_only_named(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "classification")
    view = recorder.point(1, {"macro_f1": Measured(value=0.8, n=9)} | FLOOR).finish()
    assert finding(view) == "Macro-F1 is 0.800 after 1 epoch; the majority class gets 0.120"


def test_a_trained_head_is_compared_with_itself(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "classification")
    view = recorder.point(0, scores(0.5)).point(1, scores(0.9)).finish()
    assert finding(view) == "Macro-F1 rose from 0.500 to 0.900 in 1 epoch"
    assert cells(view)[0].aside == "+0.40"


def test_the_kept_epoch_is_spoken_of_and_a_higher_one_named(tmp_path: Path) -> None:
    view = classified(tmp_path, 0.9, 0.6).finish(kept_epoch=2)
    assert finding(view).endswith("(0.120), highest at epoch 1")
    assert task_content(view).title == "Macro-F1 was highest at epoch 1 and fell after it"


def test_headline_values_have_interval_floor_and_n(tmp_path: Path) -> None:
    f1, accuracy, mcc, loss = cells(classified(tmp_path, 0.82).finish())
    assert (f1.label, f1.value, f1.aside, f1.mood) == ("Macro-F1", "0.820", "+0.70", "good")
    assert f1.notes == ("0.800 to 0.840, majority class 0.120", "100 texts")
    assert accuracy.notes[0].endswith("majority class 0.300")
    assert (mcc.aside, mcc.mood) == ("", "none")
    assert (loss.label, loss.value) == ("Loss", "0.180")


def test_before_the_first_epoch_the_values_say_why_not(tmp_path: Path) -> None:
    recorder = classified(tmp_path)
    write_live(recorder.folder, stage={"stage": "training", "message": "Training"}, max_steps=30)
    view = recorder.run.view
    assert finding(view) == "Training"
    assert [cell.reason for cell in cells(view)] == [NEW] * 4
    box = _Parser(task_content(view).empty).text
    assert "From the first point on." in box
    assert NEW in box
    assert ".." not in box


# ---------------------------------------------------------------- panels


def test_the_first_panel_of_a_classifier(tmp_path: Path) -> None:
    content = task_content(classified(tmp_path, 0.5, 0.7, 0.82).finish())
    assert content.figure.lines["first"].label == "macro-F1 0.820"
    assert math.isnan(content.figure.lines["first"].y[0]), "a null is a gap"
    assert content.figure.lines["reference"].label == "majority F1 0.120"
    assert content.figure.lines["reference 2"].label == "majority acc. 0.300"
    assert "100 validation texts" in content.caption
    assert f"n/a: {NEW}" in content.caption
    assert content.title == "Macro-F1 was still rising at epoch 3", "no text was scored before"
    table = _Parser(content.table).text
    assert "0.800 to 0.840" in table.replace("\xa0", " ")
    assert "val. loss" in table


def test_entities_have_precision_and_recall_beside_f1(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "token_classification")
    numbers = {"precision": around(0.8), "recall": around(0.7), "f1": around(0.75)}
    rows = [{"type": "PER", "precision": 0.8, "recall": None, "f1": 0.7, "support": 12}]
    view = recorder.point(1, numbers, details={"per_type": rows}).finish()
    assert finding(view) == "Entity F1 is 0.750 after 1 epoch"
    content = task_content(view)
    assert [content.figure.lines[n].label for n in ("first", "second", "third")] == [
        "F1 0.750",
        "precision 0.800",
        "recall 0.700",
    ]
    assert not {"reference", "reference 2"} & set(content.figure.lines)
    types = classes_content(view)
    assert types is not None
    assert types.caption == "1 type, 12 entities, epoch 1"
    assert "n/a" in _Parser(types.table).text
    assert confusion_content(view) is None


def test_tags_that_mark_no_entities_are_scored_by_word(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "token_classification")
    why = "The tags mark no entities: words are scored."
    numbers = {
        "accuracy": around(0.9),
        "macro_f1": Measured(value=0.7, n=100),
        "f1": Measured.missing(why, n=100),
        "majority_accuracy": Measured(value=0.2, n=100),
    }
    view = recorder.point(1, numbers, details=tables(["NOUN", "VERB"], [[5, 2], [0, 9]])).finish()
    said = "Word accuracy is 0.900 after 1 epoch, above the majority class (0.200)"
    assert finding(view) == said
    content, mistakes, tags = task_content(view), confusion_content(view), classes_content(view)
    assert content.figure.lines["first"].label == "accuracy 0.900"
    assert content.figure.lines["reference"].label == "majority acc. 0.200"
    assert mistakes is not None
    assert tags is not None
    assert mistakes.caption == "2 of 16 words wrong, epoch 1"
    assert tags.caption == "2 tags, 16 words, epoch 1"
    assert "Right tags" in samples_html([sample()], waiting="", task="word_tags")


def test_seq2seq_has_perplexity_and_overlap_with_the_base(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "seq2seq")
    for epoch in (0, 1):
        overlap = {name: around(10 + 30 * epoch, 2) for name in ("chrf", "bleu", "rouge_l")}
        language = {"validation": around(60 - 50 * epoch, 2)}
        recorder.point(epoch, overlap, perplexity=language)
    view = recorder.finish()
    assert finding(view) == "Validation perplexity fell from 60.0 to 10.0 in 1 epoch"
    labels = ["Validation perplexity", "chrF", "BLEU", "ROUGE-L"]
    assert [cell.label for cell in cells(view)] == labels
    content = task_content(view)
    assert content.figure.lines["reference"].label == "base 10.0"
    assert content.figure.lines["third"].label == "ROUGE-L 40.0"
    assert cells(view)[1].aside == "+30.0"


def test_perplexity_is_not_defined_with_the_reason_of_the_run(tmp_path: Path) -> None:
    view = classified(tmp_path, 0.8).finish()
    assert _Parser(perplexity_content(view).empty).text.startswith("Perplexity is not defined")
    assert NONE in perplexity_content(view).empty
    bare = Recorder(tmp_path, "classification").finish()
    assert "Perplexity is not defined" in perplexity_content(bare).empty


def test_the_loss_panel_has_the_validation_loss_at_its_steps(tmp_path: Path) -> None:
    recorder = classified(tmp_path, 0.5, 0.7)
    recorder.log.append("progress", step=20, max_steps=30, epoch=2, epochs=3, loss=0.4)
    content = loss_content(recorder.finish())
    assert list(content.figure.lines["validation"].x) == [0, 10, 20]
    assert content.figure.lines["validation"].label == "validation 0.300"
    assert content.figure.y_name == "loss, nats a text"
    assert "macro-F1" in content.how


# ---------------------------------------------------------------- classes


def test_a_small_confusion_matrix_is_a_table_of_every_cell(tmp_path: Path) -> None:
    content = confusion_content(classified(tmp_path, 0.8).finish())
    assert content is not None
    assert content.title == "dog taken for cat, 3 of 10"
    assert content.caption == "4 of 24 texts wrong, epoch 1"
    parsed = _Parser(content.table)
    assert parsed.tags.count("td") == 9
    assert "img" not in parsed.tags
    assert 'title="dog: 3 of 10 taken for cat"' in content.table


def test_many_classes_show_their_mistakes_and_the_weakest_first(tmp_path: Path) -> None:
    labels = [f"class {number}" for number in range(40)]
    found = [[number, number, 5] for number in range(40)] + [[7, 8, 3], [1, 2, 1]]
    details = tables(labels, [[5]] * 40) | {"confusion": None, "confusion_cells": found}
    recorder = Recorder(tmp_path, "classification")
    view = recorder.point(1, scores(0.8), details=details).finish()
    content, rows = confusion_content(view), classes_content(view)
    assert content is not None
    assert rows is not None
    assert content.title == "class 7 taken for class 8, 3 of 8"
    assert _Parser(content.table).tags.count("tr") == 3
    assert "weakest first" in rows.caption
    assert rows.table.index("class 39") < rows.table.index("class 0")


def test_classes_that_are_never_right_are_counted(tmp_path: Path) -> None:
    details = tables(["a", "b", "c"], [[1, 0, 0], [0, 3, 0], [0, 2, 1]])
    for row in details["per_class"][1:]:
        row["f1"] = 0.0
    recorder = Recorder(tmp_path, "classification")
    content = classes_content(recorder.point(1, scores(0.8), details=details).finish())
    assert content is not None
    assert content.title == "F1 is 0 for 2 of 3 classes"


def test_a_long_label_is_cut_in_a_title_and_whole_on_hover(tmp_path: Path) -> None:
    long = "a very long label " * 20
    recorder = Recorder(tmp_path, "classification")
    details = tables([long, "b"], [[1, 4], [0, 3]])
    content = confusion_content(recorder.point(1, scores(0.8), details=details).finish())
    assert content is not None
    assert len(content.title) < 80
    assert f'title="{long}"' in content.table


@given(
    st.integers(1, 8).flatmap(
        lambda k: st.lists(
            st.lists(st.integers(0, 50), min_size=k, max_size=k), min_size=k, max_size=k
        )
    )
)
def test_mistakes_add_up(matrix: list[list[int]]) -> None:
    labels = [str(number) for number in range(len(matrix))]
    cells = {(i, k): n for i, row in enumerate(matrix) for k, n in enumerate(row)}
    pairs = confused(labels, cells)
    right = sum(matrix[i][i] for i in range(len(matrix)))
    assert sum(pair.count for pair in pairs) + right == sum(map(sum, matrix))
    assert all(pair.count <= pair.of == sum(matrix[int(pair.reference)]) for pair in pairs)
    assert [pair.count for pair in pairs] == sorted((p.count for p in pairs), reverse=True)


# ---------------------------------------------------------------- samples


def sample(**fields: Any) -> dict[str, Any]:
    known = {"prompt": "p", "reference": "cat", "base": None, "tuned": "cat"}
    return {**known, "tuned_more": {"confidence": 0.873}, **fields}


def test_right_and_wrong_are_words_with_a_sign() -> None:
    rows: list[dict[str, Any]] = [sample(), sample(tuned="dog", tuned_more={"confidence": 0.9991})]
    markup = samples_html(rows, waiting="later", task="classification")
    parsed = _Parser(markup)
    assert "right" in parsed.text
    assert "wrong" in parsed.text
    assert parsed.tags.count("svg") == 2
    assert "87 %" in parsed.text
    assert "99 %" in parsed.text, "no certainty by rounding"
    assert "Base model" not in parsed.text, "a new head has no answers"


def test_a_trained_head_has_a_base_column() -> None:
    markup = samples_html([sample(base="dog")], waiting="later", task="classification")
    assert "Base model" in _Parser(markup).text


def test_several_labels_have_a_confidence_each() -> None:
    more = {"probabilities": {"joy": 0.9, EVIL: 0.6}}
    rows = [sample(prompt=EVIL, reference=EVIL, tuned=f"joy, {EVIL}", tuned_more=more)]
    parsed = _Parser(samples_html(rows, waiting="later", task="classification"))
    assert "joy 90 %" in parsed.text
    assert "img" not in parsed.tags


def test_what_is_not_predicted_yet_says_when() -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "p", "reference": "PER: Jo", "base": None, "tuned": None},
        {"tuned": ""},
    ]
    parsed = _Parser(samples_html(rows, waiting="not yet", task="token_classification"))
    assert "n/a: not yet" in parsed.text
    assert "none" in parsed.text
    assert "Confidence" not in parsed.text


# ---------------------------------------------------------------- the whole


def shown(dashboard: Dashboard) -> list[str]:
    """The test hooks of what is not hidden, in their order."""
    found: list[str] = []

    def walk(box: Any) -> None:
        classes = box._dom_classes
        if "emnb-off" not in classes:
            found.extend(name for name in classes if name.startswith("emnb-t-"))
            for child in getattr(box, "children", ()):
                walk(child)

    walk(dashboard._charts)
    return [name.removeprefix("emnb-t-") for name in found]


def test_each_task_has_its_panels_in_their_order(tmp_path: Path) -> None:
    dashboard = Dashboard()
    first = classified(tmp_path, 0.8)
    view = first.finish()
    dashboard.show(first.run, view, [])
    assert shown(dashboard) == [
        "chart-task",
        "confusion",
        "per-class",
        "chart-speed",
        "chart-loss",
        "not-applicable",
    ]
    second = Recorder(tmp_path, "seq2seq").finish()
    dashboard.show(first.run, second, [view])
    assert shown(dashboard)[:2] == ["chart-perplexity", "chart-task"]
    third = Recorder(tmp_path, "generation").finish()
    dashboard.show(first.run, third, [view])
    assert shown(dashboard)[0] == "chart-perplexity"
    assert not {"chart-task", "confusion", "per-class"} & set(shown(dashboard))
    dashboard.show(first.run, view, [])
    assert shown(dashboard)[:3] == ["chart-task", "confusion", "per-class"]


def test_the_predictions_of_a_run_carry_their_confidence(tmp_path: Path) -> None:
    recorder = classified(tmp_path, 0.8)
    recorder.log.append("samples", step=10, epoch=1, rows=1)
    lines = (
        '{"index": 0, "epoch": 0, "step": 0, "prompt": "p", "reference": "cat", "text": null}\n'
        '{"index": 0, "epoch": 1, "step": 10, "prompt": "p", "reference": "cat", "text": "dog", '
        '"confidence": 0.62}\n'
    )
    (recorder.folder / "samples.jsonl").write_text(lines, encoding="utf-8")
    view = recorder.finish()
    dashboard = Dashboard()
    dashboard.show(recorder.run, view, [])
    text = _Parser(dashboard._samples.box.value).text
    assert "62 %" in text
    assert "wrong" in text
    assert list(recorder.run.samples().columns) == ["prompt", "reference", "base", "tuned"]


def test_metrics_have_the_columns_of_the_task(tmp_path: Path) -> None:
    recorder = classified(tmp_path, 0.8)
    table = recorder.run.metrics()
    wanted = {f"task.macro_f1{end}" for end in ("", ".low", ".high", ".n")}
    assert wanted <= set(table.columns)
    assert table["task.macro_f1"].tolist()[1] == 0.8
    assert math.isnan(table["task.macro_f1"].tolist()[0])
    assert not [name for name in table.columns if name.startswith("details")]
