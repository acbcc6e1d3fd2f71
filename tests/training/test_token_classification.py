"""Token classification from the file to the saved model, its numbers recomputed from outside."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import small
from tiny_models import FAMILIES, make
from transformers import AutoModelForTokenClassification, AutoTokenizer

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.workflow.document import Workflow

NAMES = {
    "person": [["Ada"], ["Alan"], ["Grace", "Hopper"], ["Radia", "Perlman"]],
    "city": [["Paris"], ["Bangkok"], ["New", "York"]],
}
FILL = ["the", "train", "to", "and", "met", "in", "yesterday", "with", "left", "for"]
LEARN = {"learning_rate": 1e-2, "epochs": 5, "subset_size": 120, "eval_size": 60, "max_length": 48}
SHORT = {"epochs": 1, "subset_size": 60}
Row = tuple[list[str], list[str]]


def sentences(count: int, seed: int, length: int = 6) -> list[Row]:
    """Sentences with people and cities, in IOB2."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        words, tags = [], []
        for _ in range(length):
            kind = draw.choice([None, *NAMES])
            name = [draw.choice(FILL)] if kind is None else draw.choice(NAMES[kind])
            words += name
            tags += ["O"] if kind is None else [f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1)]
        found.append((words, tags))
    return found


TRAIN, EVAL = sentences(120, 1), sentences(40, 2)


def write(folder: Path, train_rows: list[Row], eval_rows: list[Row]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train_rows), ("validation", eval_rows)):
        lines = [json.dumps({"tokens": words, "ner_tags": tags}) for words, tags in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    for family in FAMILIES:
        make(family, root / family, [" ".join(words) for words, _ in TRAIN])
    write(root / "data", TRAIN, EVAL)
    return root


def workflow(
    folder: Path, data: Path | None = None, family: str = "bert", **finetune: Any
) -> Workflow:
    settings = LEARN | {"task": "token_classification"} | finetune
    return small(str(data or folder / "data"), model=str(folder / family), **settings)


def trained(document: Workflow, home: Path) -> Run:
    (run,) = train(document, home=home)
    assert run.status == "finished", run.view.detail
    return run


def choice(run: Run, field: str) -> Any:
    assert run.plan is not None
    return next(c["value"] for c in run.plan["choices"] if c["field"] == field)


def warnings(run: Run) -> dict[str, Problem]:
    return {problem.code: problem for problem in run.view.warnings}


@pytest.fixture(scope="module", params=FAMILIES)
def learned(request: Any, folder: Path, tmp_path_factory: Any, one_thread: None) -> Run:  # noqa: ARG001
    home = tmp_path_factory.mktemp(request.param)
    return trained(workflow(folder, family=request.param), home)


def spans(tags: list[str]) -> set[tuple[str, int, int]]:
    """Well-formed IOB2 entities, written down once more."""
    found, place = set(), 0
    while place < len(tags):
        if not tags[place].startswith("B-"):
            place += 1
            continue
        end, kind = place + 1, tags[place][2:]
        while end < len(tags) and tags[end] == f"I-{kind}":
            end += 1
        found.add((kind, place, end))
        place = end
    return found


def predicted(path: Path, rows: list[Row]) -> list[list[str]]:
    """The tag at the first sub-word of each word, by transformers alone, one text at a time."""
    model = AutoModelForTokenClassification.from_pretrained(path).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    found = []
    for words, _ in rows:
        batch = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**batch).logits[0].argmax(-1).tolist()
        first: dict[int, int] = {}
        for place, word in enumerate(batch.word_ids()):
            if word is not None:
                first.setdefault(word, place)
        found.append([model.config.id2label[best[first[i]]] for i in range(len(words))])
    return found


def scores(rows: list[Row], tags: list[list[str]]) -> dict[str, float]:
    pairs = [(spans(gold), spans(mine)) for (_, gold), mine in zip(rows, tags, strict=True)]
    right = sum(len(gold & mine) for gold, mine in pairs)
    true, guessed = sum(len(g) for g, _ in pairs), sum(len(m) for _, m in pairs)
    return {
        "precision": right / guessed if guessed else 0.0,
        "recall": right / true,
        "f1": 2 * right / (true + guessed),
    }


