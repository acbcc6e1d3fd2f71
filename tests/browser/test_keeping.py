"""A home that cannot be written: the studio opens, says so, and saves by itself once it can."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.projects import saved
from playwright.sync_api import expect

from easymodel_nb.store.projects import ProjectStore


def test_in_memory_until_the_home_can_be_written(notebook: Callable[..., LabPage], home: Path):
    home.parent.mkdir(parents=True, exist_ok=True)
    home = home.parent / "Åsa's disk" / "easy model"
    home.parent.write_text("")  # no home can be made here, by whomever
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()
    banner = page.hook("keeping")
    expect(banner).to_contain_text("memory of this kernel")
    expect(banner).to_contain_text(str(home))

    page.input("epochs").fill("7")
    expect(page.page.get_by_text("In memory only")).to_be_visible()
    page.hook("project-new").click()  # and so does everything else
    expect(page.hook("project-item")).to_have_count(2)
    page.hook("project-item").last.click()
    expect(page.input("epochs")).to_have_value("7")
    with page.page.expect_download() as download:
        page.hook("keeping-export").click()
    assert '"epochs": 7' in Path(download.value.path()).read_text()
    notice = page.hook("notice")
    expect(notice).to_contain_text("downloads of your browser")
    page.hook("train").click()
    expect(notice).to_contain_text("A run is written down as it goes, and that cannot be done now")

    home.parent.unlink()
    expect(banner).to_have_count(0)
    expect(page.page.get_by_text("Saved", exact=True)).to_be_visible()
    (first,) = (info for info in ProjectStore(home).list_projects() if "First" in info.name)
    nodes = saved(home, first.id)["nodes"]
    assert [n["data"]["epochs"] for n in nodes if n["type"] == "finetune"] == [7]
