"""The model and the data that come with the package."""

import csv
import functools
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from easymodel_nb import builtin

HELD_OUT = Path(__file__).parents[1] / "data" / "heldout.txt"
MODEL = builtin.path("tiny-gpt2")


@functools.cache
def tokenizer() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


@functools.cache
def model() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL, local_files_only=True).eval()


def read_rows(split: str) -> list[dict[str, str]]:
    text = (builtin.path("requests") / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def read_intents(split: str) -> list[dict[str, str]]:
    with (builtin.path("intents") / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_slots(split: str) -> list[dict[str, list[str]]]:
    text = (builtin.path("slots") / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# The module


TASKS = {"generation", "classification", "seq2seq", "token_classification"}


def test_what_is_built_in() -> None:
    assert {m.name for m in builtin.models()} - {"minilm"} == {"tiny-gpt2", "tiny-t5"}
    assert [d.name for d in builtin.datasets()] == ["intents", "requests", "shakespeare", "slots"]
    for item in (*builtin.models(), *builtin.datasets()):
        assert builtin.path(item.name).is_dir()
        assert (builtin.path(item.name) / "README.md").is_file()
        assert item.title
        assert item.licence
        assert item.summary
        assert item.tasks
        assert set(item.tasks) <= TASKS


def test_each_task_has_a_model_and_data() -> None:
    assert {task for item in builtin.datasets() for task in item.tasks} == TASKS
    assert {task for item in builtin.models() for task in item.tasks} == TASKS


@pytest.mark.parametrize("name", ["gpt2", "", "..", "requests/..", "__pycache__"])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(LookupError) as caught:
        builtin.path(name)
    assert not isinstance(caught.value, KeyError)  # whose text would be quoted
    for known in ("tiny-gpt2", "requests", "shakespeare"):
        assert known in str(caught.value)


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from easymodel_nb import builtin; builtin.models(), builtin.datasets();"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'numpy'};"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    # the child finds the package where this process found it
    places = os.pathsep.join([str(Path(builtin.__file__).parents[2]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": places},
    )
    assert done.stdout.strip() == ""


# The model


def test_the_weights_are_float32_once_loaded() -> None:
    torch = pytest.importorskip("torch")
    assert {p.dtype for p in model().parameters()} == {torch.float32}
    assert all(bool(torch.isfinite(p).all()) for p in model().parameters())


def test_size() -> None:
    told = next(m for m in builtin.models() if m.name == "tiny-gpt2")
    files = [f for f in MODEL.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 8_000_000
    assert told.bytes == sum(f.stat().st_size for f in files if f.name != "facts.json")
    assert told.parameters == model().num_parameters()
    assert 2_500_000 <= told.parameters <= 3_900_000
    assert f"{told.parameters / 1e6:.1f}" in told.title
    assert model().config.n_positions >= 512
    assert len(tokenizer()) == model().config.vocab_size
    assert tokenizer().model_max_length <= model().config.n_positions


def test_the_card_tells_what_was_measured() -> None:
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    told = json.loads((MODEL / "pretraining.json").read_text(encoding="utf-8"))
    assert told["parameters"] == model().num_parameters()
    for part in ("novels", "speeches", "textbook", "stories", "all"):
        assert f"{told['held_out'][part]['bits_per_byte']:.3f}" in card
    assert f"{told['tokens_seen']:,}" in card
    assert "OpenStax" in card
    assert "African Storybook" in card
    credited = (MODEL / "ATTRIBUTION.tsv").read_text(encoding="utf-8").splitlines()
    assert credited[0] == "file\ttitle\tauthor"
    assert len(credited) == 317


def test_special_tokens() -> None:
    t = tokenizer()
    assert t.pad_token_id != t.eos_token_id
    assert None not in (t.pad_token_id, t.eos_token_id)
    for settings_ in (model().config, model().generation_config):
        assert settings_.pad_token_id == t.pad_token_id
        assert settings_.eos_token_id == t.eos_token_id
    assert t.unk_token is None
    assert (
        t("A plain text.")["input_ids"] == t("A plain text.", add_special_tokens=False)["input_ids"]
    )
    assert not set(t("A plain text.")["input_ids"]) & set(t.all_special_ids)
    assert t("")["input_ids"] == []
    assert t.padding_side == "right"


@given(st.text())
@example("ŋ 😀 — “quotes”\t\r\n\n  two  spaces , and 1234 don't\x00 ")
@example("ไทย 日本語 العربية e\u0301")
@settings(deadline=None)
def test_any_text_survives_the_tokenizer(text: str) -> None:
    ids = tokenizer()(text, verbose=False)["input_ids"]
    assert tokenizer().decode(ids, clean_up_tokenization_spaces=False) == text


def test_chat_template() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Good day, 42!"},
        {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "Bye"},
    ]
    t = tokenizer()
    text = (
        "System: Be brief.\nUser: Hello\nAssistant: Good day, 42!<|endoftext|>"
        "User: Bye\nAssistant: Bye<|endoftext|>"
    )
    assert t.apply_chat_template(messages, tokenize=False) == text
    question = t.apply_chat_template(messages[:4], tokenize=False, add_generation_prompt=True)
    assert question.endswith("User: Bye\nAssistant:")
    assert text.startswith(question)
    out = t.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    kept = [i for i, m in zip(out["input_ids"], out["assistant_masks"], strict=True) if m]
    assert t.decode(kept) == " Good day, 42!<|endoftext|> Bye<|endoftext|>"
    asked = t(question)["input_ids"]
    assert out["input_ids"][: len(asked)] == asked


def test_bits_per_byte_on_text_it_never_saw() -> None:
    torch = pytest.importorskip("torch")
    t = tokenizer()
    nats, size = 0.0, 0
    for text in HELD_OUT.read_text(encoding="utf-8").split("\n\f\n"):
        ids = [t.eos_token_id, *t(text, verbose=False)["input_ids"]]
        size += len(text.encode())
        for start in range(0, len(ids) - 1, 511):
            window = torch.tensor([ids[start : start + 512]])
            with torch.no_grad():
                logits = model()(window).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum")
            nats += float(loss)
    assert size > 15_000
    assert 0.5 < nats / math.log(2) / size < 1.9


def test_it_can_go_on_from_a_prompt() -> None:
    ids = tokenizer()("It was a dark night, and", return_tensors="pt")
    out = model().generate(**ids, max_new_tokens=8)
    assert out.shape[1] > ids["input_ids"].shape[1]


# The data


def test_requests_have_the_columns_and_counts_they_tell() -> None:
    told = next(d for d in builtin.datasets() if d.name == "requests")
    train, validation = read_rows("train"), read_rows("validation")
    assert (told.rows, told.held_out) == (len(train), len(validation))
    for row in train + validation:
        assert tuple(row) == told.columns
        assert all(isinstance(value, str) and value for value in row.values())
        assert row["prompt"].startswith("Intent: ")
        assert row["prompt"].endswith("\nRequest:")
        assert row["target"] == " " + row["target"].strip()
    assert len({row["intent"] for row in train}) == 7
    assert {row["intent"] for row in validation} == {row["intent"] for row in train}


def read_texts(name: str, split: str) -> list[str]:
    """What a person said, of each row of a data set."""
    if name == "requests":
        return [row["target"] for row in read_rows(split)]
    if name == "slots":
        return ["".join(row["tokens"]) for row in read_slots(split)]
    return [row["text"] for row in read_intents(split)]


@pytest.mark.parametrize("name", ["intents", "requests", "slots"])
def test_no_validation_row_is_in_train(name: str) -> None:
    def plain(text: str) -> str:
        return "".join(c for c in text.lower() if c.isalnum())

    train = {plain(text) for text in read_texts(name, "train")}
    validation = {plain(text) for text in read_texts(name, "validation")}
    assert len(train) > 1000
    assert len(validation) > 200
    assert not train & validation


def test_prompt_and_target_may_be_tokenised_apart() -> None:
    rows = read_rows("train") + read_rows("validation")
    apart = [tokenizer()([row[c] for row in rows])["input_ids"] for c in ("prompt", "target")]
    joined = tokenizer()([row["prompt"] + row["target"] for row in rows])["input_ids"]
    assert [p + t for p, t in zip(*apart, strict=True)] == joined
    assert max(map(len, joined)) < 512


def test_intents() -> None:
    told = next(d for d in builtin.datasets() if d.name == "intents")
    train, validation = read_intents("train"), read_intents("validation")
    assert (told.rows, told.held_out) == (len(train), len(validation))
    for row in train + validation:
        assert tuple(row) == told.columns
        assert row["text"] == row["text"].strip() != ""
    assert len({row["intent"] for row in train}) == 7
    assert {row["intent"] for row in validation} == {row["intent"] for row in train}


def test_slots() -> None:
    told = next(d for d in builtin.datasets() if d.name == "slots")
    train, validation = read_slots("train"), read_slots("validation")
    assert (told.rows, told.held_out) == (len(train), len(validation))
    for row in train + validation:
        assert tuple(row) == told.columns
        assert len(row["tokens"]) == len(row["tags"]) > 0
        assert all(token and not token.isspace() for token in row["tokens"])
        for before, tag in zip(["O", *row["tags"]], row["tags"], strict=False):
            assert tag == "O" or tag[:2] in {"B-", "I-"}
            assert not tag.startswith("I-") or before[2:] == tag[2:]  # an entity begins with B-
    assert len({tag[2:] for row in train for tag in row["tags"]} - {""}) == 39


def test_the_data_stays_small() -> None:
    for name in ("intents", "slots"):
        assert sum(f.stat().st_size for f in builtin.path(name).iterdir()) < 400_000


def test_shakespeare() -> None:
    told = next(d for d in builtin.datasets() if d.name == "shakespeare")
    folder = builtin.path("shakespeare")
    train = (folder / "train.txt").read_text(encoding="utf-8")
    validation = (folder / "validation.txt").read_text(encoding="utf-8")
    assert train.startswith("First Citizen:\n")
    assert train.endswith("\n\n")
    assert not validation.startswith("\n")
    counts = tuple(len([s for s in t.split("\n\n") if s.strip()]) for t in (train, validation))
    assert (told.rows, told.held_out) == counts
    assert 0.08 < len(validation) / len(train + validation) < 0.12
