"""What both pretraining programs need: the corpus, the optimizer, the schedule, the export.

Imported by `pretrain_tiny_gpt2.py`, `pretrain_tiny_t5.py` and `make_heldout_sample.py`, which lie
in the same folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import lzma
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

if TYPE_CHECKING:
    import random

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("EASYMODEL_SHARED", str(ROOT.parent / "shared")))
BUILTIN = ROOT / "src" / "easymodel_nb" / "builtin"
PAD, EOS = "<|pad|>", "<|endoftext|>"

# How often each part is read in one pass, against once for the novels: users' texts are modern,
# most of the corpus is not. `paragraphs` is the mean of the (geometric) number of consecutive
# paragraphs of a document, `blocks` the number of places from which held-out text is taken,
# `held_out` its share.
PARTS: dict[str, dict[str, float]] = {
    "novels": {"weight": 1.0, "paragraphs": 8, "blocks": 10, "held_out": 0.01},
    "speeches": {"weight": 2.5, "paragraphs": 3, "blocks": 3, "held_out": 0.012},
    "textbook": {"weight": 2.5, "paragraphs": 4, "blocks": 3, "held_out": 0.015},
    "stories": {"weight": 4.0, "paragraphs": 2, "blocks": 3, "held_out": 0.03},
}
LONGEST_DOCUMENT = 40  # paragraphs
ONE_NEWLINE = 0.25  # share of documents whose paragraphs are joined by one line feed instead of two

Paragraph = TypeVar("Paragraph")

# The corpus


def read_part(corpus: Path, name: str) -> list[str]:
    """Paragraphs of one part of the corpus."""
    text = lzma.decompress((corpus / f"{name}.txt.xz").read_bytes()).decode("utf-8")
    return [stripped for paragraph in text.split("\n\n") if (stripped := paragraph.strip())]


def split_part(
    paragraphs: list[str], blocks: int, share: float
) -> tuple[list[list[str]], list[str]]:
    """Split into stretches to train on and held-out blocks, these spaced evenly."""
    sizes = [len(paragraph.encode()) + 2 for paragraph in paragraphs]
    total, wanted = sum(sizes), sum(sizes) * share / blocks
    starts = [total * (i + 0.5) / blocks for i in range(blocks)]
    train: list[list[str]] = [[]]
    held: list[list[str]] = []
    position, taking, taken = 0, False, 0.0
    for paragraph, size in zip(paragraphs, sizes, strict=True):
        if not taking and len(held) < blocks and position >= starts[len(held)]:
            taking, taken = True, 0.0
            held.append([])
        if taking:
            held[-1].append(paragraph)
            taken += size
            if taken >= wanted:
                taking = False
                train.append([])
        else:
            train[-1].append(paragraph)
        position += size
    return train, ["\n\n".join(block) for block in held]


def read_corpus(corpus: Path) -> tuple[dict[str, list[list[str]]], dict[str, list[str]]]:
    """Stretches of paragraphs to train on and held-out blocks, by part."""
    texts: dict[str, list[list[str]]] = {}
    held: dict[str, list[str]] = {}
    for name, settings in PARTS.items():
        texts[name], held[name] = split_part(
            read_part(corpus, name), int(settings["blocks"]), settings["held_out"]
        )
    return texts, held


def one_pass(
    parts: dict[str, list[list[Paragraph]]], draw: random.Random
) -> list[tuple[list[Paragraph], bool]]:
    """Shuffled documents of consecutive paragraphs, and whether one line feed joins these.

    A paragraph may be text or the numbers of its tokens. Stories keep their titles.
    """
    documents: list[tuple[list[Paragraph], bool]] = []
    for name, stretches in parts.items():
        mean = PARTS[name]["paragraphs"]
        whole, part = divmod(PARTS[name]["weight"], 1)
        for repeat in range(math.ceil(PARTS[name]["weight"])):
            for stretch in stretches:
                at = 0 if name == "stories" else -draw.randrange(4)
                while at < len(stretch):
                    if name == "stories":
                        count = 2  # a title and its story
                    else:
                        length = math.log(1 - draw.random()) / math.log(1 - 1 / mean)
                        count = min(LONGEST_DOCUMENT, 1 + int(length))
                    group = stretch[max(at, 0) : at + count]
                    at += count
                    if not group or (repeat >= whole and draw.random() > part):
                        continue
                    documents.append((group, draw.random() < ONE_NEWLINE))
    draw.shuffle(documents)
    return documents


def repeats(
    texts: dict[str, list[list[str]]], held: dict[str, list[str]], length: int = 60
) -> dict[str, dict[str, int]]:
    """Count the stretches of held-out text that stand word for word in the text to train on."""
    everything = "\n\n".join("\n\n".join(s) for stretches in texts.values() for s in stretches)
    out = {}
    for name, blocks in held.items():
        paragraphs = [p for block in blocks for p in block.split("\n\n")]
        pieces = [p[i : i + length] for p in paragraphs for i in range(0, len(p), length)]
        whole = [piece for piece in pieces if len(piece) == length]
        found = sum(piece in everything for piece in whole)
        out[name] = {"characters": length, "stretches": len(whole), "in_training": found}
    return out


def with_bits_per_byte(parts: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Sums of bytes, tokens and nats of every part, with their total and bits per byte."""
    out = {name: dict(part) for name, part in parts.items()}
    out["all"] = {
        key: sum(part[key] for part in parts.values()) for key in ("bytes", "tokens", "nats")
    }
    for part in out.values():
        part["bits_per_byte"] = round(part["nats"] / math.log(2) / part["bytes"], 4)
        part["nats"] = round(part["nats"], 1)
    return out


