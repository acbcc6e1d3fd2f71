"""Two runs compared text by text: who does better on how many texts, and by how much in all.

Both have scored the very same texts (equal digests), so what makes a text hard cancels. The
interval is a paired bootstrap over the texts; "better" is said only where it excludes no change.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from easymodel_nb.measured import FEW, Measured
from easymodel_nb.report.answers import judges
from easymodel_nb.report.compared import ComparedRun
from easymodel_nb.runlog.scores import Scores, Values

_LANGUAGE = frozenset({"generation", "seq2seq"})
_SAME = 1e-9  # of a text's score: less is a tie
_MOST_KNOWN = 256  # pairs
_KNOWN: "dict[Hashable, Pair]" = {}
_COUNTS = ("true_positives", "false_positives", "false_negatives")


@dataclass(frozen=True)
class Pair:
    """A run against the reference: the change of a number, and on how many texts it is better.

    `better` is True or False where the interval of `change` says so, else None. `change.reason`
    says why there is none.
    """

    name: str  # of the number
    change: Measured
    higher: bool = True  # whether more is better
    percent: bool = False  # the change is in percent
    wins: int = 0
    ties: int = 0
    losses: int = 0

    @property
    def better(self) -> bool | None:
        """What the interval carries."""
        low, high = self.change.low, self.change.high
        if self.change.value is None or low is None or high is None or low <= 0 <= high:
            return None
        return (low > 0) == self.higher


def compare(run: ComparedRun, reference: ComparedRun) -> Pair:
    """The run against the reference by the texts that were held out; computed once."""
    key = (_identity(run), _identity(reference))
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[key] = _compared(run, reference)
    return found


def _identity(run: ComparedRun) -> Hashable:
    """What tells the scores of a run's model from any others."""
    scored = run.at("validation")
    if scored is None:
        return (run.kind, run.view.id)
    sums = tuple(
        (name, len(column), math.fsum(v for v in column if v is not None))
        for name, column in scored.values.items()
    )
    return (run.kind, scored.digest, sums)


def _compared(run: ComparedRun, reference: ComparedRun) -> Pair:
    if run.kind != reference.kind:
        words = run.kind.replace("_", " "), reference.kind.replace("_", " ")
        return _none(f"it was trained for {words[0]}, the reference for {words[1]}")
    pair = run.at("validation"), reference.at("validation")
    if why := _incomparable(*pair):
        return _none(why)
    mine, theirs = (found.values for found in pair if found is not None)
    if run.kind in _LANGUAGE:
        return _language(mine, theirs)
    if run.kind == "classification":
        return _accuracy(mine, theirs)
    return _tags(mine, theirs)


def compare_answers(run: ComparedRun, reference: ComparedRun) -> Pair | None:
    """The run against the reference by the quality of its answers; None where none was scored."""
    mine, theirs = run.at("prompts"), reference.at("prompts")
    if mine is None or theirs is None or _incomparable(mine, theirs):
        return None
    if judges(run.view) != judges(reference.view):
        return replace(_none("its answers were scored by other judges"), name="GQS")
    after, before = mine.values.get("overall"), theirs.values.get("overall")
    if after is None or before is None or len(after) != len(before):
        return None
    if len(after) < FEW:
        few = f"its answers are too few to be scored: {len(after)} of {FEW}"
        return replace(_none(few), name="GQS")
    from easymodel_nb.metrics.alike import WEIGHTS, alike_columns  # noqa: PLC0415  numpy
    from easymodel_nb.metrics.stats import paired_difference  # noqa: PLC0415

    if WEIGHTS.keys() <= mine.values.keys() & theirs.values.keys():
        after, before = alike_columns(mine.values, theirs.values)

    change = paired_difference(after, before, unit="points")
    return _counted("GQS", change, [_minus(a, b) for a, b in zip(after, before, strict=True)])


def best_of(runs: Sequence[ComparedRun], reference: ComparedRun) -> ComparedRun | None:
    """The run that is better than every other one of those that compare, if there is one.

    It is looked for by its change against the reference, and then has to be better than each
    other run by their own paired interval.
    """
    group = [run for run in runs if compare(run, reference).change.value is not None]
    if len(group) < 2:  # noqa: PLR2004  nothing to be better than
        return None

    def gain(run: ComparedRun) -> float:
        found = compare(run, reference)
        return (found.change.value or 0.0) * (1.0 if found.higher else -1.0)

    leader = max(group, key=gain)
    others = [run for run in group if run is not leader]
    return leader if all(compare(leader, other).better for other in others) else None


# ------------------------------------------------------------ by kind