def test_it_learns_and_the_logged_scores_are_those_of_the_saved_model(learned: Run):
    last = learned.view.points[-1].analytics
    assert last.task["f1"].value is not None
    assert last.task["f1"].value > 0.6
    assert learned.model_path is not None
    mine = predicted(learned.model_path, EVAL)
    for name, value in scores(EVAL, mine).items():
        assert last.task[name].value == pytest.approx(value), name
        assert last.task[name].n == len(EVAL)
    flat = [
        a == b
        for (_, gold), guess in zip(EVAL, mine, strict=True)
        for a, b in zip(gold, guess, strict=True)
    ]
    assert last.task["accuracy"].value == pytest.approx(sum(flat) / len(flat))
    table = (last.model_extra or {})["details"]["per_type"]
    assert [row["label"] for row in table] == ["city", "person"]
    assert sum(row["support"] for row in table) == sum(len(spans(gold)) for _, gold in EVAL)


def test_before_training_nothing_but_the_commonest_tag_is_known(learned: Run):
    first = learned.view.points[0].analytics
    for name in ("loss", "accuracy", "precision", "recall", "f1"):
        assert first.task[name].reason == "the head is new"
    commonest, _ = Counter(tag for _, gold in TRAIN for tag in gold).most_common(1)[0]
    tags = [tag for _, gold in EVAL for tag in gold]
    share = tags.count(commonest) / len(tags)
    assert first.task["majority_accuracy"].value == pytest.approx(share)
    why = first.perplexity["validation"].reason
    assert why is not None
    assert "not defined for token classification" in why


def test_tags_scheme_and_samples(learned: Run):
    assert choice(learned, "scheme") == "IOB2"
    assert choice(learned, "tags") == ["O", "B-city", "I-city", "B-person", "I-person"]
    known = {" ".join(words): (words, gold) for words, gold in EVAL}
    rows = learned.sample_rows()
    assert len(rows) == 16
    for row in rows:
        words, gold = known[row["prompt"]]
        for kind, start, end in spans(gold):
            assert f"{kind}: {' '.join(words[start:end])}" in row["reference"]
        assert row["base"] is None
        assert row["tuned"]


# ------------------------------------------------------------ schemes and broken tags


def restyled(rows: list[Row], letters: str) -> list[Row]:
    """The same entities in BIOES, BILOU or IOB1."""
    found = []
    for words, gold in rows:
        tags = ["O"] * len(gold)
        touched = -1, ""
        for kind, start, end in sorted(spans(gold), key=lambda span: span[1]):
            if letters == "IOB1":
                marks = ["B" if touched == (start, kind) else "I", *"I" * (end - start - 1)]
            else:
                begin, inside, last, single = letters
                middle = [begin, *inside * (end - start - 2), last]
                marks = [single] if end - start == 1 else middle
            tags[start:end] = [f"{mark}-{kind}" for mark in marks]
            touched = end, kind
        found.append((words, tags))
    return found


@pytest.mark.parametrize(
    ("letters", "scheme"), [("BIES", "BIOES"), ("BILU", "BILOU"), ("IOB1", "IOB2")]
)
def test_other_schemes_give_the_same_entities(
    folder: Path, tmp_path: Path, letters: str, scheme: str
):
    data = write(tmp_path / "data", restyled(TRAIN, letters), restyled(EVAL, letters))
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert choice(run, "scheme") == scheme
    assert "tags.broken" not in warnings(run)
    plain = trained(workflow(folder, **SHORT), tmp_path)
    same = [row["reference"] for row in plain.sample_rows()]
    assert [row["reference"] for row in run.sample_rows()] == same
    assert choice(run, "entity_counts") == choice(plain, "entity_counts")


def test_broken_tags_are_counted_shown_and_mended(folder: Path, tmp_path: Path):
    rows = list(TRAIN)
    rows[0] = (["Ada", "met", "Alan"], ["I-person", "O", "B-person"])
    rows[1] = (["Ada", "met"], ["B-person", "O", "O"])
    run = trained(workflow(folder, write(tmp_path / "d", rows, EVAL), **LEARN), tmp_path)
    said = warnings(run)["tags.broken"].message
    assert said.startswith("1 tag in 1 train text breaks the IOB2 scheme")
    assert "'I-person O', which was read as 'B-person O'" in said
    assert run.plan is not None
    assert run.plan["dataset"]["dropped_rows"] == 1
    assert "differ in length" in warnings(run)["rows.dropped"].message


