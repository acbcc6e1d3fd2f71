"""What a studio hands out of its runs: a report, a picture, a comparison; without a widget."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from easymodel_nb.errors import problem_error
from easymodel_nb.report.compare_view import FEWEST
from easymodel_nb.report.snapshot import Comparison, Snapshot, snapshot
from easymodel_nb.report.told import told
from easymodel_nb.widgets import reports

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.widgets.session import Session


class Results:
    """The part of `Studio` that reads the runs of the open project."""

    _session: "Session"

    def report(
        self, run: "str | Run | None" = None, path: str | os.PathLike[str] | None = None
    ) -> Path:
        """Write the report of a run and return where it lies.

        Parameters
        ----------
        run
            A run or its id; by default the one the dashboard shows.
        path
            A name that ends in `.html` gets the page alone, which holds everything and needs no
            network; `.zip` and any other name get it with each chart as SVG and PNG, each table
            as CSV, the model card, and the run's record for `studio(replay=...)`, packed or as a
            folder. By default a zip in the run's own folder.

        Raises
        ------
        StudioError
            When there is no such run, or the report cannot be written there.

        """
        views = self._session.views()
        run_id = self._session.shown(views) if run is None else str(getattr(run, "id", run))
        if run_id is None:
            raise problem_error("report.no_run", "There is no run in this project to report on.")
        found = self._session.jobs.known(run_id)
        return reports.report(found, Path(path) if path is not None else None, others=views)

    def snapshot(self, run: "str | Run | None" = None) -> Snapshot:
        """A picture of the canvas and of what a run says of itself, for a cell of its own.

        One SVG that shows wherever a notebook is only read, GitHub and nbviewer among them; its
        text is `.svg`. `run` is a run or its id, by default the one the dashboard shows.

        Raises
        ------
        StudioError
            When there is no such run.

        """
        views = self._session.views()
        queue = self._session.manager.queue()
        run_id = self._session.shown(views) if run is None else str(getattr(run, "id", run))
        shown = told(self._session.jobs.known(run_id), others=views) if run_id else None
        nodes = [reports.node_run(view, queue) for view in views]
        theme = self._session.store.settings.read().theme
        return snapshot(self._session.project().workflow, nodes, shown, theme)

    def compare(self, *runs: "str | Run", metric: str = "") -> Comparison:
        """Runs compared, for a cell of its own: a picture of their curves, the numbers as text.

        Parameters
        ----------
        runs
            Two or more runs or their ids, the first of them the reference; by default all of the
            open project that were measured, by time.
        metric
            The dotted name of the number whose curves are drawn; by default the task's headline.

        Returns
        -------
        Comparison
            `.table()` is a DataFrame: each run against the reference on the texts both measured,
            with wins, losses, and the paired 95 % interval of the change.

        Raises
        ------
        StudioError
            When there are fewer than two runs, or one is unknown.

        """
        views = self._session.views()
        ids = [str(getattr(run, "id", run)) for run in runs]
        ids = ids or sorted(view.id for view in views if view.points)
        if len(ids) < FEWEST:
            raise problem_error("compare.few", "A comparison needs two runs that were measured.")
        found = [self._session.jobs.known(run_id) for run_id in ids]
        theme = self._session.store.settings.read().theme
        return reports.comparison(found, views, theme, metric)
