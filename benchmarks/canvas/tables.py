"""The canvas part of docs/benchmarks.md."""

import json
import statistics
from typing import Any

from canvas import frames, graphs, heap, pages
from report import Section, middle

Results = dict[str, Any]
HEAD = """\
# The canvas

Written by `python benchmarks/canvas/run.py`, in JupyterLab with headless Chromium, which draws
without a GPU, on

{machine} {libraries}.

The load average while measuring was {low:.0f} to {high:.0f}, of which the browser and the kernel
alone make about two. What counts are ratios of runs that took turns (ours, bare, bare, ours), and
CPU time, which says what the page itself did.

**Bare** is React Flow as its quick start has it, of the same version, with the same nodes at the
same places as the same elements: no store, status, problem, document, minimap or grid. Of ten
nodes two are models, two data sets, five Finetuning nodes (one of them open with all its fields)
and one a note. Each frame gets one event: 60 steps of panning, of zooming out, in and back
(through the zoom below which our nodes fold, as they do once a zoom rests), and of dragging a node
with two edges. From {culled} nodes on both leave out what is not seen."""


def page(results: Results, machine: str) -> str:
    """All that was measured."""
    loads = [load for one in results.values() for load in one["load"]]
    pinned = json.loads((pages.JS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    libraries = (
        f"Preact {pinned['preact']} (ours), React {pinned['react']} (the bare canvas), "
        f"React Flow {pinned['@xyflow/react']}"
    )
    head = HEAD.format(
        machine=machine,
        libraries=libraries,
        low=min(loads),
        high=max(loads),
        culled=pages.CULLED_FROM,
    )
    parts = [_frames, _paint, _renders, _undo, _heap, _train]
    sections = [made for part in parts if (made := part(results))]
    return "\n\n".join([head, *(section.markdown() for section in sections)])


def _sizes(results: Results, part: str) -> list[tuple[int, Any]]:
    return [(n, results[f"{part}-{n}"]) for n in graphs.SIZES if f"{part}-{n}" in results]


def _frames(results: Results) -> Section | None:
    rows, told = [], []
    for size, result in _sizes(results, "frames"):
        for name in frames.GESTURES:
            both = frames.summary(result, name)
            ours, bare = both["ours"], both["bare"]
            rate, cpu = ours["rate"] / bare["rate"], bare["cpu"] / ours["cpu"]
            if size == graphs.SIZES[1]:
                told.append(f"{name} {rate:.2f} ({cpu:.2f} by CPU time)")
            rows.append(
                [
                    f"{size:,}",
                    name,
                    *(f"{both[k]['rate']:.1f}" for k in ("ours", "bare")),
                    f"{rate:.2f}",
                    *(f"{both[k]['median']:.1f} / {both[k]['p95']:.1f}" for k in ("ours", "bare")),
                    *(f"{both[k]['cpu']:.1f}" for k in ("ours", "bare")),
                    f"{cpu:.2f}",
                ]
            )
    if not rows:
        return None
    head = ["nodes", "gesture", "fps ours", "fps bare", "ratio", "ms a frame ours (median / p95)"]
    head += ["bare", "CPU ms a frame ours", "bare", "bare / ours"]
    return Section(
        "Frames",
        f"At 100 nodes our rate against the bare canvas is {', '.join(told)} (the aim: at least "
        "0.9). CPU time is that of the page's main thread.",
        head,
        rows,
    )


def _paint(results: Results) -> Section | None:
    rows = []
    for size, result in _sizes(results, "frames"):
        ours, bare = (statistics.median(result["paints"][k]) for k in ("ours", "bare"))
        shown = [middle(result["paints"][k], 0, "ms") for k in ("ours", "bare")]
        rows.append([f"{size:,}", *shown, f"{ours / bare:.1f}"])
    text = "From running the cell, imports done, to the first frame in which nodes are seen."
    return Section("First paint", text, ["nodes", "ours", "bare", "ratio"], rows) if rows else None


def _renders(results: Results) -> Section | None:
    rows = [
        [
            f"{size:,}",
            str(r["dragged"]),
            str(r["others"]),
            f"{r['outside'] / r['moves']:.0f}",
            f"{r['commit'] / 1024:.1f} KB",
        ]
        for size, r in _sizes(results, "counts")
    ]
    return (
        Section(
            "Renders of a drag, and the size of a commit",
            "Renders of components, in a drag of 50 moves and its drop, until that is saved; a "
            "test holds that they do not grow with the nodes. A commit carries the whole document.",
            ["nodes", "in the dragged node", "in all others", "outside, a move", "one commit"],
            rows,
        )
        if rows
        else None
    )


def _undo(results: Results) -> Section | None:
    rows = [[f"{n:,}", middle(r["undos"], 0, "ms")] for n, r in _sizes(results, "counts")]
    text = "From Ctrl+Z to the painted frame, of a node that was moved."
    return Section("Undo", text, ["nodes", "median of 7 (range)"], rows) if rows else None


def _heap(results: Results) -> Section | None:
    rows = []
    for name, title in (("edits", "edits of a field"), ("switches", "switches of the project")):
        if name in results:
            counts = [(int(k), v) for k, v in results[name].items() if k.isdigit()]
            rows += [
                [f"{n:,} {title}", f"{h['mb']:.1f} MB", f"{h['nodes']:,}", f"{h['listeners']:,}"]
                for n, h in sorted(counts, key=lambda one: one[0])
            ]
    if not rows:
        return None
    text = (
        "JavaScript heap of the whole page, JupyterLab included, once all garbage is "
        "collected. Elements and listeners are counted beside it."
    )
    switched = results.get("switches", {})
    if {"100", "200"} <= switched.keys():
        grown = (switched["200"]["mb"] - switched["100"]["mb"]) * 10  # KB a switch, of a hundred
        text += f" A switch among {heap.PROJECTS} projects keeps about {grown:.0f} KB."
    if times := results.get("switches", {}).get("times"):
        text += (
            f" With {heap.PROJECTS} projects, {heap.VISITED} of them visited in turn, a switch "
            f"takes {statistics.median(times):.0f} ms from the click to the frame (the aim: 100)."
        )
    return Section("Heap", text, ["after", "heap", "DOM nodes", "listeners"], rows)


def _train(results: Results) -> Section | None:
    if not (found := results.get("training")):
        return None
    rows = [
        ["the run is queued or runs, on the node", middle(found["first"], 0, "ms")],
        ["it runs", middle(found["running"], 0, "ms")],
    ]
    text = "From the click on Train to what the node shows, in a kernel that never trained before."
    return Section("Train", text, ["until", "median of 3 (range)"], rows)
