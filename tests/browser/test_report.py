"""A report without a network, and a recorded run in a real JupyterLab: one run, many looks."""

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from harness.lab import LabPage
from playwright.sync_api import Browser, Page, expect

from easymodel_nb.report import files
from easymodel_nb.report.told import told
from easymodel_nb.widgets.recording import recording
from easymodel_nb.widgets.replay import Player

RECORDED = "builtin:requests"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the recorded run that comes with the package."""
    player = Player(recording(RECORDED))
    player.stop()
    player.start()
    run = player.wait(timeout=60)
    return files.write(told(run), tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def page(browser: Browser, report: Path) -> Iterator[Page]:
    context = browser.new_context(offline=True, accept_downloads=True, color_scheme="light")
    opened = context.new_page()
    opened.asked = []  # type: ignore[attr-defined]
    opened.errors = []  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.asked.append(request.url))  # type: ignore[attr-defined]
    opened.on("console", lambda said: opened.errors.append(said.text))  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))  # type: ignore[attr-defined]
    opened.goto(report.as_uri())
    yield opened
    context.close()


def test_the_page_asks_for_nothing_and_complains_of_nothing(page: Page, report: Path):
    assert page.asked == [report.as_uri()]  # type: ignore[attr-defined]
    assert page.errors == []  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", level=2).first).to_contain_text("alidation perplexity")


def test_no_text_of_a_chart_is_cut(page: Page):
    """In the browser's own fonts, whatever those are here."""
    cut = page.evaluate(
        """() => [...document.querySelectorAll("svg.em-svg")].flatMap((svg) => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1
                    || box.top < frame.top - 2 || box.bottom > frame.bottom + 2;
            }).map((text) => text.textContent);
        })"""
    )
    assert cut == []


def test_the_theme_is_switched(page: Page):
    button = page.get_by_role("button", name="Theme")
    ground = "getComputedStyle(document.querySelector('main')).backgroundColor"
    light = page.evaluate(ground)
    button.click()
    assert page.evaluate(ground) == light, "light was the reader's own"
    button.click()
    expect(button).to_have_text("Theme: dark")
    assert page.evaluate(ground) != light
    button.click()
    assert page.evaluate(ground) == light


def test_a_chart_is_saved_as_svg_and_as_png(page: Page):
    panel = page.locator("#chart-perplexity")
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            panel.get_by_role("button", name=kind).click()
        assert saved.value.suggested_filename == f"chart-perplexity.{kind.lower()}"
        content = Path(saved.value.path()).read_bytes()
        assert content.startswith(begins)
        if kind == "SVG":
            ET.fromstring(content.decode())
            assert b"<style" in content, "its colours go along"
        else:
            assert len(content) > 5_000, "something is drawn"
    with page.expect_download() as saved:
        panel.get_by_role("link", name="CSV").click()
    assert Path(saved.value.path()).read_text(encoding="utf-8").startswith("epoch,")


def test_samples_are_sorted_by_a_click(page: Page):
    gains = "[...document.querySelectorAll('.rp-samples tbody tr')].map((r) => +r.dataset.gain)"
    page.get_by_role("button", name="Gain").click()
    found = page.evaluate(gains)
    known = [gain for gain in found if gain == gain]  # noqa: PLR0124  not a number is not itself
    assert known == sorted(known, reverse=True)
    assert len(found) == 64


def test_a_recorded_run_in_the_studio(notebook: Callable[..., LabPage], tmp_path: Path):
    target = tmp_path / "report.zip"
    opened = notebook(
        f"import easymodel_nb as easymodel\nstudio = easymodel.studio(replay={RECORDED!r})",
        "studio.snapshot()",
        f"studio.command('stop'); studio.wait(timeout=60); studio.report(path={str(target)!r})",
    )
    opened.run_cell(0)
    opened.ready()
    page = opened.page
    expect(page.get_by_text(re.compile("Recorded run of"))).to_be_visible()
    opened.run_cell(2)
    expect(opened.node()).to_have_attribute("data-status", "finished")
    opened.hook("tab-analytics").click()
    expect(opened.hook("em-dashboard")).to_contain_text("recorded")
    expect(opened.hook("chart-quality")).to_be_visible()
    with zipfile.ZipFile(target) as archive:
        assert "report/report.html" in archive.namelist()
    opened.run_cell(1)
    picture = page.locator(".jp-OutputArea-output img[src^='data:image/svg+xml']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 960
