"""Data that the user brings: a file dropped or chosen, a variable of the notebook."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.files import drop, fail_once, stall
from harness.lab import LabPage
from harness.projects import QUICK, prepare, runs, saved
from harness.waiting import until
from playwright.sync_api import expect

NAME = "avis clients.csv"
SAID = ["bon café", "très déçu", "génial", "l\u2019été à 5 €"]  # the last two need Windows-1252
ROWS = [f"{SAID[i % 4]}, numéro {i};{'oui' if i % 2 else 'non'}" for i in range(80)]
CSV = "\r\n".join(["avis;achète", *ROWS[:40], "", *ROWS[40:], ""]).encode("cp1252")
LARGE = b"text\n" + b"a line of a file that takes several parts\n" * 60_000  # 2.5 MB
HALF_WAY = 6  # reads: three for the checksum, then part by part
VARIABLE = (
    "import pandas as pd\n"
    "tickets = pd.DataFrame({'body': [f'the printer number {i} is on fire' for i in range(80)]})"
)


def uploads(home: Path) -> list[str]:
    """The files that were uploaded, and what is left of others."""
    return sorted(p.name for p in (home / "uploads").rglob("*") if p.is_file())


def dataset_of(home: Path, project: str) -> dict[str, object]:
    nodes = saved(home, project)["nodes"]
    (node,) = (n for n in nodes if n["type"] == "dataset")
    return {"label": node["label"], **node["data"]}


@pytest.fixture
def opened(open_studio: Callable[..., LabPage], home: Path) -> tuple[LabPage, str]:
    """The first project without its Dataset node, and the project's id."""
    project = prepare(home, QUICK)
    page = open_studio(VARIABLE)
    page.node("dataset").focus()
    page.page.keyboard.press("Delete")
    expect(page.node("dataset")).to_have_count(0)
    return page, project


def bring(page: LabPage, name: str, content: bytes) -> None:
    """Drop a file where the Dataset node stood."""
    drop(page.page, page.hook("em-canvas"), name, content, (24, 300))


def test_a_dropped_file_is_read_as_it_was_written_and_trained_on(
    opened: tuple[LabPage, str], home: Path
):
    page, project = opened
    bring(page, NAME, CSV)
    node = page.node("dataset")
    expect(node).to_contain_text(NAME)
    expect(node).to_contain_text("80 rows")
    expect(node.locator(".em-preview")).to_contain_text("bon café")
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)  # it feeds the lonely node
    assert uploads(home) == [NAME]
    assert [p.read_bytes() for p in (home / "uploads").rglob(NAME)] == [CSV]

    node.locator(".em-preview").click()
    panel = page.hook("node-panel")
    preview = page.hook("data-preview")
    expect(preview).to_contain_text("l\u2019été à 5 €")
    expect(panel).to_contain_text(re.compile("1 blank row"))
    shown = {
        name: page.field(name).locator("option").first.inner_text()
        for name in ("delimiter", "encoding", "header")
    }
    assert "Semicolon" in shown["delimiter"]
    assert "Windows-1252" in shown["encoding"]
    assert "first row" in shown["header"]
    expect(preview.locator("th").first).to_have_attribute("data-roles", "text")

    page.field("delimiter").select_option(",")  # wrong, and told
    expect(panel.locator('[data-testid="problem"]')).to_contain_text("Set the delimiter")
    page.field("delimiter").select_option("|")  # wrong, and seen
    expect(preview.locator("th").first).to_contain_text("avis;achète")
    page.field("delimiter").select_option("")
    expect(preview.locator("th").nth(1)).to_contain_text("achète")
    page.hook("node-panel-close").click()

    page.train()
    page.status("finished")
    (run,) = runs(home)
    assert run.plan is not None
    assert dataset_of(home, project)["label"] == NAME


