"""Measure starting and write it into docs/benchmarks.md, between its markers.

    python benchmarks/start/run.py             # 5 kernels, what was not measured yet
    python benchmarks/start/run.py --times 2   # the smoke form
    python benchmarks/start/run.py --anew      # everything

Each kernel's numbers are kept in --results, so that it can be interrupted.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from report import replace  # noqa: E402
from start import kernels, preparing, tables  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
SHARED = ROOT.parent / "shared" / "data"
TEXT = {"max_length": 512}


def main() -> int:
    """Measure what is missing, then write the page."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--times", type=int, default=5, help="kernels, and processes of each data")
    options.add_argument("--anew", action="store_true", help="also what was measured before")
    options.add_argument("--results", type=Path, default=ROOT / ".cache" / "start-benchmark")
    options.add_argument(
        "--data", type=Path, default=SHARED, help="a folder with gsm8k/train.jsonl"
    )
    given = options.parse_args()
    given.results.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"

    def kept(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        path = given.results / f"{name}.json"
        if given.anew or not path.exists():
            before = os.getloadavg()[0]
            found = work()
            found["load"] = [before, os.getloadavg()[0]]
            path.write_text(json.dumps(found))
            print(name, "measured", flush=True)
        known: dict[str, Any] = json.loads(path.read_text())
        return known

    sources = {"builtin:shakespeare": "builtin:shakespeare"}
    if (own := given.data / "gsm8k" / "train.jsonl").exists():
        sources["gsm8k"] = str(own)
    clicks, prepared = list[dict[str, Any]](), dict[str, list[dict[str, Any]]]()
    for number in range(given.times):
        clicks.append(kept(f"kernel-{number}", kernels.measure))
        for name, source in sources.items():
            label = name.replace(":", "-")
            found = kept(f"{label}-{number}", partial(preparing.measure, source, **TEXT))
            prepared.setdefault(name, []).append(found)
    replace(PAGE, tables.page(clicks, prepared), "start")
    print(f"Written to {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
