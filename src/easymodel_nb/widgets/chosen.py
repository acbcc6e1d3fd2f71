"""What the user chose to look at in the Analytics tab: per studio, kept as long as it is open."""

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict

from easymodel_nb.report.compare_view import CompareView
from easymodel_nb.report.sample_rows import SamplesView
from easymodel_nb.runlog.tried import Tried
from easymodel_nb.widgets.state import Job


class Chosen(BaseModel):
    """What is shown beside the run itself; equal ones look the same."""

    model_config = ConfigDict(frozen=True)

    samples: SamplesView = SamplesView()
    compare: CompareView = CompareView()
    tried: Tried | None = None
    judging: Job | None = None  # the last job on the run's answers


class Choices:
    """The choices of a studio, by run and by project; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[str, SamplesView] = {}
        self._compare: dict[str, CompareView] = {}

    def samples(self, run: str) -> SamplesView:
        """What is shown of a run's samples."""
        with self._lock:
            return self._samples.get(run, SamplesView())

    def see_samples(self, run: str, changes: dict[str, Any]) -> None:
        """Change what is shown of a run's samples; but for a change of page it begins anew."""
        with self._lock:
            before = self._samples.get(run, SamplesView())
            after = before.model_copy(update={**changes, "page": before.page})
            page = changes.get("page")
            if page is None:
                page = before.page if after == before else 0
            self._samples[run] = after.model_copy(update={"page": max(0, page)})

    def compare(self, project: str) -> CompareView:
        """Which runs of a project are compared, and how."""
        with self._lock:
            return self._compare.get(project, CompareView())

    def see_compare(self, project: str, changes: dict[str, Any]) -> None:
        """Change which runs are compared, and how."""
        with self._lock:
            before = self._compare.get(project, CompareView())
            self._compare[project] = CompareView.model_validate({**before.model_dump(), **changes})
