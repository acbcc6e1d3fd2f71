"""Long work on the models of runs: packing, merging, sending to the Hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets.rpc import PushParams, PushPlanResult
from easymodel_nb.widgets.state import Job

Token = Callable[[], str | None]


class Jobs:
    """Does one job after the other on a thread of its own; calls `changed` as they go on."""

    def __init__(self, home: Path, token: Token, changed: Callable[[], None]) -> None:
        self._home, self._token, self._changed = home, token, changed

    def items(self) -> list[Job]:
        """The jobs of this session, newest first."""
        return []

    def take(self, run: str, what: Literal["zip", "merged"]) -> str:
        """Pack a run's model for download, or merge it; returns the job's id at once."""
        raise problem_error("take.later", "This version cannot do this yet.")

    def plan(self, params: PushParams) -> PushPlanResult:
        """What a push would send, and where."""
        raise problem_error("push.later", "This version cannot do this yet.")

    def push(self, params: PushParams) -> str:
        """Send a run's model to the Hub; returns the job's id at once."""
        raise problem_error("push.later", "This version cannot do this yet.")

    def cancel(self, job: str) -> None:
        """End a job; what it has made so far is removed."""

    def close(self) -> None:
        """End the thread."""
