"""The page's part on starting, made of what was measured."""

import itertools
from typing import Any

from report import Section, machine, middle

_WORDS = {
    "cold": "fresh kernel: nothing imported, read, tokenised or measured",
    "modules": "again, nothing kept warm: modules imported, rows tokenised, baseline cached",
    "warm": "all warm: the model in memory as well, data prepared",
}
_HEAD = """\
# Starting

Written by `python benchmarks/start/run.py`, through the studio of a real kernel, on

{machine}

The load average was {load} while this was measured, on two cores: CPU seconds of the whole kernel
(the studio and all its threads included) say what the work is, wall seconds what somebody on this
machine waited.
"""


def page(results: list[dict[str, Any]], prepared: dict[str, list[dict[str, Any]]]) -> str:
    """The block between the markers."""
    loads = [load for result in results for load in result["load"]]
    load = " to ".join(dict.fromkeys(f"{end:.0f}" for end in (min(loads), max(loads))))
    parts = [_HEAD.format(machine=machine(), load=load).rstrip()]
    parts += [section.markdown() for section in (_clicks(results), _moving(results))]
    if prepared:
        parts.append(_preparing(prepared).markdown())
    return "\n\n".join(parts)


def _clicks(results: list[dict[str, Any]]) -> Section:
    rows = []
    for name, words in _WORDS.items():
        runs = [result[name] for result in results]
        if name == "warm":
            runs += [result["warm_again"] for result in results]
        first, last = ([_at(run, kind) for run in runs] for kind in ("", "progress"))
        rows.append(
            [
                words,
                middle([1000 * cpu for _, cpu in first], 0, "ms"),
                middle([1000 * wall for wall, _ in first], 0, "ms"),
                middle([cpu for _, cpu in last]),
                middle([wall for wall, _ in last]),
                str(len(runs)),
            ]
        )
    warm = [_at(run, "progress") for r in results for run in (r["warm"], r["warm_again"])]
    cpu = sorted(cpu for _, cpu in warm)[len(warm) // 2]
    return Section(
        "From the click on Train to the first step",
        "The first project (builtin:tiny-gpt2 on builtin:requests). With everything warm the "
        f"first step is done after {cpu:.2f} CPU seconds (the aim: under a second). The aim for "
        "the first event is 300 ms. Medians and ranges.",
        ["the kernel", "first event, CPU", "wall", "first step, CPU", "wall", "clicks"],
        rows,
    )


def _at(run: dict[str, Any], kind: str) -> tuple[float, float]:
    """Wall and CPU seconds of the first event of a kind; of any by the run's own thread for ""."""
    told = run["events"]
    found = next(event for event in told if kind in {"", event[2]})
    return found[0], found[1]


def _moving(results: list[dict[str, Any]]) -> Section:
    longest: dict[str, list[float]] = {}
    for result in results:
        run = result["cold"]
        end = _at(run, "progress")[0]
        moves = [*((t, said) for t, said in run["moves"] if t < end), (end, "")]
        for (since, said), (until, _) in itertools.pairwise(moves):
            longest.setdefault(said, []).append(until - since)
    rows = [[said, f"{max(gaps):.1f} s"] for said, gaps in longest.items() if max(gaps) >= 1]
    return Section(
        "What does not move for a second or more in a cold start",
        "Sentences whose text and count stayed the same on the screen, and for how long at most, "
        "in wall seconds of a machine under the load that is named above. Elapsed time and the "
        "sign that the run lives go on meanwhile.",
        ["sentence", "longest"],
        rows or [["none", ""]],
    )


def _preparing(prepared: dict[str, list[dict[str, Any]]]) -> Section:
    rows = []
    for name, found in prepared.items():
        first, second = ([run[when] for run in found] for when in ("first", "second"))
        count = first[0]["rows"]
        rows.append(
            [
                name,
                f"{count:,}",
                middle([run["cpu"] for run in first]),
                middle([count / run["cpu"] for run in first], 0, "rows/s"),
                middle([run["cpu"] for run in second]),
                middle([count / run["cpu"] for run in second], 0, "rows/s"),
            ]
        )
    return Section(
        "Preparing the data",
        "From the file to token ids, lengths and windows, in a fresh process, libraries imported: "
        "reading, choosing columns and rows, looking for duplicates, tokenising, and hashing the "
        "rows for the key under which their ids are kept. CPU seconds, one thread.",
        ["data", "rows", "first time", "", "from the cache", ""],
        rows,
    )
