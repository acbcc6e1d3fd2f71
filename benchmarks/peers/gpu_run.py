"""One run of gpu.py: a model with random weights, rows of random words, and one trainer.

The rows have the lengths of GSM8K's and, one in eight, a long tail; their words are drawn by
Zipf's law, so that there is something to learn. All trainers read the same files.
"""

import importlib
import json
import random
import time
from pathlib import Path
from typing import Any

import torch
from peers import timing
from peers.gpu_models import PEERS, SHAPES, Shape
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

_LONGEST = 1_024  # tokens of a row
_HELD = 16  # rows whose loss is taken at the end
BATCH = 16


def run(told: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    shape, peer = SHAPES[told["shape"]], PEERS[told["peer"]]
    folder = Path(told["scratch"])
    model, data = folder / "model", folder / "rows"
    _make_model(shape, model)
    rows = _write_rows(shape, data, told)
    lengths = [len(row) + 1 for row in rows]  # and the end
    job = {
        **told,
        "kind": "text",
        "model": str(model),
        "data": str(data),
        "max_length": _LONGEST,
        "learning_rate": 1e-4,
        "batch_size": BATCH,
        "epochs": 1,
        "seed": 42,
        "mode": "speed",
        "pad_id": 1,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "settings": peer.settings,
        "home": str(folder / "home"),
        "lora": _lora(shape) if told["method"] == "lora" else None,
    }
    _Finish.held = rows[-_HELD:]
    _Finish.shape = shape
    _Finish.density = sum(n * n for n in lengths) / sum(lengths)
    _Finish.peak_flops = _fastest(job["device"])
    # The trainers take it from there.
    timing.Stopwatch = _Finish  # type: ignore[misc]
    importlib.import_module(f"peers.{peer.module}").run(job)


class _Finish(timing.Stopwatch):
    """Adds what counts on a GPU: arithmetic, memory, and a loss to compare."""

    held: list[list[int]]
    shape: Shape
    density: float  # tokens of the row that a token stands in, on average
    peak_flops: float

    def _end(self, found: dict[str, Any]) -> None:
        cuda = torch.cuda.is_available()
        peak = torch.cuda.max_memory_allocated() if cuda else timing.peak()
        begin, end = (self._marks[step] for step in found["window"])
        seconds, tokens = end["wall"] - begin["wall"], end["tokens"] - begin["tokens"]
        lora = self._job["method"] == "lora"
        needed = self.shape.flops(tokens, round(tokens * self.density), lora=lora)
        found |= {
            "device": torch.cuda.get_device_name() if cuda else "a CPU",
            "tokens_per_second": tokens / seconds,
            "mfu": needed / seconds / self.peak_flops,
            "peak_flops": self.peak_flops,
            "peak_bytes": peak,
            "loss": self._loss(),
        }
        super()._end(found)

    def _loss(self) -> float:
        model = self._model.eval()
        device = model.device
        losses = []
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, device.type == "cuda"):
            for row in self.held:
                ids = torch.tensor([row], device=device)
                losses.append(float(model(input_ids=ids, labels=ids).loss))
        return sum(losses) / len(losses)


def _make_model(shape: Shape, folder: Path) -> None:
    torch.manual_seed(0)
    auto: Any = AutoModelForCausalLM
    auto.from_config(shape.config()).save_pretrained(folder)
    words = {"<|endoftext|>": 0, "<|pad|>": 1} | {f"w{i}": i for i in range(2, shape.vocabulary)}
    inner = Tokenizer(WordLevel(words, unk_token="<|pad|>"))  # noqa: S106  no password
    inner.pre_tokenizer = WhitespaceSplit()
    make: Any = PreTrainedTokenizerFast
    make(
        tokenizer_object=inner,
        eos_token="<|endoftext|>",  # noqa: S106
        pad_token="<|pad|>",  # noqa: S106
        model_max_length=_LONGEST,
    ).save_pretrained(folder)


def _write_rows(shape: Shape, folder: Path, told: dict[str, Any]) -> list[list[int]]:
    drawn = random.Random(11)
    count = BATCH * (told["warmup"] + told["steps"]) * 2 + 2 * BATCH
    cap = 64 if shape.tiny else _LONGEST - 1
    rows = []
    for index in range(count):
        length = drawn.lognormvariate(6.2, 0.6) if index % 8 == 0 else drawn.gauss(159, 60)
        size = max(8, min(cap, int(length)))
        ranks = (int(drawn.paretovariate(1.0)) for _ in range(size))
        rows.append([2 + rank % (shape.vocabulary - 2) for rank in ranks])
    folder.mkdir(parents=True)
    parts = (("train", rows[:-_HELD]), ("validation", rows[-_HELD:]))
    for name, some in parts:
        lines = [json.dumps({"text": " ".join(f"w{i}" for i in row)}) for row in some]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows


def _lora(shape: Shape) -> dict[str, Any]:
    modules = (
        ["c_attn", "c_proj", "c_fc"]
        if shape.kind == "gpt2"
        else ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    return {"r": 16, "lora_alpha": 32, "target_modules": modules}


def _fastest(device: str) -> float:
    """FLOP/s of a large product of matrices here: what there is to be had."""
    cuda = device == "cuda"
    side, kind = (8_192, torch.bfloat16) if cuda else (512, torch.float32)
    left = torch.randn(side, side, device=device, dtype=kind)
    best = float("inf")
    for _ in range(5):
        _wait(device)
        began = time.perf_counter()
        for _ in range(10):
            left @ left
        _wait(device)
        best = min(best, (time.perf_counter() - began) / 10)
    return float(2 * side**3 / best)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
