"""A model with Python code of its own: looked at, allowed in words, run, and taken back."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import QUICK, prepare, runs
from harness.server import JupyterServer, lab
from harness.waiting import until
from playwright.sync_api import Browser, Locator, expect

from easymodel_nb.trust import consents

sys.path.append(str(Path(__file__).parents[1] / "hub"))
from coded import coded_files
from fake_hub import Hub
from stock import stocked_hub

OWN = "someone/counting"
HOSTILE = '<img src=x onerror="window.hacked=1">.py'


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with stocked_hub() as server:
        server.add(OWN, coded_files() | {HOSTILE: b"# read me\n"})
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("trust-home")
    prepare(home, QUICK)
    return home


@pytest.fixture(scope="module")
def studio(
    hub: Hub, home: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabPage]:
    folder = tmp_path_factory.mktemp("trust")
    reach = hub.environment(folder / "hf") | {"HF_HUB_OFFLINE": "0"}
    with lab(sys.executable, folder, **reach) as online:
        yield from _opened(online, browser, home)


def _opened(online: JupyterServer, browser: Browser, home: Path) -> Iterator[LabPage]:
    with one_studio(online, browser, home) as opened:
        yield opened


def question(studio: LabPage) -> Locator:
    return studio.hook("code-question")


def test_code_is_looked_at_allowed_and_taken_back(studio: LabPage, hub: Hub, home: Path):
    field = studio.node("model").get_by_test_id("field-source")
    field.fill(OWN)
    field.press("Escape")
    told = studio.node("model").get_by_test_id("problem")
    expect(told).to_contain_text("works only with Python code of its own")
    told.get_by_test_id("fix").click()

    # What it is and what it means stand there; the tick has the focus, and nothing goes before it.
    expect(question(studio)).to_contain_text("whatever you can")
    expect(studio.hook("code-files")).to_contain_text("modeling_counting.py")
    expect(studio.hook("code-files")).to_contain_text(HOSTILE)
    assert studio.page.evaluate("window.hacked") is None
    commit = hub.models[OWN].commit("main")
    assert commit is not None
    expect(studio.hook("code-page")).to_have_attribute("href", re.compile(f"/{OWN}/tree/{commit}$"))
    expect(studio.hook("code-trusted")).to_be_focused()
    expect(studio.hook("code-allow")).to_be_disabled()
    assert not consents.given(home, "code", OWN, commit)

    # With keys alone.
    studio.page.keyboard.press("Space")
    studio.page.keyboard.press("Tab")
    expect(studio.hook("code-allow")).to_be_focused()
    studio.page.keyboard.press("Enter")
    expect(studio.hook("code-allowed")).to_contain_text("You allowed it on")
    assert consents.given(home, "code", OWN, commit)
    expect(told).to_have_count(0)
    studio.train()
    studio.status("finished")
    (run,) = runs(home)
    assert run.plan is not None
    assert run.plan["model"]["code"]["commit"] == commit

    # Other code is another question; what was allowed is listed, and can be taken back.
    hub.models[OWN].put(coded_files(comment="changed"))
    studio.hook("consents-show").click()
    listed = studio.hook("consents").get_by_test_id("consent-withdraw")
    expect(listed).to_have_count(1)
    listed.click()
    expect(listed).to_have_count(0)
    expect(question(studio)).to_be_visible()
    until(lambda: not consents.known(home), "the consent forgotten")
