"""What is measured on the answers of one run: it writes them, judges them, and minds the time."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import judges as judging
from easymodel_nb.metrics.judges import Judges
from easymodel_nb.metrics.perplexity import Perplexity
from easymodel_nb.runlog.scores import Values
from easymodel_nb.train.analytics import deciding, groups, sampled
from easymodel_nb.train.analytics.answering import Answering
from easymodel_nb.train.analytics.frozen import scorer_of
from easymodel_nb.train.analytics.groups import Groups
from easymodel_nb.train.analytics.judged import Judged, Judging
from easymodel_nb.train.analytics.material import Material, fitting, token_counts
from easymodel_nb.train.analytics.purse import Guard, Purse
from easymodel_nb.train.analytics.store import Row
from easymodel_nb.train.control import Control
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.generation import text_scores
from easymodel_nb.train.tasks.task import Watch

T = TypeVar("T")
GENERAL_TOKENS = 4_096  # of general text, at each fully measured point
_SUMMARIES = ("summar", "highlight", "tl;dr", "headline", "abstract")


class Analyst:
    """Answers and judges at the points of a run; each point in the same way."""

    def __init__(
        self, ready: Preparation, model: Any, plan: RunPlan, control: Control, reporter: Reporter
    ) -> None:
        self._ready, self._model, self._plan = ready, model, plan
        self.purse = Purse(control)
        self._control, self._reporter = control, reporter
        self.guard = Guard(self.purse, control, self._warn)
        self._answering = Answering(ready.task, model, ready.prepared, self.purse)
        self._judging: Judging | None = None

    def _warn(self, code: str, message: str) -> None:
        self._reporter.warn(code, message, node=self._plan.node_id, field="analytics_budget")

    # ------------------------------------------------------------ what is fixed

    @cached_property
    def judges(self) -> Judges:
        """The best on this machine; they stay the same for the run."""
        device = self._ready.task.context.device
        return judging.local("cuda" if device == "cuda" else "cpu")

    @cached_property
    def material(self) -> Material:
        """Of every prompt that can be asked."""
        ready = self._ready
        prepared: Any = ready.prepared
        samples = prepared.samples
        data = self._plan.finetune
        references = [sample.reference for sample in samples]
        several = [list(some) for some in getattr(prepared, "references", ())]
        named = Groups("", [])
        if data.group_field:
            named = groups.by_column(ready.drawn.evaluation, data.group_field, prepared.places)
        return Material(
            prompts=[
                sample.prompt if sample.source is None else sample.source for sample in samples
            ],
            references=references,
            sources=[sample.source for sample in samples] if data.task == "seq2seq" else None,
            fit_texts=fitting(list(prepared.targets())),
            reference_tokens=token_counts(ready.tokenizer, references),
            groups=named,
            summaries=_sums_up(ready),
            max_new_tokens=prepared.max_new_tokens,
            seed=data.seed,
            several=several if any(len(some) > 1 for some in several) else None,
        )

    def judging(self, count: int) -> Judging:
        """The judges of the first prompts, calibrated on their references."""
        if self._judging is None or len(self._judging.material.prompts) != count:
            scorer, note = scorer_of(self._model, self._ready.tokenizer)
            self._judging = Judging(
                self.material.first(count),
                self.judges,
                self._ready.tokenizer,
                self.guard,
                scorer=scorer,
                note=note,
            )
        return self._judging

    def identities(self) -> list[str]:
        """Who judges, for the key of what is kept."""
        found = [self.judges.encoder, self.judges.grammar]
        names = [str(judge.identity) if judge is not None else "" for judge in found]
        return [*names, "scorer" if scorer_of(self._model, None)[0] is not None else ""]

    # ------------------------------------------------------------ a point

    def answers(
        self, count: int, watch: Watch, *, base: bool = False, start: int = 0
    ) -> tuple[list[Row] | None, str]:
        """The answers to some prompts, or None and why there are none."""
        return self.guard(
            "The answers", lambda: self._answering.rows(count, watch, base=base, start=start)
        )

    def judge(
        self,
        rows: list[Row],
        base: list[Row],
        before: list[Row] | None = None,
        relevance: Values | None = None,
    ) -> Judged:
        """Judge the answers of a point, and measure general text beside them."""
        judge = self.judging(len(rows))
        found = self._quietly(lambda: judge.measure(rows, base, before, relevance))
        general, values = self.forgetting()
        semantics = found.semantics.model_copy(update={"forgetting": general})
        return replace(found, semantics=semantics, general=values)

    def details(self, count: int) -> dict[str, Any]:
        """What epoch 0 says of the judges and the groups."""
        found = self.judging(count)
        return {**self._quietly(found.details), "groups": found.material.groups.name}

    def others_than(self, judges: dict[str, Any], count: int) -> str:
        """Why these judges' scores do not compare with those of now; empty where they do."""
        now = self.details(count).get("judges", {})
        names = (judges.keys() | now.keys()) - {"note"}
        changed = sorted(name for name in names if judges.get(name) != now.get(name))
        if not changed:
            return ""
        return (
            f"The judges are not those of the base model any more ({', '.join(changed)}): the run "
            "went on where others are, and scores of different judges do not compare."
        )

    def noise(self, base: list[Row], count: int) -> dict[str, Measured]:
        """What two sampled runs of the base model differ by, on the first prompts."""
        if not count or self.judges.encoder is None:
            return {}

        def work() -> tuple[list[Row], list[Row]]:
            def heard(_: int) -> None:
                self._reporter.heartbeat()

            return sampled.twice(
                lambda sampling: self._answering.sampled(count, heard, sampling),
                self._model.device,
                self._plan.finetune.seed,
            )

        found, _ = self.guard("The noise floor", work)
        if found is None:
            return {}
        return self.judging(len(base)).noise(base, *found)

    def _quietly(self, work: Callable[[], T]) -> T:
        """Judging takes a while and cannot tick: say beforehand what happens."""
        with self._reporter.saying("Judging the answers"):
            return work()

    def forgetting(self) -> tuple[Measured, Values]:
        """Perplexity on general English text, and what each of its passages scored."""

        def work() -> Perplexity:
            from easymodel_nb.metrics.forgetting import forgetting  # noqa: PLC0415

            def heard(_: int) -> None:
                self.purse.check()
                self._reporter.heartbeat()

            tokenizer, seed = self._ready.tokenizer, self._plan.finetune.seed
            found = forgetting(
                self._model, tokenizer, max_tokens=GENERAL_TOKENS, seed=seed, on_texts=heard
            )
            return found.perplexity

        found, reason = self.guard("Forgetting", work)
        if found is None:
            return Measured.missing(reason), {}
        values = text_scores(found) if found.value is not None else {}
        return found.plain(), values

    # ------------------------------------------------------------ what it costs

    def seconds_of_judging(self, rows: list[Row]) -> tuple[float, float]:
        """Of one answer, and of loading the judges."""
        began = time.monotonic()
        found = self.judges
        loading = time.monotonic() - began
        texts = [str(row["text"]) for row in rows]
        told, _ = self.guard(
            "The cost of judging",
            lambda: deciding.judging_seconds(found, texts, self.material.references[: len(rows)]),
        )
        return told or 0.0, loading

    # ------------------------------------------------------------ heads

    def by_group(self, values: Values) -> dict[str, Any]:
        """Accuracy of each group of the validation texts, of a head; empty without a group."""
        from easymodel_nb.metrics.stats import ratio_interval  # noqa: PLC0415

        if "correct" not in values:
            return {}
        field = self._plan.finetune.group_field
        prepared: Any = self._ready.prepared
        if field:
            named = groups.by_column(self._ready.drawn.evaluation, field, prepared.places)
        elif "tokens" in values:
            named = groups.by_length([int(count or 0) for count in values["tokens"]], "words")
        else:
            named = groups.by_length([len(text) for text in prepared.validation])
        found = []
        sizes = values.get("tokens") or [1.0] * len(values["correct"])
        for name in dict.fromkeys(named.order):
            places = [place for place, group in enumerate(named.of) if group == name]
            right = [values["correct"][place] or 0.0 for place in places]
            of = [sizes[place] or 0.0 for place in places]
            low, high = ratio_interval(right, of, seed=self._plan.finetune.seed) or (None, None)
            share = Measured(value=sum(right) / sum(of), low=low, high=high, n=len(places))
            found.append({"name": name, "n": len(places), "accuracy": share})
        return {"groups": named.name, "by_group": found}


def _sums_up(ready: Preparation) -> bool:
    """Whether the answers sum up their sources, by what the document calls them."""
    data, roles = ready.chooser.data, ready.task.context.roles
    told = " ".join(str(x or "") for x in (data.source_prefix, roles.target)).casefold()
    return data.task == "seq2seq" and any(word in told for word in _SUMMARIES)
