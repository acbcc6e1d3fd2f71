"""A paired change as it is written: its sign and interval, in colour only where it is clear."""

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.html import missing, text
from easymodel_nb.report.paired import Verdict, direction

_NO_PAIR = "there is no paired interval for it"


def gain_text(
    change: Measured | None, written: write.Written = write.points, *, unit: str = ""
) -> str:
    """A change and its interval, "+17.4 [14.9, 19.9]"; empty where there is none."""
    if change is None or change.value is None:
        return ""
    return f"{write.gain(change.value, written)}{unit} {write.bracket(change, written)}".strip()


def gain_html(
    change: Measured | None,
    written: write.Written = write.points,
    why: str = _NO_PAIR,
    *,
    better: Verdict = "rose",
    unit: str = "",
) -> str:
    """The same for a table: coloured only where the interval leaves out 0, n/a and why if none.

    `better` is the direction that is good; of "unknown" neither is.
    """
    if change is None or change.value is None:
        return missing(change.reason if change is not None and change.reason else why)
    says = direction(change)
    clear = says in {"rose", "fell"} and better != "unknown"
    mood = ("good" if says == better else "bad") if clear else "none"
    note = "no clear change" if says == "unclear" else ""
    # A narrow column may break it before the interval, not inside.
    told = gain_text(change, written, unit=unit).replace(", ", ",\u00a0")
    return text("span", told, f"emnb-{mood}", title=note)
