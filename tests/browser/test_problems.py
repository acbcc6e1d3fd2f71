"""An error stands on its node and field, as a sentence, until it is fixed."""

import re
from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import QUICK, prepare
from playwright.sync_api import expect


def test_a_failed_run_s_error_stays_until_it_is_fixed(
    open_studio: Callable[..., LabPage], home: Path, tmp_path: Path
):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    prepare(home, QUICK, {"source": str(empty)})
    page = open_studio()
    problem = page.hook("problem", data_field="source")
    if page.hook("train").is_enabled():
        page.train()
        page.status("failed", "idle")
    expect(problem.first).to_contain_text(re.compile(r"empty", re.IGNORECASE))
    page.save()
    page.reload()
    page.ready()
    expect(problem.first).to_contain_text(re.compile(r"empty", re.IGNORECASE))

    empty.write_text("prompt,text\n" + "\n".join(f"say {i},number {i}" for i in range(60)) + "\n")
    page.train()
    page.status("finished")
    expect(problem).to_have_count(0)


def test_a_value_out_of_range_is_told_at_its_field(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    page = open_studio()
    page.input("epochs").fill("0")
    problem = page.hook("problem", data_field="epochs")
    expect(problem.first).to_contain_text("Epochs")
    expect(page.hook("train")).to_be_disabled()
    page.input("epochs").fill("2")
    expect(problem).to_have_count(0)
    expect(page.hook("train")).to_be_enabled()


def test_a_file_that_does_not_exist_is_told_at_the_dataset(
    open_studio: Callable[..., LabPage], home: Path, tmp_path: Path
):
    prepare(home, QUICK, {"source": str(tmp_path / "nowhere.csv")})
    page = open_studio()
    expect(page.hook("problem", data_field="source").first).to_contain_text("nowhere.csv")
