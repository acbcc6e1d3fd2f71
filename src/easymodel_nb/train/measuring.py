"""Measures the model at the points of a run: the same texts, mode and object every time.

A point is written as a whole: its answers and scores into their files, then its `epoch` event, then
that of its answers. What an attempt that was cut off left half is dropped when the run goes on.
"""

import time
from collections.abc import Callable
from typing import Any

from easymodel_nb.measured import Measured
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.events import Unit, now
from easymodel_nb.runlog.headline import details as details_of
from easymodel_nb.runlog.scores import Values
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train import precision
from easymodel_nb.train.analytics import baselines, deciding, judged, paired
from easymodel_nb.train.analytics.allowance import LEAST, Allowance, Costs
from easymodel_nb.train.analytics.analyst import GENERAL_TOKENS, Analyst
from easymodel_nb.train.analytics.baselines import Baseline
from easymodel_nb.train.analytics.judged import Judged
from easymodel_nb.train.analytics.predictions import History
from easymodel_nb.train.analytics.store import Row, Store
from easymodel_nb.train.control import Control
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.task import Taken, Task


class Measurer:
    """Measures one run's model; what it measures with is fixed before the first step."""

    def __init__(
        self,
        ready: Preparation,
        model: Any,
        plan: RunPlan,
        control: Control,
        reporter: Reporter,
    ) -> None:
        self._task: Task = ready.task
        self._model, self._prepared, self._plan = model, ready.prepared, plan
        self._ready, self._control, self._reporter = ready, control, reporter
        self._store = Store(reporter.folder)
        self._analyst = Analyst(ready, model, plan, control, reporter)
        self._share = plan.finetune.analytics_budget
        self._allowed = Allowance(share=self._share, reason="The base model was not measured.")
        self.sampled: set[int] = set()  # steps whose answers are kept
        self._base_values: dict[str, Values] = {}  # as they were written, read once
        self._judges: dict[str, Any] = {}  # who judged the base model in an attempt before

    # ------------------------------------------------------------ what is due

    def recall(self, view: RunView) -> None:
        """Know what an attempt before this one decided and wrote."""
        self.sampled = {int(item["step"]) for item in view.samples}
        for point in view.points:
            if point.step == 0 and self._task.writes:
                told = details_of(point.analytics)
                self._allow(deciding.recalled(told, self._share))
                self._judges = told.get("judges") or {}

    def _allow(self, allowed: Allowance) -> None:
        self._allowed = allowed
        self._analyst.purse.seconds = allowed.seconds_allowed if allowed.prompts else None

    def texts(self, step: int) -> int:
        """How many texts the point of a step scores or writes."""
        if not self._whole(step):
            return self._prepared.texts
        return self._prepared.texts + self._prepared.written + (self._count(step) or 0)

    def _whole(self, step: int) -> bool:
        """Whether an epoch ends there; a time budget may end the last one within it."""
        return step % self._plan.steps_per_epoch == 0 or step == self._plan.max_steps

    def _epoch(self, step: int) -> float:
        epoch = round(step / self._plan.steps_per_epoch, 4)
        return int(epoch) if epoch.is_integer() else epoch

    def _count(self, step: int) -> int:
        """How many prompts are answered at the point of a step."""
        if self._task.writes:
            return self._allowed.prompts if self._allowed.due(self._epoch(step)) else 0
        return self._prepared.prompts if self._share and self._whole(step) else 0

    # ------------------------------------------------------------ the base model

    def base(self) -> None:
        """The point before the first step, measured now or by a run before this one."""
        with precision.measuring(str(self._plan.finetune.precision), self._model.device.type):
            self._base()

    def _base(self) -> None:
        if not self._task.writes:
            self._stage("Measuring the base model", self._prepared.texts + self._prepared.prompts)
            taken = self._task.baseline(self._model, self._prepared, self._watch)
            rows = self._task.base_answers(self._model, self._prepared, self._after)
            self._write(0, self._joined(0, taken, {}, None), rows, taken.values)
            return
        self._analyst.material.write(self._reporter.folder)
        name = self._key()
        for kept in baselines.read(self._reporter.home, name):
            if kept.costs is None:
                continue
            allowed = deciding.decide(self._plan, self._prepared, kept.costs)
            known = (kept.prompts, kept.noise_prompts)
            if known == (allowed.prompts, allowed.noise_prompts):
                baselines.used(self._reporter.home, name, kept)
                self._reuse(kept, allowed)
                return
        self._measure_base(name)

    def _key(self) -> str:
        folder = self._ready.model_folder
        material = self._analyst.material
        digests = [self._prepared.digests, material.prompts, material.references, material.groups]
        others = [
            self._plan.device,
            self._plan.finetune.precision,
            self._plan.max_new_tokens,
            # All trained rows: a judge is fitted on them, not on those that are scored alone.
            [self._plan.dataset.fingerprint, self._plan.dataset.eval_fingerprint],
            self._analyst.identities() if self._share else [],
        ]
        return baselines.key(folder.path, folder.revision, self._plan.finetune, digests, others)

    def _reuse(self, kept: Baseline, allowed: Allowance) -> None:
        said = f"The base model was measured by run {kept.run}: its numbers are used again"
        self._stage(said, None)
        self._allow(allowed)
        told = {
            **details_of(kept.analytics),
            "budget": allowed.details(),
            "baseline": {"from": kept.run, "measured": kept.measured},
        }
        analytics = kept.analytics.model_copy(update={"details": told})
        self._write(0, analytics, kept.rows, kept.values)

    def _measure_base(self, name: str) -> None:
        prepared = self._prepared
        self._stage("Measuring the base model", prepared.texts + prepared.written)
        began = time.monotonic()
        taken = self._task.baseline(self._model, prepared, self._watch)
        measuring = time.monotonic() - began
        more = self._task.measure_answers(self._model, prepared, self._after)
        rows, reason, costs = self._first_answers(measuring)
        self._allow(deciding.decide(self._plan, prepared, costs))
        count = deciding.samples(self._allowed, prepared, written=prepared.written > 0)
        if rows is not None and count > len(rows):
            rest, reason = self._analyst.answers(
                count, self._count_from(len(rows), count), base=True, start=len(rows)
            )
            rows = None if rest is None else [*rows, *rest]
        details: dict[str, Any] = {"budget": self._allowed.details()}
        found = judged.nothing(self._allowed.reason or reason)
        if rows is not None and self._allowed.reason is None:
            asked = rows[: self._allowed.prompts]
            details |= self._analyst.details(len(asked))
            if noise := self._analyst.noise(asked, self._allowed.noise_prompts):
                details["noise"] = noise
            found = self._analyst.judge(asked, asked)
        analytics = self._joined(0, taken, more, found, details)
        values = _with_prompts(taken, found)
        if rows is not None:
            kept = Baseline(
                run=self._plan.run_id,
                measured=now(),
                prompts=self._allowed.prompts,
                noise_prompts=self._allowed.noise_prompts,
                costs=costs,
                analytics=analytics,
                rows=rows,
                values=values,
            )
            baselines.write(self._reporter.home, name, kept)
        self._write(0, analytics, rows or [], values)

    def _first_answers(self, measuring: float) -> tuple[list[Row] | None, str, Costs]:
        """The first answers, which tell what an answer costs."""
        prepared = self._prepared
        count = min(LEAST, prepared.prompts)
        self._stage("Writing answers with the base model", count)
        began = time.monotonic()
        rows, reason = self._analyst.answers(count, self._count_from(0, count), base=True)
        writing = (time.monotonic() - began) / max(1, count)
        judging = loading = 0.0
        if rows and self._share:
            judging, loading = self._analyst.seconds_of_judging(rows)
        costs = deciding.costs(
            measuring=measuring,
            answering=0.0 if prepared.written else writing,
            judging=judging,
            loading=loading,
            prepared=prepared,
            characters=sum(map(len, self._analyst.material.fit_texts)),
            general=0 if prepared.written else GENERAL_TOKENS,
        )
        return rows, reason, costs

    # ------------------------------------------------------------ a point

    def measure(self, step: int) -> Analytics:
        """Measure and write the point of a step: all that is due there."""
        taken = self._task.measure(self._model, self._prepared, self._watch)
        if not self._whole(step):
            analytics = self._joined(step, taken, {}, None)
            self._write(step, analytics.model_copy(update={"details": {}}), [], taken.values)
            return analytics
        more = self._task.measure_answers(self._model, self._prepared, self._after)
        found, rows = self._answered(step)
        values = _with_prompts(taken, found)
        analytics = self._joined(step, taken, more, found, values=values)
        analytics.changes.update(self._overlap())
        self._write(step, analytics, rows, values)
        return analytics

    def _overlap(self) -> dict[str, Measured]:
        """The change of what is measured on every written text, where that is a task's metric."""
        prepared: Any = self._prepared
        base = self._store.rows(0)
        if not prepared.written or len(base) < prepared.written:
            return {}

        def work() -> dict[str, Measured]:
            from easymodel_nb.metrics.overlap import paired_overlap  # noqa: PLC0415

            rows = self._task.answers(self._model, prepared, lambda _: None)  # kept, not written
            after, before = ([str(row["text"]) for row in some] for some in (rows, base))
            seed = self._plan.finetune.seed
            return paired_overlap(after, before, prepared.references, seed=seed)

        found, _ = self._analyst.guard("The change of what is written", work)
        return {f"task.{name}": change for name, change in (found or {}).items()}

    def _answered(self, step: int) -> tuple[Judged | None, list[Row]]:
        """The answers of a point and what was found of them, where they are due."""
        count = self._count(step)
        if not count:
            last = step == self._plan.max_steps and self._task.writes
            why = self._allowed.reason if last else None
            return (judged.nothing(why) if why else None), []
        if not self._task.writes:
            rows, _ = self._analyst.answers(count, self._after)
            return None, rows or []
        if not self._analyst.purse.has(self._allowed.seconds_expected / 2):
            return judged.nothing("The time budget left no time for it."), []
        rows, reason = self._analyst.answers(count, self._after)
        if rows is None:
            return judged.nothing(reason), []
        base = self._store.rows(0)[:count]
        if len(base) < count:
            return judged.nothing("The base model's answers are missing."), rows
        return self._judged(step, rows, base), rows

    def _judged(self, step: int, rows: list[Row], base: list[Row]) -> Judged:
        """The answers of a point judged, by those who judged the base model's alone."""
        if self._judges and (other := self._analyst.others_than(self._judges, len(rows))):
            return judged.nothing(other)
        before = self._store.rows_before(step, len(rows))
        return self._analyst.judge(rows, base, before, self._store.values("prompts", 0))

    def last(self, step: int) -> None:
        """Answers of the model that is kept, where its point has none yet."""
        if step in self.sampled:
            return
        self._task.forget()
        scored = self._task.writes and self._allowed.reason is None
        count = deciding.samples(self._allowed, self._prepared, written=self._prepared.written > 0)
        if not count:
            return
        writes = "Writing answers" if self._task.writes else "Labelling samples"
        self._reporter.stage(
            "evaluating", f"{writes} with the trained model", total=count, unit="texts"
        )
        rows, _ = self._analyst.answers(count, self._count_from(0, count))
        if not rows:
            return
        found = None
        if scored and len(base := self._store.rows(0)[:count]) == count:
            asked = rows[: self._allowed.prompts]
            found = self._judged(step, asked, base[: len(asked)])
        self._write_later(step, rows, found)

    # ------------------------------------------------------------ writing

    def _joined(
        self,
        step: int,
        taken: Taken,
        more: dict[str, Measured],
        found: Judged | None,
        details: dict[str, Any] | None = None,
        *,
        values: dict[str, Values] | None = None,
    ) -> Analytics:
        told = {**details_of(taken.analytics), **(details or {})}
        update: dict[str, Any] = {"task": taken.analytics.task | more}
        if found is not None:
            update |= _groups(found)
            told |= {"counts": found.counts} if found.counts else {}
        if not self._task.writes and self._whole(step):
            told |= self._of_head(step, taken)
        point = taken.analytics.model_copy(update=update | ({"details": told} if told else {}))
        if not step:
            return point
        changes = paired.shown(self._changes(values or taken.values), point)
        return point.model_copy(update={"changes": changes})

    def _of_head(self, step: int, taken: Taken) -> dict[str, Any]:
        """Accuracy by group, how the predictions moved, and whether they are as sure as right."""
        by_group, _ = self._analyst.guard(
            "Accuracy by group",
            lambda: self._analyst.by_group(taken.values.get("validation", {})),
        )
        found = dict(by_group or {})
        predicted = taken.predicted
        if predicted is not None:
            history, seed = History(self._reporter.folder), self._plan.finetune.seed
            moved, _ = self._analyst.guard(
                "The drift of the predictions", lambda: history.moved(step, predicted, seed)
            )
            history.keep(step, predicted)
            found |= {"predictions": moved} if moved and step else {}
            sure, _ = self._analyst.guard("Calibration", lambda: predicted.calibration(seed))
            found |= {"calibration": sure} if sure else {}
        return found

    def _changes(self, values: dict[str, Values]) -> dict[str, Measured]:
        """From the base model, on the same texts."""
        for name in values:
            if not self._base_values.get(name):
                self._base_values[name] = self._store.values(name, 0)
        base = {name: self._base_values[name] for name in values}
        seed = self._plan.finetune.seed

        def work() -> dict[str, Measured]:
            prompts = self._analyst.material.prompts if "prompts" in values else None
            found = paired.changes(values, base, seed=seed, prompts=prompts)
            if self._task.name == "classification":
                prepared: Any = self._prepared
                truth = [text.label for text in prepared.validation]
                now, before = values.get("validation", {}), base.get("validation", {})
                found |= paired.macro_f1(truth, now, before, seed=seed)
            return found

        found, _ = self._analyst.guard("The change from the base model", work)
        return found or {}

    def _write(
        self, step: int, analytics: Analytics, rows: list[Row], values: dict[str, Values]
    ) -> None:
        epoch = self._epoch(step)
        self._keep(step, epoch, rows, values)
        self._reporter.event("epoch", step=step, epoch=epoch, analytics=analytics)
        self._tell(step, epoch, rows)

    def _write_later(self, step: int, rows: list[Row], found: Judged | None) -> None:
        """More of a point that was told already."""
        epoch = self._epoch(step)
        values = _scored(found)
        self._keep(step, epoch, rows, values)
        if found is not None:
            analytics = Analytics.model_validate(
                {**_groups(found), "details": {"counts": found.counts}}
            )
            changes = paired.shown(self._changes(values), analytics)
            analytics = analytics.model_copy(update={"changes": changes})
            self._reporter.event("measured", step=step, epoch=epoch, analytics=analytics)
        self._tell(step, epoch, rows)

    def _keep(self, step: int, epoch: float, rows: list[Row], values: dict[str, Values]) -> None:
        if rows:
            self._store.write_rows(rows, step=step, epoch=epoch)
        for name, each in values.items():
            digest = self._prepared.digests.get(name, "")
            if name == "prompts":
                told = self._analyst.judging(len(each["tokens"])).material
                digest = scores.digest(zip(told.prompts, told.references, strict=True))
            self._store.write_values(name, each, digest=digest, step=step, epoch=epoch)

    def _tell(self, step: int, epoch: float, rows: list[Row]) -> None:
        if rows:
            self.sampled.add(step)
            self._reporter.event("samples", step=step, epoch=epoch, rows=len(rows))

    # ------------------------------------------------------------ progress

    def _stage(self, said: str, total: int | None) -> None:
        unit: Unit | None = None if total is None else "texts"
        self._reporter.stage("baseline", said, total=total, unit=unit)

    def _watch(self, done: int) -> None:
        self._control.check()
        self._reporter.advance(done)

    def _after(self, done: int) -> None:
        self._watch(self._prepared.texts + done)

    def _count_from(self, start: int, total: int) -> Callable[[int], None]:
        def watch(done: int) -> None:
            self._control.check()
            self._reporter.advance(start + done, total=total)

        return watch


def _groups(found: Judged) -> dict[str, Any]:
    return {
        "quality": found.quality,
        "semantics": found.semantics,
        "efficiency": found.efficiency,
    }


def _with_prompts(taken: Taken, found: Judged | None) -> dict[str, Values]:
    return {**taken.values, **_scored(found)}


def _scored(found: Judged | None) -> dict[str, Values]:
    """What answers, and passages of general text, scored."""
    sets = {} if found is None else {"prompts": found.values, "general": found.general}
    return {name: values for name, values in sets.items() if values}
