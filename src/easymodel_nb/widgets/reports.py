"""A run's report with its model card, which another room writes."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from easymodel_nb.errors import StudioError
from easymodel_nb.report import files
from easymodel_nb.report.canvas_node import NodeRun
from easymodel_nb.report.compare import compare_content
from easymodel_nb.report.compare_view import CompareView
from easymodel_nb.report.compared import ComparedRun
from easymodel_nb.report.files import Tick
from easymodel_nb.report.snapshot import Comparison
from easymodel_nb.report.told import Told, told
from easymodel_nb.report.top import run_label
from easymodel_nb.runlog import clock, scores
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets import cards
from easymodel_nb.widgets.state import Theme

NAME = "report.zip"


def told_of(run: Run, others: Sequence[RunView] = ()) -> Told:
    """All there is to tell of a run."""
    return told(run, card=card_of(run), others=others)


def card_of(run: Run) -> str:
    """The text of its model card; empty without a model.

    A card that cannot be written costs the report its card alone.
    """
    path = run.model_path
    if path is None or not path.is_dir():
        return ""
    from easymodel_nb.train.takeaway import card_text  # noqa: PLC0415  with it comes the Hub's
    from easymodel_nb.train.takeaway.card import facts  # noqa: PLC0415
    from easymodel_nb.train.takeaway.origins import origins  # noqa: PLC0415

    with suppress(StudioError, OSError, ValueError, KeyError, TypeError):
        return card_text.text(facts(run, origins(run)))
    return ""


def node_run(view: RunView, queue: Sequence[str] = ()) -> NodeRun:
    """What a node of a drawn canvas tells of its run."""
    card = cards.card(view, queue)
    said = card.problem.message if card.problem else card.headline or card.reason or ""
    if view.status == "running":
        said = card.stage.message
    return NodeRun(
        view.node_id,
        view.status,
        card.summary,
        said,
        card.problem is not None,
        card.fraction,
        card.epochs,
        tuple(card.spark),
    )


def comparison(
    runs: Sequence[Run], views: Sequence[RunView], shade: Theme, metric: str = ""
) -> Comparison:
    """Runs compared on the texts that all of them measured, the first as the reference."""
    by_time = sorted(views, key=lambda view: view.id)
    ids = [view.id for view in by_time]
    found = [
        ComparedRun(
            view := run.view,
            ids.index(view.id) + 1 if view.id in ids else 0,
            run_label(view, [other for other in by_time if other.id != view.id]),
            scores.read(run.folder),
            clock.ticks(run.folder),
        )
        for run in runs
    ]
    chosen = CompareView(open=True, metric=metric)
    names = {run.view.id: run.label for run in found}
    return Comparison(compare_content(found, chosen, runs[0].id), names, shade)


def report(
    run: Run,
    path: Path | None = None,
    *,
    others: Sequence[RunView] = (),
    tick: Tick = lambda _: None,
) -> Path:
    """Write a run's report, by default as a zip into its own folder; where it lies.

    Raises
    ------
    StudioError
        When it cannot be written there.

    """
    target = path or run.folder / f"{run.id}-{NAME}"
    return files.write(told_of(run, others), target, run.folder, tick)
