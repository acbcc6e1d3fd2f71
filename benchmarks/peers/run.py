"""Train what others train, as they do, and write who is faster into docs/benchmarks.md.

    python benchmarks/peers/run.py --smoke          # a look, in a quarter of an hour
    python benchmarks/peers/run.py                  # all of it, in less than three hours
    python benchmarks/peers/run.py gsm8k :ours      # only these rows, again
    python benchmarks/peers/run.py --page           # the page, of what is there

A ROW is WORKLOAD, WORKLOAD:PEER, :PEER, speed, loss or profile. Each finished run is a JSON file in
--cache and is not made again unless it is named, so that the benchmark can be interrupted; the page
says what is missing. Rounds go there and back (A B C, C B A), each run in a process of its own.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    # This file's own folder is on the path as well: its modules must come as peers.NAME alone.
    sys.path[0] = str(ROOT / "benchmarks")
    sys.path.insert(1, str(ROOT / "src"))

from filelock import FileLock, Timeout  # noqa: E402
from peers import gpu_page, page  # noqa: E402  the path must be right first
from peers.environments import UnbuildableError  # noqa: E402
from peers.launch import FORMS, FailedError, Form, measure  # noqa: E402
from peers.registry import BASE, OURS, PADDED  # noqa: E402
from peers.results import Results, Row  # noqa: E402
from peers.tables import Page  # noqa: E402
from peers.workloads import WORKLOADS, MissingDataError  # noqa: E402
from report import replace  # noqa: E402

_TOGETHER = 2  # runs for the loss, whose clocks count less


def main() -> int:
    """Measure what is missing or named, then write the page."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("rows", nargs="*", metavar="ROW")
    form = options.add_mutually_exclusive_group()
    form.add_argument("--smoke", action="store_const", dest="form", const="smoke")
    form.add_argument("--full", action="store_const", dest="form", const="full")
    options.add_argument("--rounds", type=int, help="at most so many rounds, now")
    options.add_argument("--seeds", type=int, help="at most so many seeds, now")
    options.add_argument("--page", action="store_true", help="measure nothing")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "peers-benchmark")
    options.add_argument("--write", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options.set_defaults(form="full")
    chosen = options.parse_args()
    chosen.cache = chosen.cache.resolve()  # some trainers read paths from where they are
    form_ = FORMS[chosen.form]
    results = Results(chosen.cache / f"results-{form_.name}")
    todo = [] if chosen.page else rows(form_, chosen.rounds, chosen.seeds)
    try:
        # Two would disturb each other's times, and share the home that our runs are in.
        with FileLock(chosen.cache / "lock", timeout=0):
            work([row for row in todo if row.chosen(chosen.rows)], results, form_, chosen)
    except MissingDataError as error:
        print(error)
        return 1
    except Timeout:
        print(f"Another benchmark measures into {chosen.cache}: wait for it, or name --cache.")
        return 1
    replace(chosen.write, page.page(chosen.cache, FORMS) + gpu_page.section(chosen.cache), "peers")
    print(f"Written to {chosen.write}")
    if form_.name == "full" and chosen.write == options.get_default("write"):
        replace(ROOT / "README.md", Page(results, form_).brief(), "speed")
    return 0


def rows(form: Form, rounds: int | None = None, seeds: int | None = None) -> list[Row]:
    """All runs of a form in their order: a round, a seed, a round, a seed, and our profiles."""
    found: list[Row] = []
    for number in range(1, max(form.rounds, form.seeds) + 1):
        if number <= min(form.rounds, form.rounds if rounds is None else rounds):
            found += _round(form, number)
        if number <= min(form.seeds, form.seeds if seeds is None else seeds):
            found += _seed(form, number)
    return found + [Row("profile", name, OURS, 1) for name in WORKLOADS]


def _round(form: Form, number: int) -> list[Row]:
    there = [
        Row("speed", name, peer, number)
        for name, workload in WORKLOADS.items()
        for peer in workload.peers
        if peer not in form.left_out
    ]
    return there if number % 2 else there[::-1]


def _seed(form: Form, number: int) -> list[Row]:
    """Ours and the HF Trainer with every seed, the others with the first of the full form."""
    return [
        Row("loss", name, peer, number)
        for name, workload in WORKLOADS.items()
        for peer in (workload.peers if number % 2 else workload.peers[::-1])
        if name not in form.lossless
        if peer in {BASE, OURS} or (number == 1 and peer != PADDED and form.name == "full")
    ]


def work(todo: list[Row], results: Results, form: Form, chosen: argparse.Namespace) -> None:
    """Make the runs that are missing, and those that are named.

    Timed ones by themselves; those for the loss beside each other, each with a core and a home.
    """
    homes: Queue[str] = Queue()
    for number in range(min(_TOGETHER, os.cpu_count() or 1)):
        homes.put(f"home-{number}")
    counted = [
        (f"{index}/{len(todo)}", row)
        for index, row in enumerate(todo, 1)
        if results.get(row) is None or chosen.rows
    ]

    def make(place: str, row: Row) -> None:
        home = homes.get()
        print(place, row.name, flush=True)
        try:
            results.put(row, measure(row, form, chosen.cache, home))
        except (FailedError, UnbuildableError) as error:
            print(f"  {row.name} failed: {error}", flush=True)
            results.put(row, {"error": str(error)})
        finally:
            homes.put(home)

    for mode, rows_ in groupby(counted, lambda one: one[1].mode):
        with ThreadPoolExecutor(homes.qsize() if mode == "loss" else 1) as pool:
            list(pool.map(lambda one: make(*one), rows_))


if __name__ == "__main__":
    sys.exit(main())
