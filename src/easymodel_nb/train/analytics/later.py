"""What a run's stored answers are worth, measured afterwards: without its model, without training.

A run keeps every answer it wrote. Where a judge was missing, or no time was given, they are judged
here, and `measured` events are appended to its log, which they do not reopen.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from easymodel_nb.errors import problem_error
from easymodel_nb.metrics import judges as judging
from easymodel_nb.metrics.judges import Judges
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.headline import task_of
from easymodel_nb.runlog.log import RunLog, read_view
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.scores import Scores, Values
from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.train.analytics import paired
from easymodel_nb.train.analytics.judged import Judged, Judging
from easymodel_nb.train.analytics.material import Material, token_counts
from easymodel_nb.train.analytics.purse import Guard, Purse
from easymodel_nb.train.analytics.store import Row, Store
from easymodel_nb.train.control import Control
from easymodel_nb.trust import loading, permits

Tell = Callable[[str], None]
_Found = list[tuple[EpochPoint, tuple[Analytics, Values]]]
LOCK = ".resume.lock"  # who resumes a run holds it
_PATIENCE_SECONDS = 5.0
_NOTE = "Judged after the run: offline judges alone."


def measure(folder: Path, *, control: Control | None = None, tell: Tell = lambda _: None) -> int:
    """Judge the stored answers of every point of a run; how many points there were.

    `tell` hears a sentence at each of them. Nothing is downloaded; no model but the judges is
    loaded.

    Raises
    ------
    StudioError
        When the run is active, wrote no answers, or there is no judge, with what to do.
    Stopped
        When `control` was asked to stop; nothing is written then.

    """
    view = read_view(folder)
    _refuse(view)
    control = control or Control(folder / "later")
    # Left behind on a stop: none of its steps writes.
    later, found = control.interruptible(lambda: _judged(folder, view, control, tell))
    control.check()
    _append(folder, view, later.material, found)
    return len(found)


def _judged(folder: Path, view: RunView, control: Control, tell: Tell) -> "tuple[_Later, _Found]":
    """Every point whose answers are kept, judged."""
    judges = _judges()
    store = Store(folder)
    points = [(point, store.rows(point.step)) for point in view.points]
    answered = [(p, rows) for p, rows in points if rows and rows[0].get("text") is not None]
    if not answered or answered[0][0].step != 0:
        raise problem_error(
            "measure.no_answers", "This run kept no answers of its base model to compare with."
        )
    count = min(len(rows) for _, rows in answered)
    later = _Later(folder, view, judges, control, answered[0][1][:count])
    found = []
    before: list[Row] | None = None
    for point, rows in answered:
        control.check()
        where = "the base model" if point.step == 0 else f"epoch {point.epoch:g}"
        tell(f"Judging the answers of {where}")
        found.append((point, later.judged(point, rows[:count], before)))
        before = rows[:count]
    return later, found


def _refuse(view: RunView) -> None:
    """Refuse a run that is under way, or has nothing to judge."""
    if view.active:
        raise problem_error(
            "measure.active", f"Run {view.id} is {view.status}: measure its answers when it ended."
        )
    if task_of(view) not in ("generation", "seq2seq"):
        raise problem_error(
            "measure.labels", "This run gives labels, no text: there are no answers to judge."
        )


def _judges() -> Judges:
    """The judges of this machine."""
    found = judging.local()
    if found.encoder is None:
        raise problem_error(
            "measure.no_judge", found.reasons.get("encoder", "There is no text encoder.")
        )
    return found


class _Later:
    """Judges the answers of one run as it would have itself."""

    def __init__(
        self, folder: Path, view: RunView, judges: Judges, control: Control, base: list[Row]
    ) -> None:
        self._base, self._seed = base, int((view.plan or {}).get("finetune", {}).get("seed", 0))
        tokenizer = _tokenizer(folder, view)
        known = Material.read(folder) or _from_rows(base, tokenizer, view, self._seed)
        self.material = known.first(len(base))
        self._judging = Judging(
            self.material, judges, tokenizer, Guard(Purse(control), control), note=_NOTE
        )
        self._base_values: Values = {}

    def judged(
        self, point: EpochPoint, rows: list[Row], before: list[Row] | None
    ) -> tuple[Analytics, Values]:
        """The groups of a point, and what its answers scored."""
        first = point.step == 0
        found = self._judging.measure(
            rows, self._base, before, None if first else self._base_values
        )
        told: dict[str, Any] = {"counts": found.counts}
        changes = {}
        if first:
            self._base_values = found.values
            told |= self._judging.details() | {"groups": self.material.groups.name}
        else:
            now, base = {"prompts": found.values}, {"prompts": self._base_values}
            changes = paired.changes(now, base, seed=self._seed, prompts=self.material.prompts)
        analytics = Analytics.model_validate({**_groups(found, point.analytics), "details": told})
        told_changes = paired.shown(changes, analytics)
        return analytics.model_copy(update={"changes": told_changes}), found.values


def _groups(found: Judged, known: Analytics) -> dict[str, Any]:
    """The groups; what needed the model stays as the run measured it."""
    semantics = found.semantics
    if known.semantics is not None and known.semantics.forgetting.value is not None:
        semantics = semantics.model_copy(update={"forgetting": known.semantics.forgetting})
    return {"quality": found.quality, "semantics": semantics, "efficiency": found.efficiency}


def _tokenizer(folder: Path, view: RunView) -> Any:
    from easymodel_nb.train.heavy import import_trainer  # noqa: PLC0415

    import_trainer()
    trained = Run(folder).model_path
    places = [trained, Path(str((view.plan or {}).get("model", {}).get("path", "")))]
    for place in places:
        if place is not None and place.is_dir():
            try:
                return loading.tokenizer(place, permits.permit_of_run(folder, place, view.plan))
            except (OSError, ValueError):
                continue
    raise problem_error(
        "measure.no_tokenizer",
        "Neither the run's model nor its base model is on this machine, so the answers' tokens "
        "cannot be counted.",
    )


def _from_rows(base: list[Row], tokenizer: Any, view: RunView, seed: int) -> Material:
    """What a run of an older version tells of its prompts."""
    references = [str(row["reference"]) for row in base]
    return Material(
        prompts=[str(row["prompt"]) for row in base],
        references=references,
        sources=None,
        fit_texts=[],
        reference_tokens=token_counts(tokenizer, references),
        max_new_tokens=(view.plan or {}).get("max_new_tokens"),
        seed=seed,
    )


def _append(
    folder: Path,
    view: RunView,
    material: Material,
    found: _Found,
) -> None:
    """Write it all at once, unless the run went on meanwhile."""
    digest = scores.digest(zip(material.prompts, material.references, strict=True))
    with FileLock(folder / LOCK, timeout=_PATIENCE_SECONDS):
        now = read_view(folder)
        if now.active or now.attempt != view.attempt:
            raise problem_error(
                "measure.active", f"Run {view.id} goes on meanwhile: measure when it ended."
            )
        log = RunLog(folder)
        for point, (analytics, values) in found:
            place = Scores(point.step, point.epoch, "prompts", digest, values)
            scores.append(folder, place)
            log.append("measured", step=point.step, epoch=point.epoch, analytics=analytics)
