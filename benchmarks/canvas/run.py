"""Measure the canvas and write it into docs/benchmarks.md, between its markers.

    python benchmarks/canvas/run.py            # what was not measured yet
    python benchmarks/canvas/run.py --anew     # everything
    python benchmarks/canvas/run.py frames-100 # only this, and the page anew

Needs what the browser tests need, and a built bundle. Each part's numbers are kept as a JSON file
in --results, and a part that has one is not measured again, so that it can be interrupted; a part
that is named is always measured, and one that fails does not keep the others from it. On a machine
that does other things as well, ratios within a part say more than times.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
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
from playwright.sync_api import Error, expect  # noqa: E402
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
    options.add_argument("--anew", action="store_true", help="also what was measured before")
    options.add_argument("--rounds", type=int, default=3, help="A B B A so many times")
    options.add_argument("--results", type=Path, default=ROOT / ".cache" / "canvas-benchmark")
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(known):
        options.error(f"There is no part {', '.join(sorted(unknown))}.")
    chosen.results.mkdir(parents=True, exist_ok=True)
    file = {name: chosen.results / f"{name}.json" for name in known}
    if chosen.anew:
        for path in file.values():
            path.unlink(missing_ok=True)
    todo = chosen.names or [name for name in known if not file[name].exists()]
    failed = measure(todo, parts(chosen.rounds), file) if todo else []
    results = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in file.items()
        if path.exists()
    }
    replace(PAGE, tables.page(results, machine()))
    print(f"Written to {PAGE.relative_to(ROOT)}")
    if failed:
        print(f"Not measured: {', '.join(failed)}. The same command tries them again.")
    return 1 if failed else 0


def measure(todo: list[str], known: dict[str, Part], file: dict[str, Path]) -> list[str]:
    """Each part in a server of its own, so that none pays for the one before; what failed."""
    failed = []
    # A run takes as many threads as cores are free, and a browser takes cores: one for both.
    os.environ["OMP_NUM_THREADS"] = "1"
    expect.set_options(timeout=180_000)
    with chromium_browser() as browser:
        for name in todo:
            with tempfile.TemporaryDirectory(prefix="easymodel-bench-") as folder:
                place = Path(folder)
                load, began = [os.getloadavg()[0]], time.monotonic()
                try:
                    with lab(sys.executable, place / "lab") as server:
                        numbers = known[name](browser, server, place)
                except (Error, AssertionError, OSError, RuntimeError, LookupError):
                    # The other parts are worth having all the same.
                    traceback.print_exc()
                    failed.append(name)
                    continue
                finally:
                    for context in browser.contexts:
                        context.close()
                load.append(os.getloadavg()[0])
            file[name].write_text(json.dumps({"load": load, **numbers}), encoding="utf-8")
            taken = time.monotonic() - began
            print(f"{name}: {taken:.0f} s at a load of {load[0]:.1f} to {load[1]:.1f}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
