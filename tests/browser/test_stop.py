"""Stop works within two seconds, from the click to the end in the log."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.projects import LONG, prepare, runs
from harness.waiting import until

LIMIT = 2.0
STAGES = ["loading", "baseline", "training"]
# Enough text that each stage lasts long enough to be met.
SLOW = {**LONG, "subset_size": 1000, "max_length": 128}


@pytest.mark.parametrize("stage", STAGES)
def test_stop(open_studio: Callable[..., LabPage], home: Path, stage: str):
    prepare(home, SLOW)
    page = open_studio()
    page.train()

    def reached() -> bool:
        found = runs(home)
        if stage == "training":
            return bool(found and found[0].curve)
        return bool(found and found[0].stage.stage == stage)

    until(reached, stage)
    page.hook("stop").wait_for()
    clicked = datetime.now(UTC)
    page.hook("stop").click()
    page.status("stopped")
    (run,) = runs(home)
    assert run.reason == "user"
    assert run.ended is not None
    assert (datetime.fromisoformat(run.ended) - clicked).total_seconds() < LIMIT
