"""Training on a data-centre GPU: tokens/s, share of its arithmetic (MFU), peak memory.

    python benchmarks/peers/gpu.py                  # what is missing, then the page
    python benchmarks/peers/gpu.py 124M:full:ours   # only these rows, again
    python benchmarks/peers/gpu.py --try            # a tiny model, a few steps, on any machine

Each run is a process of its own, and its numbers a JSON file in --cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    # This file's own folder is on the path as well: its modules must come as peers.NAME alone.
    sys.path[0] = str(ROOT / "benchmarks")
    sys.path.insert(1, str(ROOT / "src"))

from peers import environments, gpu_page, page  # noqa: E402  the path must be right first
from peers.gpu_models import PEERS, SHAPES  # noqa: E402
from peers.launch import FORMS  # noqa: E402
from report import replace  # noqa: E402


def main() -> int:
    """Measure what is missing or named, and write it down."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("rows", nargs="*", metavar="SHAPE:METHOD:TRAINER")
    options.add_argument("--try", action="store_true", dest="tried", help="a tiny model anywhere")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "peers-benchmark")
    options.add_argument("--write", type=Path, default=ROOT / "docs" / "benchmarks.md")
    chosen = options.parse_args()
    chosen.cache = chosen.cache.resolve()  # some trainers read paths from where they are
    folder = chosen.cache / ("results-gpu-try" if chosen.tried else "results-gpu")
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [name for name, shape in SHAPES.items() if shape.tiny == chosen.tried]
    for row in (f"{s}:{m}:{p}" for s in shapes for m in ("full", "lora") for p in PEERS):
        path = folder / f"{row.replace(':', '-')}.json"
        if row not in chosen.rows and (chosen.rows or path.exists()):
            continue
        print(row, flush=True)
        found = _run(row, chosen.cache, *((1, 2) if chosen.tried else (10, 30)))
        print(f"  {found.get('error') or gpu_page.told(found)}", flush=True)
        path.write_text(json.dumps(found), encoding="utf-8")
    if not chosen.tried:
        whole = page.page(chosen.cache, FORMS) + gpu_page.section(chosen.cache)
        replace(chosen.write, whole, "peers")
    return 0


def _run(row: str, cache: Path, warmup: int, steps: int) -> dict[str, Any]:
    """One row in a process of its own: its numbers, or why there are none (`error`)."""
    shape, method, peer = row.split(":")
    try:
        interpreter = environments.python(PEERS[peer].environment, cache / "environments")
    except environments.UnbuildableError as error:
        return {"error": str(error)}
    with tempfile.TemporaryDirectory(prefix="easymodel-peers-") as scratch:
        told, out = Path(scratch) / "job.json", Path(scratch) / "out.json"
        job = {
            "module": "gpu_run",
            "shape": shape,
            "method": method,
            "peer": peer,
            "warmup": warmup,
            "steps": steps,
            "scratch": scratch,
            "out": str(out),
        }
        told.write_text(json.dumps(job), encoding="utf-8")
        command = [str(interpreter), str(Path(__file__).with_name("child.py")), str(told)]
        offline = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        done = subprocess.run(command, env=offline, capture_output=True, text=True, check=False)
        if not out.exists():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            return {"error": (lines[-1] if lines else f"exit {done.returncode}")[:300]}
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found


if __name__ == "__main__":
    sys.exit(main())
