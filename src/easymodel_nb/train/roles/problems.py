"""Sentences about columns that are absent, unclear or of the wrong kind."""

import difflib
from collections.abc import Sequence

import pyarrow as pa

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.train.roles.names import normal
from easymodel_nb.workflow.check import label_of

_SHOWN = 12
_CLOSE = 0.5


def listed(columns: Sequence[str]) -> str:
    """Column names for a sentence, the first dozen."""
    shown = ", ".join(columns[:_SHOWN])
    return f"{shown} ..." if len(columns) > _SHOWN else shown


def missing(table: pa.Table, field: str, path: str, likely: Sequence[str]) -> Problem:
    """A named column that is not there, with the closest name as the fix.

    `likely` are the paths that could play the role, likeliest first.
    """
    names = list(dict.fromkeys(table.schema.names))
    pool = list(dict.fromkeys([*likely, *names]))
    guess = next((name for name in pool if normal(name) == normal(path)), None)
    if guess is None:
        by_name = {normal(name): name for name in reversed(pool)}
        close = difflib.get_close_matches(normal(path), list(by_name), 1, _CLOSE)
        guess = by_name[close[0]] if close else (likely[0] if len(likely) == 1 else None)
    return Problem(
        code="column.missing",
        message=f"{label_of(field)}: there is no column {path!r}. "
        f"The data has {listed(names) or 'no columns'}.",
        field=field,
        fix=use(field, guess) if guess and field != "template" else None,
    )


def use(field: str, path: str) -> Fix:
    """A click that names the column."""
    return Fix(label=f"Use {path!r}", set=[FieldChange(node="", field=field, value=path)])


def unclear(
    field: str, why: str, likely: Sequence[str], code: str = "column.unclear"
) -> StudioError:
    """A role that could be played by several columns, or by none that is sure."""
    names = list(likely)
    ask = f" Likely are {listed(names)}: choose one." if len(names) > 1 else ""
    if len(names) == 1:
        ask = f" Likely is {names[0]!r}."
    return StudioError(
        Problem(
            code=code,
            message=f"{label_of(field)} could not be chosen: {why}.{ask}",
            field=field,
            fix=use(field, names[0]) if names else None,
        )
    )


def none_fits(table: pa.Table, field: str, why: str, code: str, advice: str = "") -> StudioError:
    """A role that no column can play."""
    names = list(dict.fromkeys(table.schema.names))
    return StudioError(
        Problem(
            code=code,
            message=f"{label_of(field)} could not be chosen: {why}. "
            f"The data has {listed(names) or 'no columns'}.{' ' + advice if advice else ''}",
            field=field,
        )
    )
