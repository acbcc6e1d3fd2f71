"""Sources as they are typed, in a real JupyterLab whose kernel knows a Hub of this machine."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import QUICK, prepare
from harness.server import JupyterServer, lab
from playwright.sync_api import Browser, Locator, expect

sys.path.append(str(Path(__file__).parents[1] / "hub"))
from fake_hub import TOKEN, Hub
from stock import MODEL, model_files, stocked_hub

CACHED = "someone/tiny-fetched"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with stocked_hub() as server:
        yield server


@pytest.fixture(scope="module")
def online(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A notebook server whose kernels know that Hub and no other; one model is in the cache."""
    folder = tmp_path_factory.mktemp("sources")
    reach = hub.environment(folder / "hf") | {"HF_HUB_OFFLINE": "0"}
    hub.add(CACHED, model_files())
    fetch = f"import huggingface_hub as hub; hub.snapshot_download({CACHED!r})"
    subprocess.run([sys.executable, "-c", fetch], env=os.environ | reach, check=True)
    with lab(sys.executable, folder, **reach) as running:
        yield running


@pytest.fixture(scope="module")
def page(
    online: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabPage]:
    """One studio for all looks."""
    home = tmp_path_factory.mktemp("sources-home")
    prepare(home, QUICK)
    with one_studio(online, browser, home) as opened:
        yield opened


