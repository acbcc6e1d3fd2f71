"""The audit's figures agree with a count of our own, and its verdict with what stands in a row.

The shared sets are counted in test_audit_sets.py.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from easymodel_nb import builtin
from easymodel_nb.train.auditing import gate
from easymodel_nb.train.auditing.asking import audit_request
from easymodel_nb.train.auditing.audit import audit
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.auditing.verdict import judged
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.workflow.document import Edge, Node, Workflow

GPT2, T5 = "builtin:tiny-gpt2", "builtin:tiny-t5"


def tokenizer(source: str) -> Any:
    return AutoTokenizer.from_pretrained(builtin.path(source.removeprefix("builtin:")))


def workflow(source: Path | str, model: str = GPT2, **finetune: Any) -> Workflow:
    data = {"subset_size": None, "epochs": 2, "batch_size": 4, **finetune}
    return Workflow(
        nodes=[
            Node(id="m1", type="model", data={"source": model}),
            Node(id="d1", type="dataset", data={"source": str(source)}),
            Node(id="f1", type="finetune", data=data),
        ],
        edges=[
            Edge(id="a", source="m1", sourceHandle="model", target="f1", targetHandle="model"),
            Edge(id="b", source="d1", sourceHandle="dataset", target="f1", targetHandle="dataset"),
        ],
    )


def audited(home: Path, source: Path | str, model: str = GPT2, **finetune: Any) -> Audit:
    request = audit_request(workflow(source, model, **finetune), "f1")
    return audit(request, home, lambda: None, Control(home))


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """All rows to train on, and two of their own kind to measure."""
    folder.mkdir()
    for split, part in (("train", rows[:-2]), ("validation", rows[-2:])):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in part]
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def pairs(count: int = 42) -> list[dict[str, str]]:
    return [
        {"prompt": "Tell me of the sea. " * (n % 7 + 1), "target": f"Wave {n} \N{WATER WAVE} " * n}
        for n in range(1, count + 1)
    ]


def within(found: Audit, lengths: list[int]) -> None:
    """The histogram counts each length once, in its bar."""
    assert sum(bar.count for bar in found.lengths) == len(lengths)
    for bar in found.lengths:
        assert bar.count == sum(bar.low <= length <= bar.high for length in lengths)
    assert found.median_length == np.median(lengths)
    assert found.longest == max(lengths)


def check_prompts(found: Audit, rows: list[tuple[str, str]], limit: int) -> None:
    """Prompt cut from its start, target from its end only where it alone is too long."""
    read = tokenizer(GPT2)
    prompts = [len(read(a, add_special_tokens=False)["input_ids"]) for a, _ in rows]
    targets = [len(read(b, add_special_tokens=False)["input_ids"]) + 1 for _, b in rows]
    lengths = [a + b for a, b in zip(prompts, targets, strict=True)]
    # With no room for the prompt the first token has nothing to be predicted from.
    kept = [b if b < limit else limit - 1 for b in targets]
    assert found.rows == len(rows)
    assert found.cut_rows == sum(length > limit for length in lengths)
    assert found.cut_share == pytest.approx(found.cut_rows / len(rows))
    assert found.learned_tokens == sum(kept)
    assert found.cut_target_tokens == sum(targets) - sum(kept)
    assert found.tokens == sum(min(length, limit) for length in lengths)
    within(found, lengths)


def test_prompts_and_targets(tmp_path: Path, home: Path):
    data = pairs()
    found = audited(home, written(tmp_path / "d", data), max_length=48)
    check_prompts(found, [(r["prompt"], r["target"]) for r in data[:-2]], 48)
    assert (found.steps_per_epoch, found.steps) == (10, 20)
    assert found.verdict == "amber"
    (cut,) = [p for p in found.problems if p.code == "rows.cut"]
    assert cut.severity == "ask"
    assert cut.fix is not None
    assert cut.fix.set is not None
    assert cut.fix.set[0].value == found.suggested_length
    better = audited(home, tmp_path / "d", max_length=found.suggested_length)
    assert better.cut_share is not None
    assert better.cut_share <= 0.01
    accepted = judged(found, ["rows.cut"])
    assert (accepted.verdict, accepted.accepted) == ("green", ["rows.cut"])
    assert cut in accepted.problems


def test_examples_are_whole(tmp_path: Path, home: Path):
    data = pairs()
    found = audited(home, written(tmp_path / "d", data), max_length=48)
    kinds = {span.kind for example in found.examples for span in example.spans}
    assert kinds == {"read", "learned", "cut"}
    end = tokenizer(GPT2).eos_token
    targets = {row["prompt"] + row["target"] + end: row["target"] + end for row in data}
    for example in found.examples:
        text = "".join(span.text for span in example.spans)
        if any(span.omitted for span in example.spans):
            continue
        learned = "".join(span.text for span in example.spans if span.kind == "learned")
        # A target without room for its prompt has nothing to predict its first token from.
        assert learned
        assert learned in targets[text]


def test_plain_text_is_never_cut(tmp_path: Path, home: Path):
    texts = [f"Once upon a time {n}. " * n for n in range(1, 31)]
    folder = written(tmp_path / "d", [{"text": text} for text in texts])
    found = audited(home, folder, max_length=32)
    read = tokenizer(GPT2)
    lengths = [len(read(text)["input_ids"]) + 1 for text in texts[:-2]]
    assert (found.cut_rows, found.windowed, found.suggested_length) == (0, True, None)
    assert found.learned_tokens == sum(length - 1 for length in lengths)
    windows = [len(range(0, length - 1, 31)) for length in lengths]
    assert found.examples_per_epoch == sum(windows)
    assert found.tokens == sum(a + b - 1 for a, b in zip(lengths, windows, strict=True))
    within(found, lengths)


def test_sources_and_targets(tmp_path: Path, home: Path):
    data = pairs()
    found = audited(home, written(tmp_path / "d", data), T5, task="seq2seq", max_length=32)
    read, rows = tokenizer(T5), data[:-2]
    asked = [len(read(row["prompt"])["input_ids"]) for row in rows]
    answered = [len(read(text_target=row["target"])["input_ids"]) for row in rows]
    assert found.cut_rows == sum(max(p) > 32 for p in zip(asked, answered, strict=True))
    assert found.learned_tokens == sum(min(n, 32) for n in answered)
    assert found.cut_target_tokens == sum(max(0, n - 32) for n in answered)
    within(found, [max(p) for p in zip(asked, answered, strict=True)])


def test_classes(tmp_path: Path, home: Path):
    data = [{"text": f"word {n} " * (n % 9 + 1), "label": "ab"[n % 3 == 0]} for n in range(42)]
    found = audited(home, written(tmp_path / "d", data), task="classification", max_length=16)
    read, rows = tokenizer(GPT2), data[:-2]
    lengths = [len(read(row["text"])["input_ids"]) for row in rows]
    assert found.cut_rows == sum(length > 16 for length in lengths)
    assert found.classes == dict(Counter(row["label"] for row in rows).most_common())
    assert (found.learned_tokens, found.learned_unit) == (len(rows), "labels")
    assert found.cut_target_share is None
    assert found.examples[0].answer == rows[0]["label"] or found.examples[0].answer in "ab"
    within(found, lengths)


def test_words_with_tags(tmp_path: Path, home: Path):
    data = [
        {
            "tokens": ["Ann", "lives", "in", "Rome", "."] * (n % 5 + 1),
            "ner_tags": ["B-PER", "O", "O", "B-LOC", "O"] * (n % 5 + 1),
        }
        for n in range(32)
    ]
    found = audited(home, written(tmp_path / "d", data), task="token_classification", max_length=16)
    words = [row["tokens"] for row in data[:-2]]
    read = tokenizer(GPT2)
    lengths = [sum(len(read(f" {word}")["input_ids"]) for word in row) for row in words]
    assert (found.learned_tokens, found.learned_unit) == (sum(map(len, words)), "words")
    assert found.classes == {"PER": found.learned_tokens // 5, "LOC": found.learned_tokens // 5}
    assert (found.windowed, found.cut_rows) == (True, 0)
    within(found, lengths)


def test_what_is_wrong_is_red_on_its_place(tmp_path: Path, home: Path):
    found = audited(home, tmp_path / "gone.csv")
    (problem,) = found.problems
    assert (found.state, found.verdict) == ("done", "red")
    assert (problem.code, problem.node, problem.field) == ("file.missing", "d1", "source")


def test_too_little_disk(tmp_path: Path, home: Path):
    found = audited(home, written(tmp_path / "d", pairs()), max_length=512)
    assert found.disk_bytes is not None
    assert found.model_bytes is not None
    tight = judged(found, [], disk_free=found.disk_bytes - 1)
    assert tight.verdict == "amber"
    full = judged(found, [], disk_free=found.model_bytes - 1)
    assert full.verdict == "red"
    assert full.problems[-1].code == "disk.model"


def test_a_stop_ends_it(home: Path):
    control = Control(home)
    request = audit_request(workflow("builtin:requests"), "f1")
    with pytest.raises(Stopped):
        audit(request, home, lambda: None, control, on_stage=lambda _: control.stop())


def test_what_the_document_asks_is_asked_before_training_as_well(home: Path):
    unusual = {"learning_rate": 5, "max_length": 512, "subset_size": 40}
    document = workflow("builtin:requests", **unusual)
    asked = [problem.code for problem in gate.look(document, None, home, lambda: None)]
    assert asked == ["learning_rate.unusual"]
    ticked = workflow("builtin:requests", **unusual, accept=asked)
    assert gate.look(ticked, "f1", home, lambda: None) == []
