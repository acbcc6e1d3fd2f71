"""What the page shows is true soon after it hears from the kernel again, whatever was between."""

from pathlib import Path

from harness.truth import studio
from playwright.sync_api import Browser

LIMIT = 15.0
"""Seconds from the connection's return to the truth where other tests have the cores; what it
takes on a quiet machine is measured by tests/soak/test_runs_truth.py."""


def test_the_truth_is_shown_whatever_was_between(browser: Browser, tmp_path: Path, home: Path):
    with studio(browser, tmp_path / "lab", home) as truth:
        truth.try_lines()
        truth.try_cells()
        truth.try_deaths()
    assert len(truth.seconds) == 5
    assert all(seconds <= LIMIT for seconds in truth.seconds.values()), truth.seconds
