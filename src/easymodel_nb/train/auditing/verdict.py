"""The verdict on an audit: what its figures and problems mean for the strip in the node.

Cheap and without the trainer, so that it is made anew whenever a tick is set or a fit check is
done, from figures that stay the same.
"""

from collections.abc import Sequence

from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.train.auditing.audited import Audit, Cell, Fit, Sign

CUT_ROWS = "rows.cut"
_SOME_CUT = 0.01  # share of the rows up to which the cell is green
_LONG_SECONDS = 2 * 3600
_FULL, _TIGHT = 1.0, 0.8  # of the memory that is free
_PLAIN_BELOW = 10_000
_MINUTE, _HOUR = 60, 3600


def judged(audit: Audit, accept: Sequence[str], *, disk_free: int | None = None) -> Audit:
    """The audit with its cells and its verdict, where it is done.

    `accept` are the codes that the user ticked; `disk_free` is newer than what the audit saw.
    """
    if audit.state != "done":
        return audit
    free = audit.disk_free if disk_free is None else disk_free
    problems = [*audit.problems, *_disk(audit, free)]
    every = [*problems, *(audit.fit.problems if audit.fit else [])]
    asked = [p.code for p in every if p.severity == "ask"]
    open_ = [code for code in asked if code not in accept]
    verdict: Sign = (
        "red" if any(p.severity == "error" for p in every) else "amber" if open_ else "green"
    )
    return audit.model_copy(
        update={
            "verdict": verdict,
            "problems": problems,
            "disk_free": free,
            "accepted": [code for code in dict.fromkeys(asked) if code in accept],
            "cells": [_rows(audit), _tokens(audit), _cut(audit), *_measured(audit.fit)],
        }
    )


def blocking(audit: Audit) -> list[Problem]:
    """What keeps the node from being trained."""
    return [p for p in audit.problems if p.severity == "error"] if audit.state == "done" else []


def open_questions(audit: Audit) -> list[Problem]:
    """What the user is asked and has not ticked."""
    if audit.state != "done":
        return []
    return [p for p in audit.problems if p.severity == "ask" and p.code not in audit.accepted]


# ---------------------------------------------------------------- cells


def _rows(audit: Audit) -> Cell:
    if audit.rows is None:
        return Cell(name="rows")
    why = f"{audit.rows:,} rows are trained"
    if audit.eval_rows is not None:
        why += f", {audit.eval_rows:,} measured"
    left = sum(audit.dropped.values())
    why += f"; {left:,} left out." if left else "."
    sign: Sign = "red" if not audit.learned_tokens else "green"
    return Cell(name="rows", text=short(audit.rows), sign=sign, why=why)


def _tokens(audit: Audit) -> Cell:
    if audit.tokens is None:
        return Cell(name="tokens")
    why = (
        f"One epoch reads {audit.tokens:,} tokens and learns {audit.learned_tokens or 0:,} "
        f"{audit.learned_unit}."
    )
    sign: Sign = "red" if not audit.learned_tokens else "green"
    return Cell(name="tokens", text=short(audit.tokens), sign=sign, why=why)


def _cut(audit: Audit) -> Cell:
    if audit.cut_share is None or audit.rows is None:
        return Cell(name="cut")
    limit = f"{audit.max_length:,} tokens" if audit.max_length else "the longest text"
    why = f"{audit.cut_rows or 0:,} of {audit.rows:,} rows lose tokens beyond {limit}."
    if audit.windowed and not audit.cut_rows:
        why = f"Nothing is cut: texts longer than {limit} are read in windows."
    sign: Sign = "green" if audit.cut_share <= _SOME_CUT else "amber"
    if not audit.learned_tokens:
        sign = "red"
    return Cell(name="cut", text=percent(audit.cut_share), sign=sign, why=why)


def _measured(fit: Fit | None) -> list[Cell]:
    if fit is None:
        return [Cell(name="time"), Cell(name="memory")]
    time = Cell(name="time", why=fit.time_why)
    if fit.seconds is not None:
        slow: Sign = "amber" if fit.seconds > _LONG_SECONDS else "green"
        time = Cell(name="time", text=duration(fit.seconds), sign=slow, why=fit.time_why)
    share = fit.memory_bytes / fit.free_bytes if fit.free_bytes else 2 * _FULL
    sign: Sign = "green" if share <= _TIGHT else "amber" if share <= _FULL else "red"
    if any(problem.severity == "error" for problem in fit.problems):
        sign = "red"
    text = gigabytes(fit.memory_bytes)
    return [time, Cell(name="memory", text=text, sign=sign, why=fit.memory_why)]


# ---------------------------------------------------------------- the disk


def _disk(audit: Audit, free: int | None) -> list[Problem]:
    model, most = audit.model_bytes, audit.disk_bytes
    if model is None or most is None or free is None or most <= free:
        return []
    where = f"{gigabytes(free)} are free on the disk of the home."
    help_ = "Free some space, choose a home on another disk, or train with LoRA, whose files hold "
    if model > free:
        return [
            Problem(
                code="disk.model",
                message=f"The trained model takes {gigabytes(model)} and {where} {help_}the "
                "adapters alone.",
                field="method",
            )
        ]
    return [
        Problem(
            code="disk.checkpoints",
            severity="ask",
            message=f"Model and checkpoints take up to {gigabytes(most)} and {where} Checkpoints "
            "are written while there is room; without one, a run that is interrupted starts "
            f"again. {help_}the adapters alone.",
            field="method",
        )
    ]


def too_long(cut: int, rows: int, node: str, limit: int, suggested: int | None) -> Problem:
    """What is asked where more than a few rows are cut."""
    fix = None
    remedy = "Shorten the longest rows, or accept it."
    if suggested is not None and suggested > limit:
        remedy = (
            f"With a maximum length of {suggested:,} at most 1 % would be, at the cost of time."
        )
        change = FieldChange(node=node, field="max_length", value=suggested)
        fix = Fix(label=f"Set {suggested:,}", set=[change])
    return Problem(
        code=CUT_ROWS,
        severity="ask",
        message=f"{cut:,} of {rows:,} rows ({percent(cut / rows)}) are longer than {limit:,} "
        f"tokens and would be cut. {remedy}",
        node=node,
        field="max_length",
        fix=fix,
    )


# ---------------------------------------------------------------- numbers in words


def short(count: int) -> str:
    """A count as a cell shows it: 1,000 or 38 k or 1.2 M."""
    if count < _PLAIN_BELOW:
        return f"{count:,}"
    if count < 1_000_000:  # noqa: PLR2004
        return f"{count / 1e3:.0f} k"
    return f"{count / 1e6:.3g} M"


def percent(share: float) -> str:
    """A share: 0 %, 0.4 %, 6.1 %, 23 %."""
    value = 100 * share
    digits = 0 if value == 0 or value >= 10 else 1  # noqa: PLR2004
    return f"{value:.{digits}f} %" if value == 0 or value >= 0.1 else "< 0.1 %"  # noqa: PLR2004


def duration(seconds: float) -> str:
    """A time: 50 s, 1 min 23 s, 2 h 05 min."""
    whole = max(1, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def gigabytes(count: int) -> str:
    """A size: 0.6 GB, 43 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 100e6 else f"{count / 1e6:.0f} MB"  # noqa: PLR2004
