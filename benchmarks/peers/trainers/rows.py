"""Rows as token ids, as the HF examples of each task make them, and what collates them."""

import functools
from pathlib import Path
from typing import Any

from peers.workloads import read
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorForSeq2Seq,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
)

_AUTO: dict[str, Any] = {
    "completion": AutoModelForCausalLM,
    "text": AutoModelForCausalLM,
    "classification": AutoModelForSequenceClassification,
    "tags": AutoModelForTokenClassification,
    "seq2seq": AutoModelForSeq2SeqLM,
}
Row = dict[str, Any]


def model(job: dict[str, Any]) -> Any:
    """The model that every peer starts from, in float32."""
    return _AUTO[job["kind"]].from_pretrained(job["model"], dtype="float32")


@functools.cache
def tokenizer(path: str) -> Any:
    """Its tokenizer."""
    return AutoTokenizer.from_pretrained(path)


def encoded(job: dict[str, Any], split: str = "train") -> list[Row]:
    """The rows with `input_ids` and `labels`; of words only the first sub-word is labelled."""
    tok, limit = tokenizer(job["model"]), job["max_length"]
    rows = read(Path(job["data"]), split)
    kind = job["kind"]
    if kind in {"completion", "text"}:
        return [_causal(tok, row, limit) for row in rows]
    if kind == "seq2seq":
        return [
            {
                **tok(row["source"], truncation=True, max_length=limit),
                "labels": tok(text_target=row["target"], truncation=True, max_length=limit)[
                    "input_ids"
                ],
            }
            for row in rows
        ]
    number = AutoConfig.from_pretrained(job["model"]).label2id
    if kind == "classification":
        return [
            {
                **tok(row["text"], truncation=True, max_length=limit),
                "labels": number[row["label"]],
            }
            for row in rows
        ]
    return [_tagged(tok, row, limit, number) for row in rows]


def _causal(tok: Any, row: Row, limit: int) -> Row:
    head = tok(row["prompt"])["input_ids"] if "prompt" in row else []
    body = tok(row["completion"] if head else row["text"])["input_ids"] + [tok.eos_token_id]
    ids = (head + body)[:limit]
    labels = ([-100] * len(head) + body)[:limit]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def _tagged(tok: Any, row: Row, limit: int, number: dict[str, int]) -> Row:
    found = tok(row["tokens"], is_split_into_words=True, truncation=True, max_length=limit)
    words = found.word_ids()
    labels = [
        -100 if word is None or word == before else number[row["tags"][word]]
        for word, before in zip(words, [None, *words], strict=False)
    ]
    return {**found, "labels": labels}


def collator(job: dict[str, Any], trained: Any, padding: str = "longest") -> Any:
    """What makes a batch; `padding` is "longest" or "max_length"."""
    tok = tokenizer(job["model"])
    sizes: dict[str, Any] = (
        {"padding": "max_length", "max_length": job["max_length"]} if padding != "longest" else {}
    )
    kind = job["kind"]
    if kind == "text" and not sizes:
        return _Labelless(DataCollatorForLanguageModeling(tok, mlm=False))
    if kind == "classification":
        return DataCollatorWithPadding(tok, **sizes)
    if kind == "tags":
        return DataCollatorForTokenClassification(tok, **sizes)
    return DataCollatorForSeq2Seq(tok, model=trained if kind == "seq2seq" else None, **sizes)


class _Labelless:
    """A language modelling collator makes the labels itself, from the padded ids."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, rows: list[Row]) -> Any:
        return self._inner([{k: v for k, v in row.items() if k != "labels"} for row in rows])
