"""The page: who was compared with whom, who is faster by how much, and the loss beside it.

Ratios are taken within a round, where all ran one after the other, and the median of the rounds is
given with the least and the greatest.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from peers.launch import Form
from peers.registry import BASE, HELD, OURS, PADDED, PEERS
from peers.results import Found, Results, Row, seconds_to, speed
from peers.workloads import EPOCHS, WORKLOADS, Workload

NEAR = 1.01  # a row counts within 1 % of the loss of the HF Trainer, or below
_GB = 1e9


@dataclass(frozen=True)
class Measured:
    """One peer on one workload: what its rounds and its seeds gave."""

    rates: dict[int, Found]  # by round
    losses: dict[int, Found]  # by seed
    errors: tuple[str, ...] = ()

    @classmethod
    def of(cls, results: Results, workload: str, peer: str, rounds: int, seeds: int) -> "Measured":
        """What is there of it."""
        found: dict[str, dict[int, Found]] = {"speed": {}, "loss": {}}
        errors = []
        for mode, count in (("speed", rounds), ("loss", seeds)):
            for number in range(1, count + 1):
                one = results.get(Row(mode, workload, peer, number))
                if one is None:
                    continue
                if "error" in one:
                    errors.append(str(one["error"]))
                else:
                    found[mode][number] = one
        rates = {number: speed(one) for number, one in found["speed"].items()}
        return cls(rates, found["loss"], tuple(dict.fromkeys(errors)))

    def middle(self, name: str) -> float:
        """The median of the rounds."""
        return float(statistics.median(rate[name] for rate in self.rates.values()))

    @property
    def final(self) -> dict[int, float]:
        """The held-out loss of the last weights, by seed."""
        return {seed: last(one) for seed, one in self.losses.items()}


_BRIEF = {
    OURS: "ours, auto",
    HELD: "ours, 32 bits",
    "hf-bf16": "HF, grouped by length, bf16",
    "trl-best": "TRL, best settings",
}


def last(found: Found) -> float:
    """The loss of the last weights that were kept."""
    return float(found["losses"][str(max(map(int, found["losses"])))])


def spread(values: Iterable[float], form: str = "{:.2f}") -> str:
    """Median, and least to greatest where there are several."""
    found = sorted(values)
    middle = form.format(statistics.median(found))
    if len(found) == 1:
        return middle
    return f"{middle} ({form.format(found[0])} to {form.format(found[-1])})"


def ratios(ours: dict[int, Found], other: dict[int, Found], name: str) -> list[float]:
    """Ours over the other's, round by round where both ran."""
    return [ours[number][name] / other[number][name] for number in sorted({*ours} & {*other})]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])


def _nothing() -> str:
    return "not run yet"


