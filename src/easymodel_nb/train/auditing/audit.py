"""The audit: what a finetune node would train on, by its tokenizer and data alone.

It begins as a run does (`preparation`), so that it shows what a run trains on, and what it
tokenised is in the cache when the run starts. No weights are read, and nothing large is
downloaded.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.train import disk, planning
from easymodel_nb.train.auditing.audited import Audit, Bar
from easymodel_nb.train.auditing.verdict import judged, too_long
from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.dataset_splits import STREAM_ABOVE
from easymodel_nb.train.hub.large import TooLarge, megabytes
from easymodel_nb.train.hub.refusals import NO_ANSWER
from easymodel_nb.train.preparation import Preparation, parse, prepare
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.scratch import scratch
from easymodel_nb.train.tasks.figures import Counts, RowFigures
from easymodel_nb.workflow.document import FinetuneData

ANNOUNCED = STREAM_ABOVE  # bytes of a download from which on its size is said first
_BARS = 24
_EXAMPLES = 3
_CUT = 0.01  # share of the rows that may be cut unasked
_CLASSES = 200
_SHORTEST = 16
# Only the network was in the way: the run will say it if it still is.
_NOT_HERE = NO_ANSWER


def audit(
    request: dict[str, Any],
    home: Path,
    token: Callable[[], str | None],
    control: Control,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Look at everything of a finetune node that needs no weights; what is wrong is in the answer.

    `request` is as a run has it, with the model or the root model of a chain. Problems stand on
    their nodes and fields.

    Raises
    ------
    Stopped
        When a stop was asked for.

    """
    accept = parse(FinetuneData, request["node"]).accept
    node = str(request["node"]["id"])
    with (
        scratch(home) as folder,
        quiet(LogBuffer(redact)),
    ):
        reporter = Unlogged(home, folder, on_stage=on_stage)
        try:
            ready = prepare(request, token, control, reporter, weights=False, limit=ANNOUNCED)
            found = _counted(ready, control)
        except TooLarge as error:
            told = error.at(str(request["dataset"]["id"])).problems
            return Audit(
                state="unknown",
                message=told[0].message,
                problems=told,
                download_bytes=error.bytes,
            )
        except StudioError as error:
            problems = error.at(node).problems
            if any(problem.code in _NOT_HERE for problem in problems):
                return Audit(state="unknown", message=problems[0].message, problems=problems)
            found = Audit(state="done", problems=problems)
        found.problems += StudioError(reporter.warnings).at(node).problems
        found.disk_free = shutil.disk_usage(_existing(home)).free
    return judged(found, accept)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _counted(ready: Preparation, control: Control) -> Audit:
    """The figures of what was prepared."""
    control.check()
    task, prepared, data = ready.task, ready.prepared, ready.chooser.data
    figures = task.figures()
    steps = planning.steps_per_epoch(data, len(prepared.train))
    rows, cut = len(figures.lengths), int(figures.cut.sum())
    wanted, learned = int(figures.targets.sum()), int(figures.learned.sum())
    parts = figures.unit == "tokens"  # of a target that can be cut in the middle
    classes = sorted(task.classes().items(), key=lambda item: -item[1])
    places = example_places(figures)
    control.check()
    written = disk.needed(task)
    found = Audit(
        state="done",
        rows=rows,
        eval_rows=prepared.eval_rows,
        split_rows=ready.splits.train.num_rows,
        dropped=_dropped(ready),
        duplicates=ready.drawn.duplicates,
        overlap=ready.drawn.overlap,
        classes=dict(classes[:_CLASSES]),
        examples_per_epoch=len(prepared.train),
        windowed=figures.windowed,
        tokens=figures.tokens,
        learned_tokens=learned,
        learned_unit=figures.unit,
        lengths=histogram(figures.lengths, data.max_length),
        median_length=float(np.median(figures.lengths)) if rows else None,
        longest=int(figures.lengths.max()) if rows else None,
        max_length=data.max_length,
        positions=ready.positions,
        suggested_length=suggested(figures, ready.positions),
        cut_rows=cut,
        cut_share=cut / rows if rows else None,
        cut_target_tokens=wanted - learned if parts else None,
        cut_target_share=(wanted - learned) / wanted if parts and wanted else None,
        empty_rows=int((figures.learned == 0).sum()),
        examples=task.rendered(places),
        steps=steps * data.epochs,
        steps_per_epoch=steps,
        parameters=written.parameters if written else None,
        model_bytes=written.model_bytes if written else None,
        disk_bytes=written.most if written else None,
        download_bytes=ready.model_folder.missing_bytes or None,
        choices=[choice.model_dump(mode="json") for choice in ready.chooser.choices],
    )
    found.problems = [*ready.found(), *_problems(ready, found)]
    return found


