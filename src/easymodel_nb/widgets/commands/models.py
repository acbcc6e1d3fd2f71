"""Long work on a run's model: packing, merging, sending, measuring, its report."""

from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    DownloadPartParams,
    DownloadPartResult,
    JobParams,
    JobResult,
    PushParams,
    PushPlanResult,
    RunParams,
    TakeParams,
)


class ModelCommands(Group):
    """Long work on a run's model: packing, merging, sending, measuring, its report."""

    silent = ("download_part", "push_plan")
    shown = ("measure", "take", "report", "push", "job_cancel")

    def measure(self, params: RunParams) -> JobResult:
        """Judge the answers a run kept."""
        return JobResult(job=self._session.jobs.measure(params.run))

    def take(self, params: TakeParams) -> JobResult:
        """Pack a run's model, or merge it."""
        return JobResult(job=self._session.jobs.take(params.run, params.what))

    def report(self, params: RunParams) -> JobResult:
        """Pack a run's report."""
        others = self._session.views()
        return JobResult(job=self._session.jobs.report(params.run, others))

    def download_part(self, params: DownloadPartParams) -> DownloadPartResult:
        """A part of what was packed."""
        return DownloadPartResult.of(*self._session.jobs.part(params.job, params.offset))

    def push_plan(self, params: PushParams) -> PushPlanResult:
        """What a push would send."""
        return self._session.jobs.plan(params)

    def push(self, params: PushParams) -> JobResult:
        """Send a run's model to the Hub."""
        return JobResult(job=self._session.jobs.push(params))

    def job_cancel(self, params: JobParams) -> None:
        """End a job."""
        self._session.jobs.cancel(params.job)