@pytest.fixture
def studio(page: LabPage, hub: Hub, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """The studio with the Hub working."""
    request.node.pages = [page.page]
    hub.requests.clear()
    hub.searches.clear()
    yield page
    hub.failing = 0


def source(studio: LabPage, kind: str) -> Locator:
    return studio.node(kind).get_by_test_id("field-source")


def typed(studio: LabPage, kind: str, text: str) -> Locator:
    """The node, after a source was typed into it letter by letter and left."""
    field = source(studio, kind)
    field.fill("")
    field.press_sequentially(text, delay=15)
    field.press("Escape")
    return studio.node(kind)


def option(studio: LabPage, value: str) -> Locator:
    return studio.page.locator(f'[role="option"][data-value="{value}"]')


def test_an_id_is_looked_at_as_one_pauses(studio: LabPage, hub: Hub):
    node = typed(studio, "model", MODEL)
    facts = node.get_by_test_id("facts")
    expect(facts).to_have_attribute("data-state", "ok")
    expect(facts).to_contain_text("GPT2LMHeadModel")
    expect(facts).to_contain_text("parameters")
    expect(facts).to_contain_text("mit, ")
    looks = [p for _, p, _ in hub.requests if p.startswith("/api/models/")]
    assert set(looks) == {f"/api/models/{MODEL}"}  # no half of the name was looked up


def test_the_details_have_each_fact_by_name(studio: LabPage, hub: Hub):
    studio.details("model")
    details = studio.hook("source-details")
    for name in ("Architecture", "Parameters", "Trains for", "Licence", "Download", "Access"):
        expect(details.locator("dt", has_text=re.compile(f"^{name}$"))).to_be_visible()
    link = studio.hook("source-page")
    expect(link).to_have_attribute("href", f"{hub.url}/{MODEL}")
    studio.input("revision").fill("v9")
    problem = studio.hook("node-panel").locator('[data-testid="problem"][data-field="revision"]')
    expect(problem).to_contain_text("no revision 'v9'")
    problem.get_by_test_id("fix").click()
    expect(studio.input("revision")).to_have_value("")
    expect(problem).to_have_count(0)
    studio.hook("node-panel-close").click()


def test_suggestions_come_from_here_and_the_hub_and_are_chosen_by_keyboard(
    studio: LabPage, hub: Hub
):
    field = source(studio, "model")
    field.fill("")
    field.press_sequentially("tiny", delay=15)
    expect(option(studio, "builtin:tiny-gpt2")).to_be_visible()
    gated = option(studio, "someone/gated-tiny")
    expect(gated).to_contain_text("gated")
    here = studio.page.get_by_role("group", name="Downloaded before").locator("[role=option]")
    expect(here).to_have_attribute("data-value", CACHED)
    expect(here).to_contain_text("trains offline")
    # A left-to-right model is wanted: the encoder is not on the list.
    expect(option(studio, "someone/tiny-bert")).to_have_count(0)
    assert {query["search"] for _, query in hub.searches} == {"tiny"}
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Enter")  # the last one
    expect(field).to_have_value("someone/gated-tiny")
    expect(studio.page.locator("[role=listbox]")).to_have_count(0)
    node = typed(studio, "model", "someone/tiny-gguf")
    problem = node.locator('[data-testid="problem"][data-code="model.weights"]')
    expect(problem).to_contain_text("no weights that can be trained here")


def test_a_wrong_name_is_mended_by_a_click(studio: LabPage):
    node = typed(studio, "model", "someone/tiny-modle")
    problem = node.locator('[data-testid="problem"][data-code="hub.not_found"]')
    expect(problem).to_contain_text(f"Did you mean {MODEL}")
    problem.get_by_test_id("fix").click()
    expect(source(studio, "model")).to_have_value(MODEL)
    expect(node.get_by_test_id("facts")).to_have_attribute("data-state", "ok")


def test_a_model_that_does_not_fit_is_a_problem_where_it_is_trained(studio: LabPage):
    typed(studio, "model", "someone/tiny-bert")
    problem = studio.node().locator('[data-testid="problem"][data-code="model.task"]')
    expect(problem.first).to_contain_text("tiny-bert can be trained for classification")


def test_a_gated_model_opens_with_the_token(studio: LabPage, online: JupyterServer):
    node = typed(studio, "model", "someone/gated-tiny")
    problem = node.locator('[data-testid="problem"][data-code="hub.gated"]')
    expect(problem).to_contain_text("accept its terms")
    expect(node.get_by_test_id("source-page")).to_be_visible()
    studio.execute(f"studio.command('token', token={TOKEN!r})")
    expect(problem).to_have_count(0)
    expect(node.get_by_test_id("facts")).to_have_attribute("data-state", "ok")
    assert TOKEN not in studio.page.content()
    assert TOKEN not in online.log.read_text()
    studio.execute("studio.command('token', token='')")


def test_a_configuration_is_chosen_and_its_rows_are_shown(studio: LabPage):
    node = typed(studio, "dataset", "someone/several")
    config = node.get_by_test_id("field-config")
    expect(config).to_have_attribute("aria-invalid", "true")
    expect(node.locator('[data-testid="problem"][data-field="config"]')).to_contain_text("long")
    # The gate finds the same, which is told once.
    expect(studio.hook("audit")).to_contain_text("2 configurations")
    expect(node.get_by_test_id("problem")).to_have_count(1)
    config.press("ArrowDown")
    expect(option(studio, "long")).to_be_visible()
    config.press("ArrowDown")
    config.press("ArrowDown")
    config.press("Enter")
    expect(config).to_have_value("long")
    expect(node.get_by_test_id("facts")).to_contain_text("40 rows")
    expect(node.locator(".em-preview")).to_contain_text("Say 0:")


def test_of_a_large_dataset_the_first_rows_and_counted_splits_are_shown(studio: LabPage):
    studio.node("dataset").get_by_test_id("field-config").fill("")
    node = typed(studio, "dataset", "someone/large")
    expect(node.get_by_test_id("facts")).to_contain_text("300,000 rows by its card")
    node.locator(".em-preview").click()
    expect(studio.hook("splits")).to_contain_text("300,000 rows")
    expect(studio.hook("data-preview")).to_contain_text("Say 0:")
    studio.hook("node-panel-close").click()


def test_without_the_hub_one_line_says_so_and_what_is_here_still_works(studio: LabPage, hub: Hub):
    hub.failing = 503
    node = typed(studio, "model", "someone/elsewhere")
    note = node.locator('[data-testid="problem"][data-code="hub.error"]')
    expect(note).to_contain_text("not on this machine")
    field = source(studio, "model")
    field.fill("")
    field.press_sequentially("some", delay=15)
    foot = studio.page.locator(".em-option-foot")
    expect(foot).to_contain_text("The Hub answers an error")
    field.fill("builtin:tiny-gpt2")
    expect(node.get_by_test_id("facts")).to_have_attribute("data-state", "ok")
    typed(studio, "model", "someone/elsewhere")
    expect(note).to_be_visible()
    hub.failing = 0
    note.get_by_test_id("fix").click()
    expect(node.locator('[data-testid="problem"][data-code="hub.not_found"]')).to_be_visible()
