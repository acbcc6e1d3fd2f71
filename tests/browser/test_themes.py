"""Both themes, by computed colour: the studio, its canvas, and bqplot's text."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.projects import QUICK, prepare
from playwright.sync_api import expect

LAB = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
ORANGE = "rgb(255, 165, 0)"  # bqplot's own choice in a dark JupyterLab


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of an opaque rgb() colour."""
    channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ground(page: LabPage, selector: str) -> str:
    """The colour one sees behind an element: the nearest background that is not transparent."""
    return str(
        page.page.evaluate(
            """(selector) => {
              let e = [...document.querySelectorAll(selector)].find((e) => e.checkVisibility());
              for (; e; e = e.parentElement) {
                const colour = getComputedStyle(e).backgroundColor;
                if (!/^rgba\\(.*, 0\\)$|transparent/.test(colour)) return colour;
              }
              return 'rgb(255, 255, 255)';
            }""",
            selector,
        )
    )


def text_colours(page: LabPage, selector: str) -> set[str]:
    """The colours of all visible SVG text below a selector."""
    found = page.page.evaluate(
        """(selector) => [...document.querySelectorAll(`${selector} text`)]
          .filter((e) => e.checkVisibility() && e.textContent.trim())
          .map((e) => getComputedStyle(e).fill)""",
        selector,
    )
    return set(found)


@pytest.fixture
def trained(open_studio: Callable[..., LabPage], home: Path) -> LabPage:
    prepare(home, QUICK)
    page = open_studio()
    page.train()
    page.status("finished")
    return page


def assert_colours(page: LabPage, theme: str) -> None:
    expect(page.ready()).to_have_attribute("data-theme", theme)
    page.hook("tab-canvas").click()
    expect(page.hook("em-canvas")).to_be_visible()
    is_dark = theme == "dark"
    for part in ("em-sidebar", "em-canvas", "node"):
        assert (luminance(ground(page, f'[data-testid="{part}"]')) < 0.2) == is_dark, part
    title = page.node().locator("text=Finetuning").first
    colour = page.computed(title, "color")
    assert contrast(colour, ground(page, '[data-testid="node"]')) >= 4.5

    page.hook("tab-analytics").click()
    for chart in ("chart-perplexity", "chart-loss"):
        selector = f'[data-testid="{chart}"]'
        expect(page.hook(chart).locator(".bqplot text").first).to_be_visible()
        behind = ground(page, selector)
        assert (luminance(behind) < 0.2) == is_dark
        colours = text_colours(page, selector)
        assert colours
        assert ORANGE not in colours
        for colour in colours:
            assert contrast(colour, behind) >= 4.5, f"{colour} on {behind} in {chart}"


def test_the_studio_follows_jupyterlab_s_theme(trained: LabPage):
    for theme in ("light", "dark", "light"):
        trained.theme(LAB[theme])
        assert_colours(trained, theme)


def test_the_toggle_overrules_jupyterlab_and_is_remembered(
    trained: LabPage,
):
    trained.theme(LAB["light"])
    toggle = trained.hook("theme-toggle")
    toggle.click()  # auto to light
    toggle.click()  # light to dark
    assert_colours(trained, "dark")
    trained.run_cell(0)  # a new studio in the same home
    assert_colours(trained, "dark")