def test_the_same_file_is_stored_once(opened: tuple[LabPage, str], home: Path):
    page, project = opened
    bring(page, NAME, CSV)
    expect(page.node("dataset")).to_contain_text("80 rows")
    drop(page.page, page.node("dataset"), NAME, CSV, (60, 20))
    expect(page.hook("upload-line")).to_have_count(0)
    assert uploads(home) == [NAME]
    drop(page.page, page.node("dataset"), "new.csv", b"text\none\ntwo\nthree\n", (60, 20))
    expect(page.node("dataset")).to_contain_text("3 rows")
    expect(page.node("dataset")).to_have_count(1)
    until(lambda: "new.csv" in str(dataset_of(home, project)["source"]), "the new source saved")


def test_an_upload_under_way_is_shown_and_can_be_cancelled(opened: tuple[LabPage, str], home: Path):
    page, _ = opened
    stall(page.page, HALF_WAY)
    bring(page, "large.txt", LARGE)
    bar = page.hook("upload-progress")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("[1-9][0-9]?"))
    expect(page.hook("problem", data_field="source")).to_have_count(0)
    assert len(uploads(home)) == 1, "the part that is here"
    page.hook("upload-cancel").click()
    expect(bar).to_have_count(0)
    expect(page.node("dataset")).to_have_count(1)
    until(lambda: uploads(home) == [], "nothing left of it")


def test_a_reload_in_the_middle_loses_the_upload_alone(opened: tuple[LabPage, str], home: Path):
    page, project = opened
    stall(page.page, HALF_WAY)
    bring(page, "large.txt", LARGE)
    expect(page.hook("upload-progress")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    page.input("epochs").fill("2")
    until(lambda: saved(home, project)["nodes"][1]["data"].get("epochs") == 2, "saved epochs")
    page.save()
    page.reload()
    page.ready()
    expect(page.input("epochs")).to_have_value("2")
    expect(page.node("dataset")).to_contain_text("large.txt")
    expect(page.hook("upload-progress")).to_have_count(0)

    page.node("dataset").locator('[data-testid="upload-file"]').set_input_files(
        {"name": "large.txt", "mimeType": "text/plain", "buffer": LARGE}
    )
    expect(page.input("source").last).to_have_value(re.compile("large.txt"))
    assert [p.read_bytes() for p in (home / "uploads").rglob("large.txt")] == [LARGE]


def test_a_failed_upload_is_a_sentence_and_can_be_tried_again(
    opened: tuple[LabPage, str], home: Path
):
    page, _ = opened
    fail_once(page.page)
    bring(page, NAME, CSV)
    expect(page.hook("upload-failed")).to_contain_text("The file was moved")
    page.hook("upload-retry").click()
    expect(page.node("dataset")).to_contain_text("80 rows")
    expect(page.hook("upload-failed")).to_have_count(0)
    assert uploads(home) == [NAME]


def test_an_empty_file_is_refused_in_words(opened: tuple[LabPage, str]):
    page, _ = opened
    bring(page, "nothing.csv", b"")
    expect(page.hook("upload-failed")).to_contain_text("nothing.csv is empty")
    page.hook("upload-cancel").click()
    expect(page.hook("problem", data_field="source")).to_contain_text("has no source yet")


def test_a_variable_of_the_notebook_is_chosen_and_trained_on(
    open_studio: Callable[..., LabPage], home: Path
):
    project = prepare(home, QUICK)
    page = open_studio(VARIABLE)
    page.run_cell(1)
    source = page.node("dataset").locator('[data-testid="field-source"]')
    source.focus()
    page.node("dataset").locator(".em-combo-arrow").click()
    page.page.locator('[role="option"][data-value="variable:tickets"]').click()
    expect(source).to_have_value("variable:tickets")
    expect(page.node("dataset")).to_contain_text("80 rows")
    expect(page.node("dataset").locator(".em-preview")).to_contain_text("printer number 0")

    page.execute("tickets = tickets.rename(columns={'body': 'complaint'}).head(70)")
    page.hook("em-canvas").focus()
    source.focus()
    expect(page.node("dataset")).to_contain_text("70 rows")
    expect(page.node("dataset").locator(".em-preview")).to_contain_text("complaint")

    page.train()
    page.status("finished")
    assert dataset_of(home, project)["source"] == "variable:tickets"
