"""The project list by mouse and by keyboard: order, search, files."""

import json
from collections.abc import Callable
from pathlib import Path

from harness.files import drop
from harness.lab import LabPage
from harness.projects import QUICK, prepare
from playwright.sync_api import Locator, expect

from easymodel_nb.store.projects import ProjectStore


def row(page: LabPage, name: str) -> Locator:
    return page.page.locator(f'[data-testid="project-item"][title="{name}"]')


def shows(page: LabPage, *names: str) -> None:
    """The list shows these, from the top."""
    expect(page.hook("project-item").locator(".em-ellipsis")).to_have_text(list(names))


def drag(page: LabPage, source: Locator, target: Locator) -> None:
    """Drag a row just above another one."""
    start, end = source.bounding_box(), target.bounding_box()
    assert start is not None
    assert end is not None
    mouse = page.page.mouse
    mouse.move(start["x"] + 20, start["y"] + start["height"] / 2)
    mouse.down()
    mouse.move(end["x"] + 20, end["y"] + end["height"] / 2, steps=4)
    mouse.move(end["x"] + 20, end["y"] + 3)
    mouse.up()


def test_order_and_search(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    store = ProjectStore(home)
    for name in "ABC":
        store.create(name)
    page = open_studio()
    shows(page, "C", "B", "A", "First model")
    expect(page.hook("project-search")).to_have_count(0)

    drag(page, row(page, "A"), row(page, "C"))
    shows(page, "A", "C", "B", "First model")
    expect(row(page, "First model")).to_have_attribute("aria-current", "true")  # no click
    row(page, "A").focus()
    page.page.keyboard.press("Alt+ArrowDown")
    shows(page, "C", "A", "B", "First model")
    expect(row(page, "A")).to_be_focused()
    row(page, "B").hover()
    page.page.get_by_label("Menu of B", exact=True).click()
    page.hook("project-up").click()
    shows(page, "C", "B", "A", "First model")
    assert [info.name for info in ProjectStore(home).list_projects()][:3] == ["C", "B", "A"]

    page.run_cell(0)  # the order is on disk
    page.ready()
    shows(page, "C", "B", "A", "First model")
    for name in ("Résumé parser", "Support tickets", "Poems", "Slots"):
        page.execute(f"studio.command('project_new', name={name!r})")
    expect(row(page, "Slots")).to_have_attribute("aria-current", "true")
    page.hook("project-search").fill("resume")
    shows(page, "Résumé parser")
    page.page.keyboard.press("Enter")
    expect(row(page, "Résumé parser")).to_have_attribute("aria-current", "true")
    page.page.keyboard.press("Escape")
    expect(page.hook("project-item")).to_have_count(8)
    page.page.keyboard.press("ArrowDown")
    expect(row(page, "Slots")).to_be_focused()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    expect(row(page, "Poems")).to_have_attribute("aria-current", "true")
    page.page.keyboard.press("F2")
    page.hook("project-rename-input").fill("Verses")
    page.page.keyboard.press("Enter")
    expect(row(page, "Verses")).to_have_attribute("aria-current", "true")


def test_a_project_goes_out_as_a_file_and_comes_back(
    open_studio: Callable[..., LabPage], home: Path, tmp_path: Path
):
    rows = tmp_path / "reviews.csv"
    rows.write_text("text\nhello\n")
    prepare(home, QUICK, {"source": str(rows)})
    page = open_studio()
    row(page, "First model").focus()
    page.page.keyboard.press("Shift+Tab")
    page.page.get_by_label("Menu of First model", exact=True).click()
    with page.page.expect_download() as download:
        page.hook("project-export").click()
    assert download.value.suggested_filename == "First-model.easymodel.json"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    expect(page.hook("notice")).to_contain_text("Left out: the path of reviews.csv (Dataset).")
    with page.page.expect_download() as whole:
        page.hook("export-paths").click()
    assert str(rows) in Path(whole.value.path()).read_text(encoding="utf-8")

    page.page.locator('[data-testid="project-import-file"]').set_input_files(
        {"name": "First-model.easymodel.json", "mimeType": "application/json",
         "buffer": text.encode()}
    )  # fmt: skip
    expect(row(page, "First model 2")).to_have_attribute("aria-current", "true")
    expect(page.hook("notice")).to_contain_text("Choose again: reviews.csv (Dataset).")
    expect(page.hook("problem", data_field="source")).to_contain_text("choose it again")
    expect(page.hook("node")).to_have_count(3)
    expect(page.input("epochs")).to_have_value(str(QUICK["epochs"]))

    named = json.dumps({**json.loads(text), "name": "Dropped"}).encode()
    drop(page.page, page.hook("em-sidebar"), "a.easymodel.json", named, (60, 300))
    expect(row(page, "Dropped")).to_have_attribute("aria-current", "true")
    drop(page.page, page.hook("em-canvas"), "b.easymodel.json", named, (300, 500))
    expect(row(page, "Dropped 2")).to_have_attribute("aria-current", "true")
    expect(page.hook("node")).to_have_count(3)
    for name, content, said in (
        ("data.csv", b"a,b", "is no project"),
        ("package.json", b'{"name": "left-pad"}', "This is no EasyModel project"),
        ("new.json", b'{"format": "easymodel.workflow", "version": 9}', "newer EasyModel"),
    ):
        drop(page.page, page.hook("em-sidebar"), name, content, (60, 300))
        expect(page.hook("notice")).to_contain_text(said)
    expect(page.hook("project-item")).to_have_count(4)