def _language(mine: Values, theirs: Values) -> Pair:
    """Perplexity in percent over the same tokens; of other tokenizers bits per byte."""
    from easymodel_nb.metrics.stats import (  # noqa: PLC0415  numpy
        paired_ratio_change,
        ratio_interval,
    )

    nll = _whole(mine, "nll"), _whole(theirs, "nll")
    tokens = _whole(mine, "tokens"), _whole(theirs, "tokens")
    if not nll[0] or len(nll[0]) != len(nll[1]):
        return _none("a text of one of them has no finite likelihood")
    if tokens[0] and tokens[0] == tokens[1]:
        counts = [int(count) for count in tokens[0]]
        after, before = (list(zip(side, counts, strict=True)) for side in nll)
        change = paired_ratio_change(after, before)
        gains = [(a - b) / max(1, n) for a, b, n in zip(*nll, counts, strict=True)]
        return _counted("perplexity", change, gains, higher=False, percent=True)
    sizes = _whole(mine, "bytes"), _whole(theirs, "bytes")
    if not sizes[0] or sizes[0] != sizes[1]:
        return _none("its tokenizer cuts the texts in other tokens, so perplexities do not compare")
    differences = [(a - b) / math.log(2) for a, b in zip(*nll, strict=True)]
    value = math.fsum(differences) / math.fsum(sizes[0])
    low, high = ratio_interval(differences, sizes[0], resamples=2000) or (None, None)
    change = Measured(value=value, low=low, high=high, n=len(differences), unit="bits per byte")
    gains = [d / max(1.0, size) for d, size in zip(differences, sizes[0], strict=True)]
    return _counted("bits per byte", change, gains, higher=False)


def _accuracy(mine: Values, theirs: Values) -> Pair:
    from easymodel_nb.metrics.stats import paired_difference  # noqa: PLC0415  numpy

    after, before = mine.get("correct"), theirs.get("correct")
    if after is None or before is None or len(after) != len(before):
        return _none("which of its texts are right was not kept")
    change = paired_difference(after, before)
    gains = [_minus(a, b) for a, b in zip(after, before, strict=True)]
    return _counted("accuracy", change, gains)


def _tags(mine: Values, theirs: Values) -> Pair:
    """Entity F1 from counts summed over the texts; without entities the share of right words."""
    from easymodel_nb.metrics.stats import ratio_interval  # noqa: PLC0415  numpy

    counts = [_whole(side, name) for side in (mine, theirs) for name in _COUNTS]
    if all(counts) and len({len(column) for column in counts}) == 1:
        errors = [
            (fp_b + fn_b) - (fp_a + fn_a)
            for _, fp_a, fn_a, _, fp_b, fn_b in zip(*counts, strict=True)
        ]
        return _counted("entity F1", _f1_change(counts), errors)
    right, words = (_whole(mine, "correct"), _whole(theirs, "correct")), _whole(mine, "tokens")
    if not right[0] or len(right[0]) != len(right[1]) or len(words) != len(right[0]):
        return _none("which of its words are right was not kept")
    gains = [a - b for a, b in zip(*right, strict=True)]
    low, high = ratio_interval(gains, words, resamples=2000) or (None, None)
    value = math.fsum(gains) / max(1.0, math.fsum(words))
    return _counted("word accuracy", Measured(value=value, low=low, high=high, n=len(gains)), gains)


def _f1_change(counts: Sequence[Sequence[float]]) -> Measured:
    import numpy as np  # noqa: PLC0415

    from easymodel_nb.metrics.stats import interval, resampled  # noqa: PLC0415

    columns = np.array(counts, dtype=np.float64)
    n = columns.shape[1]

    def f1(sums: Any) -> Any:
        found = []
        for tp, fp, fn in (sums[:3], sums[3:]):
            bottom = 2 * tp + fp + fn
            found.append(np.where(bottom > 0, 2 * tp / np.maximum(bottom, 1), 0.0))
        return found[0] - found[1]

    value = float(f1(columns.sum(axis=1)[:, None])[0])
    bounds = interval(f1(resampled(columns, seed=0))) if n > 1 else None
    low, high = bounds or (None, None)
    return Measured(value=value, low=low, high=high, n=n)


# ------------------------------------------------------------ helpers


def _incomparable(mine: Scores | None, theirs: Scores | None) -> str:
    """Why two sets of scores cannot be paired; empty where they can."""
    if mine is None or theirs is None:
        whose = "its" if mine is None else "the reference's"
        return f"{whose} scores text by text are not there"
    if mine.digest != theirs.digest:
        return "it was measured on other texts than the reference"
    return ""


def _none(why: str) -> Pair:
    return Pair("", Measured.missing(f"{why[:1].upper()}{why[1:]}."))


def _counted(
    name: str,
    change: Measured,
    gains: Sequence[float | None],
    *,
    higher: bool = True,
    percent: bool = False,
) -> Pair:
    """Wins, ties and losses by the sign of what each text gained."""
    sign = 1.0 if higher else -1.0
    known = [sign * gain for gain in gains if gain is not None]
    wins = sum(gain > _SAME for gain in known)
    losses = sum(gain < -_SAME for gain in known)
    ties = len(known) - wins - losses
    return Pair(name, change, higher, percent, wins, ties, losses)


def _whole(values: Values, name: str) -> list[float]:
    """The values of all texts; empty where one has none."""
    found = values.get(name) or []
    return [] if None in found else [float(value or 0.0) for value in found]


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
