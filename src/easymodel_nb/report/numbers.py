"""How numbers are written in the dashboard: one place, pure, the same everywhere."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from easymodel_nb.measured import Measured

MINUS = "\u2212"
TIMES = "\u00d7"
_THOUSAND, _TEN_THOUSAND, _MILLION = 1_000, 10_000, 1_000_000
Written = Callable[[float], str]  # how a number is written
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def signed(text: str) -> str:
    """The same number with a real minus sign."""
    return text.replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """A plain number with that many significant digits: 13.2, 212, 1,230, 38.2 k, 4.9e8."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "n/a"
    rounded = float(f"{value:.{digits - 1}e}")
    size = abs(rounded)
    if size >= _MILLION:
        return signed(f"{value:.1e}".replace("e+0", "e").replace("e+", "e"))
    if size >= _TEN_THOUSAND:
        return signed(f"{_fixed(rounded / _THOUSAND, digits)} k")
    return signed(_fixed(rounded, digits))


def _fixed(value: float, digits: int) -> str:
    before_point = math.floor(math.log10(abs(value))) + 1
    return f"{value:,.{max(0, digits - before_point)}f}"


def perplexity(value: float) -> str:
    """A perplexity, three significant digits."""
    return significant(value, 3)


def score(value: float) -> str:
    """A score of a task: three decimals where it ends at 1, three digits where it ends at 100."""
    return signed(f"{value:.3f}") if abs(value) <= 1 else significant(value)


def percent(ratio: float) -> str:
    """A change by `ratio`, -0.46 say: whole, with its sign (a real minus), "-46 %".

    Between 99 and 100 percent one decimal more, so that nothing falls by all there is.
    """
    value = ratio * 100
    digits = 1 if 99 < abs(value) < 100 else 0  # noqa: PLR2004
    if digits and round(abs(value), 1) == 100:  # noqa: PLR2004
        return signed(f"{math.copysign(99.9, value):+.1f}") + " %"
    text = f"{value:+.{digits}f}"
    return (signed(text) if float(text) else "0") + " %"


def percents(value: float) -> str:
    """A change that is counted in percent, without its unit: "-46" with a real minus."""
    return percent(value / 100).removesuffix(" %").removeprefix("+")


def difference(before: float, after: float) -> str:
    """A change of a score: two decimals where it ends at 1, one where it ends at 100."""
    digits = 1 if max(abs(before), abs(after)) > 2 else 2  # noqa: PLR2004
    text = f"{after - before:+.{digits}f}"
    return signed(text) if float(text) else "0"


def change(value: float) -> str:
    """An end of an interval of a change of a score: two decimals where it ends at 1, else one."""
    return cosine(value) if abs(value) <= 1 else points(value)


def level(measured: Measured, number: Callable[[float], str] = significant) -> str:
    """The interval of a level, "12.6 to 13.8", or an empty text."""
    if measured.low is None or measured.high is None:
        return ""
    return f"{number(measured.low)} to {number(measured.high)}"


def cosine(value: float) -> str:
    """A cosine, or a share from 0 to 1: two decimals."""
    text = f"{value:.2f}"
    return signed(text) if float(text) else "0.00"


def points(value: float) -> str:
    """Points of 100: one decimal."""
    text = f"{value:.1f}"
    return signed(text) if float(text) else "0.0"


def whole(value: float) -> str:
    """Points of 100 without decimals, for the axes of a table."""
    return signed(f"{value:.0f}") if round(value) else "0"


def gain(value: float, number: Callable[[float], str] = points) -> str:
    """A change with its sign: "+17.4"."""
    text = number(value)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def times(value: float) -> str:
    """A ratio with a times sign, "1.9x"; two decimals where one would hide that it is not 1."""
    hidden = round(value, 1) == 1 and value != 1
    return (f"{value:.2f}" if hidden or value < 1 else f"{value:.1f}") + TIMES


def bracket(measured: Measured, number: Callable[[float], str] = points) -> str:
    """The interval beside a change, "[14.9, 19.9]", or an empty text."""
    if measured.low is None or measured.high is None:
        return ""
    return f"[{number(measured.low)}, {number(measured.high)}]"


def share(value: float) -> str:
    """A share from 0 to 1 as a whole percent: "71 %"; never 0 or 100 where it is not."""
    percent_ = round(100 * value)
    if percent_ == 0 and value > 0:
        return "under 1 %"
    return "over 99 %" if percent_ == 100 and value < 1 else f"{percent_} %"  # noqa: PLR2004


def memory(count_of_bytes: float) -> str:
    """Memory in gigabytes (10^9 bytes): "0.6 GB"; megabytes below a tenth."""
    if count_of_bytes < 1e8:  # noqa: PLR2004
        return f"{count_of_bytes / 1e6:.0f} MB"
    return f"{count_of_bytes / 1e9:.1f} GB"


def count(value: float) -> str:
    """A count: with a comma up to 9,999, "38 k" and "1.2 M" above."""
    if value >= _MILLION:
        return f"{significant(value / _MILLION, 2)} M"
    if value >= _TEN_THOUSAND:
        thousands = round(value / _THOUSAND)
        return f"{thousands} k" if thousands < _THOUSAND else "1 M"
    return f"{round(value):,}"


def rate(value: float) -> str:
    """A rate in units a second."""
    return count(value) if value >= 10 else significant(value, 2)  # noqa: PLR2004


def learning_rate(value: float) -> str:
    """A learning rate: "5e-5", "3.2e-4", "0"."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def duration(seconds: float) -> str:
    """A duration: "50 s", "1 min 23 s", "2 h 05 min"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def about(seconds: float) -> str:
    """A duration that is only an estimate: whole seconds to 10, then steps of 5, then minutes."""
    if seconds < 10:  # noqa: PLR2004
        return f"{max(1, round(seconds))} s"
    if seconds < 58:  # noqa: PLR2004
        return f"{max(10, 5 * round(seconds / 5))} s"
    if seconds < 3600:  # noqa: PLR2004
        return f"{max(1, round(seconds / 60))} min"
    return duration(round(seconds / 60) * 60)


def moment(iso: str) -> str:
    """A moment in the kernel's time zone: "22 Nov 14:08"; an unreadable one as it is."""
    try:
        when = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    return f"{when.day} {_MONTHS[when.month - 1]} {when:%H:%M}"


def between(start: str | None, end: str | None) -> float | None:
    """Seconds between two moments, or None when one is missing or they are turned round."""
    if not start or not end:
        return None
    try:
        span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (TypeError, ValueError):
        return None
    return span.total_seconds() if span >= timedelta(0) else None


def epoch(value: float) -> str:
    """An epoch: "2", or "1.5" between two."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}".rstrip("0")


def plural(number: float, word: str, many: str = "") -> str:
    """A number and its noun: "1 epoch", "3 epochs", "1,501 rows", "2 classes"."""
    text = count(number)
    return f"{text} {word}" if text == "1" else f"{text} {many or word + 's'}"


def brief(label: str, most: int = 40) -> str:
    """A label that fits into a title."""
    return label if len(label) <= most else label[: most - 1].rstrip() + "\u2026"
