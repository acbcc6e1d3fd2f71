"""Measure the canvas and write it into docs/benchmarks.md, between its markers.

    python benchmarks/canvas/run.py            # everything
    python benchmarks/canvas/run.py frames-100 # only this, and the page anew

Needs what the browser tests need, and a built bundle. Each part's numbers are kept as a JSON file
in --results, and a part that has one is not measured again, so that it can be interrupted; a part
that is named is always measured. On a machine that does other things as well, ratios within a part
say more than times.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# This file's own folder is on the path as well: its modules must come as canvas.NAME alone.
sys.path[0] = str(ROOT / "benchmarks")
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from canvas import counts, frames, graphs, heap, tables, training  # noqa: E402
from harness.browser import chromium_browser  # noqa: E402
from harness.server import lab  # noqa: E402
from playwright.sync_api import expect  # noqa: E402
from report import machine, replace  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
Part = Callable[[Any, Any, Path], Any]


def parts(rounds: int) -> dict[str, Part]:
    """What can be measured, by name."""
    found: dict[str, Part] = {}
    for size in graphs.SIZES:
        found[f"counts-{size}"] = partial(counts.measure, size=size)
    for size in graphs.SIZES:
        found[f"frames-{size}"] = partial(frames.measure, size=size, rounds=rounds)
    return found | {
        "training": training.measure,
        "switches": heap.switches,
        "edits": heap.edits,
    }


def main() -> int:
    """Measure what is missing, then write the page."""
    known = parts(1)
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("names", nargs="*", metavar="PART", help=", ".join(known))
    options.add_argument("--rounds", type=int, default=3, help="A B B A so many times")
    options.add_argument("--results", type=Path, default=ROOT / ".cache" / "canvas-benchmark")
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(known):
        options.error(f"There is no part {', '.join(sorted(unknown))}.")
    chosen.results.mkdir(parents=True, exist_ok=True)
    file = {name: chosen.results / f"{name}.json" for name in known}
    todo = chosen.names or [name for name in known if not file[name].exists()]
    if todo:
        measure(todo, parts(chosen.rounds), file)
    results = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in file.items()
        if path.exists()
    }
    replace(PAGE, tables.page(results, machine()))
    print(f"Written to {PAGE.relative_to(ROOT)}")
    return 0


def measure(todo: list[str], known: dict[str, Part], file: dict[str, Path]) -> None:
    """Each part in a server of its own, so that none pays for the one before."""
    # A run takes as many threads as cores are free, and a browser takes cores: one for both.
    os.environ["OMP_NUM_THREADS"] = "1"
    expect.set_options(timeout=180_000)
    with chromium_browser() as browser:
        for name in todo:
            with tempfile.TemporaryDirectory(prefix="easymodel-bench-") as folder:
                place = Path(folder)
                load = [os.getloadavg()[0]]
                with lab(sys.executable, place / "lab") as server:
                    numbers = known[name](browser, server, place)
                load.append(os.getloadavg()[0])
            file[name].write_text(json.dumps({"load": load, **numbers}), encoding="utf-8")
            print(f"{name}: measured at a load of {load[0]:.1f} to {load[1]:.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