class Page:
    """The tables of one folder of results."""

    def __init__(self, results: Results, form: Form) -> None:
        self._examples = form.rows * EPOCHS
        self._profiles = {
            name: results.get(Row("profile", name, OURS, 1)) or {} for name in WORKLOADS
        }
        self._all = {
            name: {
                peer: Measured.of(results, name, peer, form.rounds, form.seeds)
                for peer in workload.peers
            }
            for name, workload in WORKLOADS.items()
        }

    # ------------------------------------------------------------ the whole

    def summary(self) -> str:
        """One line a workload: the goal, and what was reached."""
        rows = []
        for name, workload in WORKLOADS.items():
            found = self._all[name]
            gained, held = (
                ratios(found[ours].rates, found[BASE].rates, "tokens_per_cpu")
                for ours in (OURS, HELD)
            )
            rows.append(
                [
                    workload.title,
                    spread(gained) if gained else _nothing(),
                    spread(held) if held else _nothing(),
                    f"{workload.goal}",
                    self._best(found),
                    self._same_loss(found[OURS], found[BASE]),
                ]
            )
        head = [
            "workload",
            "ours / HF Trainer's defaults",
            "held to 32 bits",
            "goal",
            "ours / the fastest other row",
            "held-out loss, ours against HF",
        ]
        return _table(head, rows)

    def brief(self) -> str:
        """The same in one number each, over the HF Trainer's defaults, as the README has it."""
        rows = []
        for name, workload in WORKLOADS.items():
            found = self._all[name]
            gained = {
                peer: ratios(found[peer].rates, found[BASE].rates, "tokens_per_cpu")
                for peer in _BRIEF
                if peer in found
            }
            numbers = [gained.get(peer) for peer in _BRIEF]
            rows.append(
                [
                    workload.title.partition(" (")[0],
                    *(f"{statistics.median(values):.1f}" if values else "" for values in numbers),
                ]
            )
        return _table(["", *_BRIEF.values()], rows)

    def _best(self, found: dict[str, Measured]) -> str:
        others = {p: m for p, m in found.items() if p not in {OURS, HELD} and m.rates}
        if not others or not found[OURS].rates:
            return _nothing()
        best = max(others, key=lambda peer: others[peer].middle("tokens_per_cpu"))
        gained = ratios(found[OURS].rates, others[best].rates, "tokens_per_cpu")
        return f"{spread(gained)}, {PEERS[best].title}" if gained else _nothing()

    def _same_loss(self, ours: Measured, base: Measured) -> str:
        both = sorted({*ours.final} & {*base.final})
        if not both:
            return _nothing()
        change = statistics.mean(ours.final[s] / base.final[s] - 1 for s in both)
        seeds = "1 seed" if len(both) == 1 else f"{len(both)} seeds"
        return f"{change:+.2%} ({seeds})"

    def workload(self, name: str) -> str:
        """One workload: every peer, fastest first."""
        workload, found = WORKLOADS[name], self._all[name]
        base, ours = found[BASE], found[OURS]
        ran = sorted(
            (p for p in workload.peers if found[p].rates),
            key=lambda peer: -found[peer].middle("tokens_per_cpu"),
        )
        shown = [*ran, *(p for p in workload.peers if p not in ran)]
        rows = [self._peer(peer, found[peer], base, ours) for peer in shown]
        head = [
            "trainer",
            "real tokens / CPU-s",
            "tokens / s of wall",
            "ours is faster by",
            "padding",
            "peak memory",
            "held-out loss",
            "counts",
        ]
        return f"### {workload.title}\n\n{_table(head, rows)}{self._notes(workload, found)}"

    def _peer(self, peer: str, one: Measured, base: Measured, ours: Measured) -> list[str]:
        title = f"**{PEERS[peer].title}**" if peer == OURS else PEERS[peer].title
        loss, counts = _nothing(), self._counts(one, base)
        if one.final:
            loss = spread(one.final.values(), "{:.4f}")
        elif peer == PADDED:
            loss, counts = "as the defaults: the same batches", ""
        if not one.rates:
            why = "failed, see below" if one.errors else _nothing()
            return [title, why, "", "", "", "", loss, counts]
        gained = ratios(ours.rates, one.rates, "tokens_per_cpu")
        return [
            title,
            spread((r["tokens_per_cpu"] for r in one.rates.values()), "{:,.0f}"),
            f"{one.middle('tokens_per_second'):,.0f}",
            "" if peer == OURS else (spread(gained) if gained else _nothing()),
            f"{one.middle('padding'):.0%}",
            f"{one.middle('peak') / _GB:.2f} GB",
            loss,
            counts,
        ]

    def _counts(self, one: Measured, base: Measured) -> str:
        both = {*one.final} & {*base.final}
        if not both:
            return _nothing()
        mean, wanted = (statistics.mean(m.final[s] for s in both) for m in (one, base))
        return "yes" if mean <= wanted * NEAR else f"no: {mean / wanted - 1:+.1%}"

    def _notes(self, workload: Workload, found: dict[str, Measured]) -> str:
        notes = [
            f"- {PEERS[peer].title}: {error}"
            for peer in workload.peers
            for error in found[peer].errors
        ]
        steps = [one["steps"] for one in found[OURS].losses.values()]
        if steps:
            mean = self._examples / statistics.mean(steps)
            notes.append(f"- EasyModel's steps held {mean:.1f} rows on average.")
        return "\n\n" + "\n".join(notes) if notes else ""

    def times(self) -> str:
        """CPU seconds until the loss is within 1 % of the HF Trainer's last one, seed by seed."""
        rows = []
        for name, workload in WORKLOADS.items():
            base, ours = self._all[name][BASE], self._all[name][OURS]
            for seed in sorted({*base.losses} & {*ours.losses}):
                target = last(base.losses[seed]) * NEAR
                taken = [seconds_to(one.losses[seed], target) for one in (base, ours)]
                rows.append([workload.title, str(seed), f"{target:.4f}", *_times(*taken)])
        if not rows:
            return "Not run yet."
        return _table(["workload", "seed", "loss", "HF Trainer", "ours", "ratio"], rows)

    def profiles(self) -> str:
        """What our steps spend their time on, of each workload."""
        shares = {
            name: found["shares"] for name, found in self._profiles.items() if "shares" in found
        }
        if not shares:
            return "Not run yet."
        kinds = sorted({kind for found in shares.values() for kind in found})
        kinds.sort(key=lambda kind: -sum(found.get(kind, 0.0) for found in shares.values()))
        rows = [
            [kind, *(f"{found.get(kind, 0.0):.0%}" for found in shares.values())] for kind in kinds
        ]
        return _table(["our time goes to", *shares], rows)


def _times(base: float | None, ours: float | None) -> list[str]:
    told = ["never" if one is None else f"{one:,.0f} CPU-s" for one in (base, ours)]
    ratio = "" if base is None or ours is None else f"{base / ours:.2f}"
    return [*told, ratio]
