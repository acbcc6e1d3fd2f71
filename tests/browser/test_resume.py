"""A run whose kernel was killed goes on from its last checkpoint."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import LONG, prepare, runs
from harness.waiting import until
from playwright.sync_api import expect

from easymodel_nb.runlog.log import read_live, runs_folder


def test_resume_after_a_killed_kernel(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, LONG)
    page = open_studio()
    page.train()
    page.status("running")
    until(lambda: runs(home)[0].checkpoints, "checkpoint")
    live = read_live(next(runs_folder(home).iterdir()))
    assert live is not None
    os.kill(live.pid, signal.SIGKILL)
    page.server.restart_kernel(page.name)
    page.reload()
    page.run_cell(0)
    page.ready()
    page.status("interrupted")

    resume = page.hook("resume")
    expect(resume).to_have_text(re.compile(r"Resume from step [\d,]+"))
    step = int(re.sub(r"\D", "", resume.inner_text()))
    assert step > 0
    resume.click()
    page.status("running")
    expect(page.hook("resumed")).to_have_text(f"resumed at step {step:,}")
    until(lambda: runs(home)[0].step > step, "step after the resumed one")
    page.hook("stop").click()
    page.status("stopped")
    (run,) = runs(home)
    assert [r["step"] for r in run.resumed] == [step]
