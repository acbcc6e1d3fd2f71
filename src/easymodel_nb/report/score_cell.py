"""The cell of one score in the samples: the gain, and what both answers scored."""

from collections.abc import Mapping

from easymodel_nb.report.html import QUIET_KEYS, missing, tag, text
from easymodel_nb.report.numbers import signed
from easymodel_nb.report.sample_rows import AXES, SampleRow, gain, score_name, scored

_CLEAR = 0.5  # of a point: what is shown as 0 has no colour


def score_head(key: str, names: Mapping[str, str] | None) -> str:
    """The name of a column of scores."""
    title = "Tuned minus base, in points of 100; below it base and tuned"
    return text("span", score_name(key, names), title=title)


def score_cell(row: SampleRow, key: str, names: Mapping[str, str] | None, *, rest: bool) -> str:
    """Gain in points, base and tuned below; with `rest` the axes behind a click.

    The overall score runs from 2 to 100, the axes from 0 to 1: all are written out of 100.
    """
    before, after = (_points(scored(row, side, key), key) for side in ("base", "tuned"))
    if before is None and after is None:
        return missing("this answer has no score")
    change = gain(row, key)
    change = None if change is None else change * _scale(key)
    main = _gain(change) if change is not None else missing("only one of the two has a score")
    parts = [main, text("div", f"{_short(before)} \u2192 {_short(after)}", "emnb-note")]
    axes = [axis for axis in AXES if _has(row, axis)] if rest and key not in AXES else []
    if axes:
        lines = "".join(_axis(row, axis, names) for axis in axes)
        summary = f'<summary class="emnb-link" {QUIET_KEYS}>axes</summary>'
        parts.append(tag("details", summary + tag("dl", lines, "emnb-axes"), "emnb-axes-more"))
    return "".join(parts)


def _gain(change: float) -> str:
    shown = signed(f"{change:+.0f}") if abs(change) >= _CLEAR else "0"
    mood = "good" if change >= _CLEAR else "bad" if change <= -_CLEAR else "flat"
    return text("span", shown, f"emnb-{mood}")


def _axis(row: SampleRow, axis: str, names: Mapping[str, str] | None) -> str:
    before, after = (_points(scored(row, side, axis), axis) for side in ("base", "tuned"))
    return text("dt", score_name(axis, names)) + text(
        "dd", f"{_short(before)} \u2192 {_short(after)}"
    )


def _has(row: SampleRow, axis: str) -> bool:
    return any(scored(row, side, axis) is not None for side in ("base", "tuned"))


def _scale(key: str) -> float:
    return 1.0 if key == "overall" else 100.0


def _points(value: float | None, key: str) -> float | None:
    return None if value is None else value * _scale(key)


def _short(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0f}"
