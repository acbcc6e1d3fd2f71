"""Classification from the file to the saved model: what is learned, measured, said and refused."""

import itertools
import json
import math
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from small_runs import chained, small
from tiny_models import FAMILIES, make
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPT2LMHeadModel

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.workflow.document import Workflow

WORDS = {
    "food": ["soup", "bread", "cheese", "apple", "rice"],
    "weather": ["rain", "snow", "wind", "sunny", "cloud"],
    "travel": ["train", "ticket", "airport", "hotel", "bus"],
}
FILL = ["the", "a", "please", "today", "with", "some", "about", "tell", "me"]
LEARN = {"learning_rate": 1e-2, "epochs": 5, "subset_size": 120, "eval_size": 60, "max_length": 32}
ROWS, HELD = 120, 45


def sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """Texts that a word gives away, each class in turn."""
    draw = random.Random(seed)
    found = []
    for index in range(count):
        kind = list(WORDS)[index % len(WORDS)]
        words = [*draw.sample(FILL, 4), draw.choice(WORDS[kind]), draw.choice(WORDS[kind])]
        draw.shuffle(words)
        found.append((" ".join(words), kind))
    return found


TRAIN, EVAL = sentences(ROWS, 1), sentences(HELD, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folders by family, and a data folder."""
    root = tmp_path_factory.mktemp("tiny")
    for family in FAMILIES:
        make(family, root / family, [text for text, _ in TRAIN])
    write(root / "data", TRAIN, EVAL)
    return root


def write(
    folder: Path, train_rows: list[Any], eval_rows: list[Any], names: tuple[str, ...] = ()
) -> Path:
    """Two .jsonl files of text and label (or of the names given)."""
    folder.mkdir(parents=True, exist_ok=True)
    names = names or ("text", "label")
    for name, rows in (("train", train_rows), ("validation", eval_rows)):
        lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def workflow(
    folder: Path, data: Path | None = None, family: str = "bert", **finetune: Any
) -> Workflow:
    settings = LEARN | {"task": "classification"} | finetune
    return small(str(data or folder / "data"), model=str(folder / family), **settings)


def trained(document: Workflow, home: Path) -> Run:
    run = train(document, home=home)[-1]
    assert run.status == "finished", run.view.detail
    return run


def failed(document: Workflow, home: Path) -> Problem:
    with pytest.raises(StudioError) as caught:
        train(document, home=home)
    return next(p for p in caught.value.problems if p.severity == "error")


def choice(run: Run, field: str) -> Any:
    assert run.plan is not None
    return next(c["value"] for c in run.plan["choices"] if c["field"] == field)


def warnings(run: Run) -> dict[str, Problem]:
    return {problem.code: problem for problem in run.view.warnings}


@pytest.fixture(scope="module", params=FAMILIES)
def learned(request: Any, folder: Path, tmp_path_factory: Any, one_thread: None) -> Run:  # noqa: ARG001
    home = tmp_path_factory.mktemp(request.param)
    return trained(workflow(folder, family=request.param), home)


def test_it_learns(learned: Run):
    rows = learned.metric_rows()
    assert [row["epoch"] for row in rows] == list(range(6))
    # Another CPU rounds otherwise, and a model this small may still confuse two of the classes.
    assert rows[-1]["task.accuracy.low"] > rows[-1]["task.majority_accuracy"]
    assert rows[-1]["task.accuracy.n"] == HELD
    assert rows[-1]["task.accuracy.low"] <= rows[-1]["task.accuracy"]
    assert rows[-1]["task.accuracy"] <= rows[-1]["task.accuracy.high"]
    losses = [point.loss for point in learned.view.curve]
    epoch = len(losses) // LEARN["epochs"]  # one batch may have what is hardest
    assert sum(losses[-epoch:]) < sum(losses[:epoch])


def test_before_training_a_new_head_has_no_number_and_the_majority_has(learned: Run):
    first, *later = learned.view.points
    for name in ("loss", "accuracy", "macro_f1", "mcc"):
        assert first.analytics.task[name].value is None
        assert first.analytics.task[name].reason == "the head is new"
        assert all(point.analytics.task[name].value is not None for point in later)
    for point in learned.view.points:
        assert point.analytics.task["majority_accuracy"].value == pytest.approx(1 / 3)
        assert point.analytics.task["majority_macro_f1"].value == pytest.approx(1 / 6)
        why = point.analytics.perplexity["validation"].reason
        assert why is not None
        assert "not defined for classification" in why


def test_the_saved_model_names_its_classes_and_scores_what_was_logged(learned: Run):
    """Independent of the trainer: transformers alone, one text at a time, sums by hand."""
    path = learned.model_path
    model = AutoModelForSequenceClassification.from_pretrained(path).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    assert model.config.label2id == {"food": 0, "travel": 1, "weather": 2}
    assert model.config.problem_type == "single_label_classification"
    nll, pairs = 0.0, []
    for text, kind in EVAL:
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        truth = model.config.label2id[kind]
        nll -= float(logits.log_softmax(0)[truth])
        pairs.append((truth, int(logits.argmax())))
    last = learned.view.points[-1].analytics
    assert last.task["loss"].value == pytest.approx(nll / HELD, rel=1e-4)
    assert last.task["accuracy"].value == pytest.approx(np.mean([t == p for t, p in pairs]))
    matrix = np.zeros((3, 3), dtype=int)
    for pair in pairs:
        matrix[pair] += 1
    details = last.model_extra["details"]
    assert details["labels"] == ["food", "travel", "weather"]
    assert details["confusion"] == matrix.tolist()
    f1 = [2 * matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum()) for k in range(3)]
    assert last.task["macro_f1"].value == pytest.approx(np.mean(f1))
    assert [row["f1"] for row in details["per_class"]] == pytest.approx(f1, abs=1e-4)


def test_tables_are_in_the_log_at_whole_epochs_alone(learned: Run):
    for point in learned.view.points:
        whole = float(point.epoch).is_integer() and point.epoch > 0
        assert ("details" in (point.analytics.model_extra or {})) == whole


def test_samples_tell_the_class_and_no_answer_is_invented_before(learned: Run):
    rows = learned.sample_rows()
    assert len(rows) == 16
    known = dict(EVAL)
    for row in rows:
        assert known[row["prompt"]] == row["reference"]
        assert row["base"] is None
        assert row["tuned"] in WORDS
    lines = (learned.folder / "samples.jsonl").read_text("utf-8").split("\n")[:-1]
    after = [json.loads(line) for line in lines][-1]
    assert 1 / 3 <= after["confidence"] <= 1


def test_run_load_gives_the_classifier(learned: Run):
    model, tokenizer = learned.load()
    assert type(model).__name__.endswith("ForSequenceClassification")
    assert model(**tokenizer("some soup", return_tensors="pt")).logits.shape == (1, 3)


def test_the_plan_lists_classes_and_counts(learned: Run):
    assert choice(learned, "classes") == ["food", "travel", "weather"]
    assert choice(learned, "class_counts") == {"food": 40, "travel": 40, "weather": 40}


def test_the_same_seed_gives_the_same_numbers(folder: Path, tmp_path: Path):
    short = {"epochs": 1, "subset_size": 24}
    first, again = (trained(workflow(folder, **short), tmp_path) for _ in range(2))
    assert first.metric_rows() == again.metric_rows()
    other = trained(workflow(folder, **short, seed=7), tmp_path)
    assert other.metric_rows() != first.metric_rows()


def test_a_decoder_without_a_padding_token_gets_one(folder: Path, tmp_path: Path):
    run = trained(workflow(folder, family="gpt2", epochs=1, subset_size=24), tmp_path)
    assert choice(run, "pad_token") == "</s>"
    assert run.model_path is not None
    saved = json.loads((run.model_path / "config.json").read_text())
    assert saved["pad_token_id"] == 2
    tokenizer = AutoTokenizer.from_pretrained(run.model_path)
    assert tokenizer.pad_token == "</s>"
    # GPT-2 would look segments up among its words.
    assert set(tokenizer("some soup")) == {"input_ids", "attention_mask"}


def test_a_tokenizer_without_any_mark_and_with_more_tokens_than_its_model(
    folder: Path, tmp_path: Path
):
    source = tmp_path / "bare"
    shutil.copytree(folder / "gpt2", source)
    about = json.loads((source / "tokenizer_config.json").read_text())
    del about["eos_token"]
    (source / "tokenizer_config.json").write_text(json.dumps(about))
    model = GPT2LMHeadModel.from_pretrained(source)
    known = model.config.vocab_size
    model.resize_token_embeddings(known - 9)
    model.save_pretrained(source)
    settings = LEARN | {"task": "classification"} | SHORT
    document = small(str(folder / "data"), model=str(source), **settings)
    run = trained(document, tmp_path)
    assert choice(run, "pad_token") == "<pad>"
    assert choice(run, "vocabulary") == known
    assert run.load()[0].config.vocab_size == known


# ------------------------------------------------------------ labels as people write them

SHORT = {"epochs": 1, "subset_size": 60}


def test_declared_names_also_of_a_class_without_rows(folder: Path, tmp_path: Path):
    names = ["food", "nothing", "weather", "travel"]
    kind = {"names": names, "_type": "ClassLabel"}
    feature = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": kind}}}
    for name, rows in (("train", TRAIN), ("validation", EVAL)):
        table = pa.table(
            {"text": [t for t, _ in rows], "label": [names.index(kind) for _, kind in rows]}
        )
        meta = {b"huggingface": json.dumps(feature).encode()}
        pq.write_table(table.replace_schema_metadata(meta), tmp_path / f"{name}.parquet")
    run = trained(workflow(folder, tmp_path, **SHORT), tmp_path / "home")
    model, _ = run.load()
    assert [model.config.id2label[place] for place in range(4)] == names
    assert run.view.points[-1].analytics.task["macro_f1"].value is not None


@pytest.mark.parametrize(
    ("spell", "names"),
    [
        (lambda kind: kind == "food", ["false", "true"]),
        (lambda kind: list(WORDS).index(kind) + 1, ["1", "2", "3"]),
        (lambda kind: float(list(WORDS).index(kind)), ["0", "1", "2"]),
    ],
    ids=["booleans", "numbers", "whole floats"],
)
def test_labels_that_are_no_names(folder: Path, tmp_path: Path, spell: Any, names: list[str]):
    data = write(
        tmp_path / "data", [(t, spell(k)) for t, k in TRAIN], [(t, spell(k)) for t, k in EVAL]
    )
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert choice(run, "classes") == names


def test_spaces_case_blanks_and_lost_classes(folder: Path, tmp_path: Path):
    rows: list[Any] = [
        (t, f" {k.upper()} " if place % 7 == 0 else k) for place, (t, k) in enumerate(TRAIN)
    ]
    rows[1], rows[2] = (rows[1][0], None), (" ", rows[2][1])
    held = [*[(t, k) for t, k in EVAL if k != "food"], ("some fog", "mist")]
    run = trained(workflow(folder, write(tmp_path / "data", rows, held), **SHORT), tmp_path)
    assert choice(run, "classes") == ["food", "mist", "travel", "weather"]
    said = warnings(run)
    assert "'food' and 'FOOD' were read as one class." in {p.message for p in run.view.warnings}
    assert said["label.unseen"].message.startswith("'mist' is in the validation rows alone")
    assert said["label.unmeasured"].message.startswith("'food' is in no validation row")
    assert run.plan is not None
    assert run.plan["dataset"]["dropped_rows"] == 2


def test_several_labels_a_text(folder: Path, tmp_path: Path):
    def rows(source: list[tuple[str, str]]) -> list[Any]:
        kinds = [
            [k for k, words in WORDS.items() if set(words) & set(t.split())] for t, _ in source
        ]
        mixed = [(f"{a[0]} {b[0]}", sorted({a[1], b[1]})) for a, b in itertools.pairwise(source)]
        plain = [(t, k) for (t, _), k in zip(source, kinds, strict=True)]
        return [*plain[::2], *mixed[::2], (" ".join(FILL), []), (" ".join(FILL[:4]), [])]

    data = write(tmp_path / "data", rows(TRAIN), rows(EVAL))
    run = trained(workflow(folder, data, family="gpt2", epochs=4), tmp_path)
    model, tokenizer = run.load()
    assert model.config.problem_type == "multi_label_classification"
    last = run.view.points[-1].analytics
    # Nats a label: what a coin tossed for each costs. How far below it a model comes in these few
    # steps differs with the rounding of the CPU.
    assert last.task["loss"].value < math.log(2)
    assert last.task["micro_f1"].low > 0
    assert last.task["mcc"].value is None
    first = run.view.points[0].analytics.task
    assert first["micro_f1"].reason == "the head is new"
    assert first["majority_accuracy"].value is not None
    right = 0
    held = rows(EVAL)
    for text, kinds in held:
        with torch.no_grad():
            logits = model.eval()(**tokenizer(text, return_tensors="pt")).logits[0]
        right += sorted(model.config.id2label[i] for i in range(3) if logits[i] > 0) == kinds
    assert last.task["accuracy"].value == pytest.approx(right / len(held))
    assert {row["reference"] for row in run.sample_rows()} <= {
        *WORDS, "food, weather", "travel, weather", "food, travel", "no label"
    }  # fmt: skip


def test_pairs_carry_segments_and_are_cut_at_the_longer_one(folder: Path, tmp_path: Path):
    """Whether both texts are of one kind, which neither tells alone."""
    draw = random.Random(3)

    def rows(count: int) -> list[Any]:
        found = []
        for index in range(count):
            (a, k), (b, n) = draw.choice(TRAIN), draw.choice(TRAIN)
            found.append((a, b * 9 if index == 0 else b, "same" if k == n else "other"))
        return found

    names = ("sentence1", "sentence2", "label")
    data = write(tmp_path / "data", rows(80), rows(20), names)
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert choice(run, "text_pair_field") == "sentence2"
    said = warnings(run)["rows.cut"].message
    assert said.startswith("1 of ")
    prompts = [row["prompt"] for row in run.sample_rows()]
    assert all("\n\n" in prompt for prompt in prompts)


def test_a_script_that_the_tokenizer_does_not_know_is_named(folder: Path, tmp_path: Path):
    thai = {"food": "ขอแกงเขียวหวาน", "weather": "ฝนตกหนักมาก", "travel": "รถไฟไปเชียงใหม่"}
    rows = [(thai[kind], kind) for _, kind in TRAIN]
    data = write(tmp_path / "data", rows, rows[:15])
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    problem = warnings(run)["tokens.unknown"]
    assert problem.message.startswith("100% of the tokens are unknown")
    assert problem.field == "model"
    bytewise = trained(workflow(folder, data, family="gpt2", **SHORT), tmp_path)
    assert "tokens.unknown" not in warnings(bytewise)


def test_class_weights_and_the_word_about_uneven_classes(folder: Path, tmp_path: Path):
    few = [row for row in TRAIN if row[1] == "food"][:2]
    rows = [*[row for row in TRAIN if row[1] == "weather"], *few]
    held = [row for row in EVAL if row[1] != "travel"]
    data = write(tmp_path / "data", rows, held)
    plain = trained(workflow(folder, data, **SHORT), tmp_path)
    problem = warnings(plain)["label.uneven"]
    assert "'weather' has 40 train rows, 'food' 2" in problem.message
    assert problem.fix is not None
    assert problem.fix.set is not None
    change = problem.fix.set[0]
    assert (change.node, change.field, change.value) == ("f1", "class_weights", True)
    weighted = trained(workflow(folder, data, **SHORT, class_weights=True), tmp_path)
    assert choice(weighted, "class_weights") == {"food": 10.5, "weather": 0.525}
    assert "label.uneven" not in warnings(weighted)
    assert weighted.metric_rows()[-1] != plain.metric_rows()[-1]


def test_a_second_stage_keeps_the_head_and_its_numbers(folder: Path, tmp_path: Path):
    settings = LEARN | {"task": "classification"}
    document = chained(
        {"source": str(folder / "data"), "model": str(folder / "bert"), **settings},
        {"epochs": 1, "learning_rate": 1e-5},
    )
    first, second = train(document, home=tmp_path)
    assert (first.status, second.status) == ("finished", "finished"), second.view.detail
    ended, begun = first.view.points[-1].analytics, second.view.points[0].analytics
    assert begun.task["accuracy"].value == ended.task["accuracy"].value
    assert begun.task["loss"].value == pytest.approx(ended.task["loss"].value)
    assert all(row["base"] in WORDS for row in second.sample_rows())


def test_another_head_of_as_many_classes_is_not_kept(folder: Path, tmp_path: Path):
    """Its outputs mean something else; and it starts as any new one does."""
    first = trained(workflow(folder), tmp_path)
    renamed = {"food": "kitchen", "weather": "sky", "travel": "way"}
    data = write(
        tmp_path / "data",
        [(t, renamed[k]) for t, k in TRAIN],
        [(t, renamed[k]) for t, k in EVAL],
    )
    settings = LEARN | {"task": "classification"} | SHORT
    second = trained(small(str(data), model=str(first.model_path), **settings), tmp_path)
    assert second.view.points[0].analytics.task["loss"].reason == "the head is new"
    model, _ = second.load()
    assert set(model.config.id2label.values()) == set(renamed.values())


# ------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (lambda _place, _kind: "spam", "label.one_class"),
        (lambda place, _kind: round(place * 1.37, 2), "label.quantity"),
        (lambda place, _kind: f"customer {place}", "label.too_many"),
    ],
)
def test_a_column_that_is_no_label(folder: Path, tmp_path: Path, label: Any, code: str):
    rows = [(t, label(place, k)) for place, (t, k) in enumerate(TRAIN)]
    data = write(tmp_path / "data", rows, rows[:20])
    problem = failed(workflow(folder, data, label_field="label"), tmp_path)
    assert (problem.code, problem.field, problem.node) == (code, "label_field", "f1")


def test_labels_hidden_in_validation(folder: Path, tmp_path: Path):
    names = list(WORDS)
    data = write(
        tmp_path / "data",
        [(t, names.index(k)) for t, k in TRAIN],
        [(t, -1) for t, _ in EVAL],
    )
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert run.plan is not None
    assert run.plan["dataset"]["eval_split"] is None  # rows of train are held out
    assert sum(Counter(choice(run, "class_counts")).values()) == 54


def test_a_run_that_diverges_says_so(folder: Path, tmp_path: Path):
    (run,) = train(workflow(folder, learning_rate=0.99, epochs=1, weight_decay=1), home=tmp_path)
    assert run.status == "finished", run.view.detail
    for point in run.view.points[1:]:
        loss = point.analytics.task["loss"]
        assert (loss.value is None) == (loss.reason is not None)
