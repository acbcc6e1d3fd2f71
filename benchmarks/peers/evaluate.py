"""The one evaluator: loss on the held-out rows, token-weighted, of weights that a peer kept."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from peers.trainers import rows
from peers.workloads import read

from easymodel_nb.metrics.conditional import encode_pairs, score_pairs
from easymodel_nb.metrics.perplexity import encode, score


def run(job: dict[str, Any]) -> None:
    """The loss of each of the job's `snapshots`, by step, written to `out` as JSON."""
    import json  # noqa: PLC0415

    model = rows.model(job)
    own = {int(number): name for number, name in (model.config.id2label or {}).items()}
    measure = _measure(job)
    found: dict[str, float] = {}
    for path in sorted(Path(job["snapshots"]).glob("*.pt"), key=lambda path: int(path.stem)):
        kept = torch.load(path, weights_only=True)
        model.load_state_dict(kept["weights"])
        learned = {int(number): name for number, name in (kept["labels"] or {}).items()}
        order = None
        if job["kind"] in {"classification", "tags"}:
            place = {name: number for number, name in learned.items()}
            order = [place[own[number]] for number in sorted(own)]
        found[path.stem] = measure(model, order)
    Path(job["out"]).write_text(json.dumps(found), encoding="utf-8")


def _measure(job: dict[str, Any]) -> Any:
    kind, limit = job["kind"], job["max_length"]
    tokenizer = rows.tokenizer(job["model"])
    held = read(Path(job["data"]), "validation")
    if kind in {"completion", "text"}:
        texts = [row["completion" if kind == "completion" else "text"] for row in held]
        prompts = [row["prompt"] for row in held] if kind == "completion" else None
        scored = encode(tokenizer, texts, prompts=prompts, max_length=limit, eos=True)
        return lambda model, _: score(model, scored, max_length=limit).loss
    if kind == "seq2seq":
        return lambda model, _: _pairs(model, tokenizer, held, limit)
    encoded = rows.encoded(job, "validation")
    return lambda model, order: _labels(model, encoded, order)


def _pairs(model: Any, tokenizer: Any, held: list[dict[str, Any]], limit: int) -> float:
    pairs = encode_pairs(
        tokenizer,
        [row["source"] for row in held],
        [row["target"] for row in held],
        max_length=limit,
    )
    return float(score_pairs(model, pairs).loss or 0.0)


def _labels(model: Any, encoded: list[dict[str, Any]], order: list[int]) -> float:
    """Mean cross-entropy of a class, or of the tag of a word, one row at a time."""
    total, count = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for row in encoded:
            inputs = {
                name: torch.tensor([row[name]])
                for name in ("input_ids", "attention_mask", "token_type_ids")
                if name in row
            }
            logits = model(**inputs).logits[0]
            logits = logits.reshape(-1, logits.shape[-1])[:, order].double()
            labels = torch.tensor(row["labels"]).reshape(-1)
            total += float(F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum"))
            count += int((labels != -100).sum())  # noqa: PLR2004  what PyTorch ignores
    return total / count
