"""What a model says of a few rows of its run, to compare two models by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.methods import bare

_ROWS = 8
_TOKENS = 64  # of a row
# Of the largest logit. In 32 bits W + BA and W x + B A x differ in the sixth digit or so, more
# in deep models; a merge that went wrong differs in the first.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Difference:
    """How far the logits of two models are apart on the same rows."""

    rows: int
    largest: float  # the largest difference of two logits; NaN where one is no number
    scale: float  # the largest logit

    @property
    def agrees(self) -> bool:
        """Whether the two say the same, up to TOLERANCE of the largest logit."""
        return self.largest <= TOLERANCE * self.scale  # False for NaN

    def sentence(self) -> str:
        """What was found, in words."""
        word = "agree" if self.agrees else "do not agree"
        return (
            f"The logits of merged and adapter model {word}: on {self.rows} rows the largest "
            f"difference is {self.largest:.2g}, the largest logit {self.scale:.3g}."
        )


Row = dict[str, list[int]]


def probe_rows(run_folder: Path, tokenizer: Any, model: Any) -> list[Row]:
    """Token ids of the first samples of a run; of a run without any, of fixed numbers."""
    rows: list[Row] = []
    for prompt, reference in _samples(run_folder / "samples.jsonl"):
        ids = tokenizer(prompt, truncation=True, max_length=_TOKENS)["input_ids"]
        target = tokenizer(reference, truncation=True, max_length=_TOKENS)["input_ids"]
        if ids:
            rows.append({"input_ids": ids, "target": target})
    if not rows:
        known = int(model.get_input_embeddings().num_embeddings)
        ids = torch.randint(known, (2, 16), generator=torch.Generator().manual_seed(0)).tolist()
        end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
        rows = [{"input_ids": row + end, "target": row} for row in ids]
    return rows


def _samples(path: Path) -> list[tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        lines = []
    for line in lines:
        row = json.loads(line)
        found.setdefault(row["index"], (str(row["prompt"]), str(row["reference"])))
        if len(found) == _ROWS:
            break
    return list(found.values())


@torch.inference_mode()
def logits(model: Any, rows: Sequence[Row]) -> list[torch.Tensor]:
    """The logits of each row, in 32 bits on the CPU; each row is read alone, without padding."""
    found = []
    with eval_mode(model):
        for row in rows:
            inputs = {"input_ids": torch.tensor([row["input_ids"]], device=model.device)}
            if model.config.is_encoder_decoder and bare(model).can_generate():
                start = model.config.decoder_start_token_id or 0
                targets = [start, *row["target"]]
                inputs["decoder_input_ids"] = torch.tensor([targets], device=model.device)
            found.append(model(**inputs).logits.float().cpu())
    return found


def difference(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> Difference:
    """How far the two are apart."""
    largest = max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
    # max() of Python drops a NaN that does not come first.
    broken = any(not bool(torch.isfinite(t).all()) for t in (*one, *other))
    scale = max(float(t.abs().max()) for t in one)
    return Difference(len(one), float("nan") if broken else largest, scale)
