"""The table of the runs on a data-centre GPU, as far as there are any."""

import json
from pathlib import Path
from typing import Any

from peers.gpu_models import PEERS, SHAPES

_HEAD = """
## On a data-centre GPU

Written by `python benchmarks/peers/gpu.py`, which needs an NVIDIA GPU. GPT-2's shape (124 M) and
that of Llama 3.2 1B with random weights, bfloat16, all weights and LoRA (rank 16); 16 rows a step
with the lengths of real data. MFU is the arithmetic that the model needs, 6 operations a weight and
token (4 where weights are frozen) and attention over each row's own tokens, by what the GPU does in
bfloat16 matrix products, measured in the same process.
"""


def section(cache: Path) -> str:
    """The section with what is there."""
    folder = cache / "results-gpu"
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")
    }
    if not found:
        return f"{_HEAD}\nNot run yet: no GPU was at hand.\n"
    device = next((one["device"] for one in found.values() if "device" in one), "")
    lines = [
        "| model | trains | trainer | speed | MFU | peak memory | loss |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        _line(shape, method, peer, found.get(f"{shape}-{method}-{peer}"))
        for shape, one in SHAPES.items()
        if not one.tiny
        for method in ("full", "lora")
        for peer in PEERS
    ]
    return f"{_HEAD}\nOn {device}.\n\n" + "\n".join(lines) + "\n"


def _line(shape: str, method: str, peer: str, found: dict[str, Any] | None) -> str:
    who = [SHAPES[shape].title, "all weights" if method == "full" else "LoRA", PEERS[peer].title]
    if found is None or "error" in found:
        why = "not run yet" if found is None else str(found["error"]).replace("|", "/")
        return "| " + " | ".join([*who, why, "", "", ""]) + " |"
    return "| " + " | ".join([*who, *numbers(found)]) + " |"


def told(found: dict[str, Any]) -> str:
    """The numbers of one run in a line."""
    return ", ".join(numbers(found))


def numbers(found: dict[str, Any]) -> list[str]:
    """The cells of one run."""
    return [
        f"{found['tokens_per_second']:,.0f} tokens/s",
        f"{found['mfu']:.0%}",
        f"{found['peak_bytes'] / 1e9:.1f} GB",
        f"{found['loss']:.3f}",
    ]