def _dropped(ready: Preparation) -> dict[str, int]:
    """Rows that were left out, by the reason; some are found out only when they are read."""
    found = dict(ready.drawn.dropped)
    if ready.prepared.dropped_rows:
        found["give nothing to learn"] = ready.prepared.dropped_rows
    return found


def _problems(ready: Preparation, found: Audit) -> list[Problem]:
    node, problems = ready.node, []
    rows, cut = found.rows or 0, found.cut_rows or 0
    limit = found.max_length or 0
    if not found.learned_tokens:
        problems.append(
            Problem(
                code="rows.nothing_learned",
                message=f"No row keeps anything to learn: all of the {rows:,} rows are only read, "
                f"or cut off at {limit:,} tokens. Set a greater maximum length, or choose other "
                "columns.",
                node=node,
                field="max_length" if cut else "target_field",
            )
        )
    elif found.empty_rows:
        problems.append(
            Problem(
                code="rows.empty_targets",
                severity="note",
                message=f"{found.empty_rows:,} of {rows:,} rows have nothing to learn and are "
                "left out of each epoch.",
                node=node,
            )
        )
    if rows and cut / rows > _CUT:
        problems.append(too_long(cut, rows, node, limit, found.suggested_length))
    missing = ready.model_folder.missing_bytes
    if missing > ANNOUNCED:
        problems.append(
            Problem(
                code="download.model",
                severity="note",
                message=f"{ready.model_folder.name} takes a download of {megabytes(missing)}, "
                "which begins when training starts.",
                node=ready.model_node,
                field="source",
            )
        )
    return problems


# ---------------------------------------------------------------- figures


def histogram(lengths: Counts, max_length: int) -> list[Bar]:
    """At most 24 bars of one width, a whole number that begins a bar behind `max_length`.

    Widths are 1, 2, 5, 10, 20, 50 ... or, where that fits, a divisor of max_length, so that what
    is longer than it stands in bars of its own.
    """
    if not len(lengths):
        return []
    longest = int(lengths.max())
    width = _width(longest, max_length)
    counts = np.bincount((lengths - 1).clip(0) // width)
    return [
        Bar(low=place * width + 1, high=(place + 1) * width, count=int(count))
        for place, count in enumerate(counts)
    ]


def _width(longest: int, max_length: int) -> int:
    least = -(-longest // _BARS)
    divisors = (w for w in range(least, 4 * least + 1) if max_length % w == 0)
    return next(divisors, least)


def suggested(figures: RowFigures, positions: int | None) -> int | None:
    """The least usual length at which at most 1 % of the rows are cut; at most the positions.

    None where long rows are read in windows, so that none is cut.
    """
    if figures.windowed or not len(figures.lengths):
        return None
    length = _SHORTEST
    while (figures.lengths > length).mean() > _CUT:
        length *= 2
        if positions is not None and length >= positions:
            return positions
    return length if positions is None else min(length, positions)


def example_places(figures: RowFigures) -> list[int]:
    """Which rows are shown: the first ones, and one that is cut where there is one."""
    places = list(range(min(_EXAMPLES, len(figures.lengths))))
    cut = np.flatnonzero(figures.cut)
    if len(cut) and not figures.cut[places].any():
        places[-1] = int(cut[0])
    return places
