"""A run beside others: what a comparison needs of it, and how it is called and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from easymodel_nb.report.figures import LineStyle
from easymodel_nb.runlog.clock import Tick
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

# A run is told by colour, dash and marker together, so that eight of them are told apart.
STYLES: dict[str, LineStyle] = {
    "run-1": LineStyle("tuned", marker="diamond", band=True),
    "run-2": LineStyle("validation", marker="square", band=True),
    "run-3": LineStyle("train", marker="circle", band=True),
    "run-4": LineStyle("human", marker="triangle-up", band=True),
    "run-5": LineStyle("kmodel", dash="dashed", marker="diamond", band=True),
    "run-6": LineStyle("kdataset", dash="dashed", marker="square", band=True),
    "run-7": LineStyle("base", dash="dashed", marker="circle", band=True),
    "run-8": LineStyle("text2", dash="dotted", marker="triangle-up", band=True),
}


@dataclass(frozen=True)
class ComparedRun:
    """One run of a comparison; `number` counts the project's runs by time, from 1."""

    view: RunView
    number: int
    label: str
    scores: Sequence[Scores] = ()
    ticks: Sequence[Tick] = ()

    @property
    def name(self) -> str:
        """Its short name."""
        return f"Run {self.number}"

    @cached_property
    def kind(self) -> str:
        """The key of its metrics."""
        return kind_of(self.view)

    @cached_property
    def model(self) -> str:
        """The model it began with: of a run that goes on from another one, that one's."""
        return str(_part(self.view.plan, "model").get("name") or "")

    @property
    def step(self) -> int | None:
        """The step whose weights are the run's model, as far as it has come."""
        kept = self.view.summary.get("kept_step")
        if isinstance(kept, int):
            return kept
        scored = [found.step for found in self.scores if found.step > 0]
        return max(scored, default=None)

    def at(self, which: str) -> Scores | None:
        """What each text of a set scored with the run's model."""
        return next((s for s in self.scores if s.set == which and s.step == self.step), None)


def settings_of(view: RunView) -> dict[str, Any]:
    """Every setting of a run by its name: as planned, before that as drawn."""
    plan = view.plan or {}
    drawn = _part(_part(view.request, "node"), "data")
    model, data = _part(plan, "model"), _part(plan, "dataset")
    found: dict[str, Any] = {
        "model": model.get("source") or _part(_part(view.request, "model"), "data").get("source"),
        "model of run": model.get("run_of"),
        "dataset": data.get("source")
        or _part(_part(view.request, "dataset"), "data").get("source"),
        "train split": data.get("train_split"),
        "evaluation split": data.get("eval_split"),
        "train rows": data.get("train_rows"),
        "evaluation rows": data.get("eval_rows"),
        "data read": data.get("fingerprint"),
    }
    chosen = _part(plan, "finetune") or drawn
    found |= {name.replace("_", " "): value for name, value in chosen.items() if name != "accept"}
    found["device"] = (view.environment or {}).get("device")
    return found


def differing(runs: Sequence[ComparedRun]) -> dict[str, list[Any]]:
    """The settings in which the runs differ, with the value of each run."""
    all_settings = [settings_of(run.view) for run in runs]
    names = dict.fromkeys(name for settings in all_settings for name in settings)
    found = {name: [settings.get(name) for settings in all_settings] for name in names}
    return {name: values for name, values in found.items() if _differ(values)}


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values[1:])


def _part(whole: Any, name: str) -> dict[str, Any]:
    part = (whole or {}).get(name)
    return part if isinstance(part, dict) else {}