def test_plain_tags_are_scored_by_words(folder: Path, tmp_path: Path):
    def plain(rows: list[Row]) -> list[Row]:
        return [(words, ["NAME" if t != "O" else "WORD" for t in tags]) for words, tags in rows]

    data = write(tmp_path / "data", plain(TRAIN), plain(EVAL))
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert choice(run, "scheme") == "plain"
    last = run.view.points[-1].analytics
    assert last.task["f1"].value is None
    assert last.task["f1"].reason == "The tags mark no entities: words are scored."
    mine = predicted(Path(str(run.model_path)), plain(EVAL))
    pairs = [
        pair for (_, g), m in zip(plain(EVAL), mine, strict=True) for pair in zip(g, m, strict=True)
    ]
    assert last.task["accuracy"].value == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    f1 = []
    for kind in {tag for pair in pairs for tag in pair}:
        right = sum(a == b == kind for a, b in pairs)
        f1.append(2 * right / sum((a == kind) + (b == kind) for a, b in pairs))
    assert last.task["macro_f1"].value == pytest.approx(sum(f1) / len(f1))
    assert "/NAME" in run.sample_rows()[0]["reference"]


def test_numbers_without_names_are_plain_tags(folder: Path, tmp_path: Path):
    order = ["O", "B-person", "I-person", "B-city", "I-city"]

    def numbered(rows: list[Row]) -> Any:
        return [(words, [order.index(tag) for tag in tags]) for words, tags in rows]

    data = write(tmp_path / "data", numbered(TRAIN), numbered(EVAL))
    run = trained(workflow(folder, data, **SHORT), tmp_path)
    assert choice(run, "tags") == ["0", "1", "2", "3", "4"]
    assert choice(run, "scheme") == "plain"
    model, _ = run.load()
    assert model.config.label2id == {str(place): place for place in range(5)}


# ------------------------------------------------------------ long texts, odd words


def test_a_document_without_sentences_is_windowed_and_nothing_is_lost(folder: Path, tmp_path: Path):
    """Each word is learned once, scored once, and cut nowhere."""
    rows = [
        ([w for words, _ in part for w in words], [t for _, tags in part for t in tags])
        for part in (TRAIN[:60], TRAIN[60:])
    ]
    held = ([w for words, _ in EVAL for w in words], [t for _, tags in EVAL for t in tags])
    data = write(tmp_path / "data", rows, [held])
    run = trained(workflow(folder, data, **LEARN | {"max_length": 32}), tmp_path)
    assert choice(run, "windowed_texts") == 2
    last = run.view.points[-1].analytics
    table = (last.model_extra or {})["details"]["per_type"]
    assert sum(row["support"] for row in table) == len(spans(held[1]))
    assert last.task["f1"].value is not None
    assert last.task["f1"].value > 0.4
    assert run.plan is not None
    assert run.plan["train_examples"] > 20
    assert "rows.cut" not in warnings(run)


def test_odd_words_keep_their_tags(folder: Path, tmp_path: Path):
    rows = list(TRAIN)
    rows[0] = (["Ada", "\u200b", "", "\U0001f600", "x" * 3000, "กรุงเทพ", "مدينة", "\x00"], ["B-person", "O", "O", "O", "O", "B-city", "B-city", "O"])  # fmt: skip  # noqa: E501
    held = [*EVAL, rows[0]]
    run = trained(workflow(folder, write(tmp_path / "d", rows, held), **SHORT), tmp_path)
    table = (run.view.points[-1].analytics.model_extra or {})["details"]["per_type"]
    assert sum(row["support"] for row in table) == sum(len(spans(gold)) for _, gold in held)


# ------------------------------------------------------------ what is refused


def test_one_tag_for_everything_is_refused(folder: Path, tmp_path: Path):
    rows = [(words, ["O"] * len(words)) for words, _ in TRAIN]
    data = write(tmp_path / "data", rows, rows[:9])
    document = workflow(folder, data, text_field="tokens", label_field="ner_tags")
    with pytest.raises(StudioError) as caught:
        train(document, home=tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.field, problem.node) == ("tags.one", "label_field", "f1")
    assert "'O'" in problem.message