# The optimizer and the schedule


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Return nearly half-orthogonal matrices, after five Newton-Schulz steps in float32."""
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x


@dataclass(frozen=True)
class Hidden:
    """A hidden 2-D weight: `pieces` matrices beside each other along the dimension `outputs`."""

    weight: torch.nn.Parameter
    outputs: int
    pieces: int = 1
    scale: float = 1.0  # of its learning rate, against that of the others


class Muon:
    """Muon for the 2-D hidden weights.

    torch.optim.Muon works in bfloat16, slow on most processors, and matrix by matrix; here equal
    shapes are stacked and stay in float32.
    """

    def __init__(self, weights: list[Hidden], momentum: float = 0.95, decay: float = 0.02) -> None:
        """Collect views of the weights, each with no more rows than columns."""
        self.momentum, self.decay = momentum, decay
        self.parameters = [hidden.weight for hidden in weights]
        groups: dict[tuple[int, int], list[tuple[int, int, int, bool, float]]] = {}
        for index, hidden in enumerate(weights):
            size = list(hidden.weight.shape)
            width = size[hidden.outputs] // hidden.pieces
            scale = hidden.scale * max(1.0, width / size[1 - hidden.outputs]) ** 0.5
            size[hidden.outputs] = width
            turned = size[0] > size[1]
            shape = (min(size), max(size))
            for piece in range(hidden.pieces):
                groups.setdefault(shape, []).append((index, piece * width, width, turned, scale))
        self.outputs = [hidden.outputs for hidden in weights]
        self.groups = list(groups.values())
        self.buffers = [torch.zeros(len(g), *shape) for shape, g in groups.items()]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step."""
        for members, buffer in zip(self.groups, self.buffers, strict=True):
            gradients = []
            for index, start, width, turned, _ in members:
                whole = self.parameters[index].grad
                piece = whole.narrow(self.outputs[index], start, width)
                gradients.append(piece.mT if turned else piece)
            gradient = torch.stack(gradients)
            buffer.lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp_(buffer, self.momentum))
            for (index, start, width, turned, scale), delta in zip(members, update, strict=True):
                weight = self.parameters[index].data.narrow(self.outputs[index], start, width)
                weight.mul_(1 - rate * self.decay).add_(
                    delta.mT if turned else delta, alpha=-rate * scale
                )


def rate_at(share: float) -> float:
    """Give the learning rate over its peak: up in 1 %, flat to 30 %, then straight down to zero."""
    return min(1.0, share / 0.01, (1 - share) / 0.7)


def lean_memory() -> None:
    """Keep large blocks of memory between steps instead of giving them back (glibc only)."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


# The export


def export(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, out: Path, defaults: dict[str, Any]
) -> None:
    """Write the model folder: each file complete in a folder beside it, then moved into place.

    The weights are stored in half precision and load as float32; `defaults` becomes the generation
    config.
    """
    temporary = out.with_name(f".{out.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    half = type(model)(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    settings = json.loads((temporary / "tokenizer_config.json").read_text())
    template = temporary / "chat_template.jinja"
    if template.exists():  # one file fewer: into tokenizer_config.json
        template.unlink()
        settings["chat_template"] = tokenizer.chat_template
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"  # known before and since transformers 5
    for key in ("is_local", "backend"):
        settings.pop(key, None)
    (temporary / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    config = json.loads((temporary / "config.json").read_text())
    config.pop("torch_dtype", None)
    config["dtype"] = "float32"  # what from_pretrained gives; the file holds half of each number
    (temporary / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (temporary / "generation_config.json").write_text(json.dumps(defaults, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(temporary.iterdir()):
        file.chmod(0o644)
        file.replace(out / file.name)
    temporary.rmdir()
