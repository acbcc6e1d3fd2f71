"""The gate in the node and in the inspector, with a real audit in a real kernel."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.lab import LabPage
from harness.projects import WHOLE, prepare, saved
from harness.waiting import until
from playwright.sync_api import expect

FIGURE = re.compile(r"\d")


def field(home: Path, project: str, name: str) -> Any:
    """A field of the finetune node as it is on disk."""
    (data,) = (n["data"] for n in saved(home, project)["nodes"] if n["type"] == "finetune")
    return data.get(name)


def test_the_first_project_is_ready_and_tells_all_it_counted(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, WHOLE)
    page = open_studio()
    expect(page.hook("train")).to_be_enabled()  # nobody waits for the audit
    strip = page.hook("audit")
    expect(strip).to_have_attribute("data-verdict", "green")
    expect(strip).to_contain_text("Ready.")
    for name in ("rows", "tokens", "cut"):
        expect(page.hook(f"cell-{name}")).to_contain_text(FIGURE)
    expect(page.hook("cell-rows")).to_contain_text("60")
    expect(page.hook("cell-time")).not_to_contain_text(FIGURE)

    page.hook("cell-tokens").click()
    section = page.hook("audit-section")
    expect(section).to_be_visible()
    expect(page.hook("audit-lengths").locator("rect").first).to_be_visible()
    examples = page.hook("audit-example")
    expect(examples).to_have_count(3)
    for kind in ("read", "learned"):
        expect(examples.first.locator(f'[data-kind="{kind}"]').first).not_to_be_empty()
    expect(section).to_contain_text(re.compile(r"Trained\s*60"))

    expect(page.hook("fit")).to_have_attribute("data-state", "none")
    page.hook("check-time").click()
    expect(page.hook("fit")).to_have_attribute("data-state", "done")
    for name in ("time", "memory"):
        expect(page.hook(f"cell-{name}")).to_contain_text(FIGURE)
    expect(page.hook("fit")).to_contain_text(re.compile(r"Peak memory\s*\d"))
    expect(strip).to_have_attribute("data-verdict", "green")
    expect(strip).to_contain_text(re.compile(r"About \d+"))

    expect(page.hook("field-epochs")).to_be_visible()
    expect(page.hook("field-learning_rate")).to_have_count(0)  # folded away
    page.hook("advanced-fold").click()
    expect(page.field("learning_rate")).to_be_visible()
    expect(page.hook("field-lora_rank")).to_have_count(0)
    page.field("method").select_option("lora")
    expect(page.field("lora_rank")).to_have_value("16")


def test_a_warning_waits_for_its_tick_or_is_healed_by_its_fix(
    open_studio: Callable[..., LabPage], home: Path
):
    project = prepare(home, WHOLE | {"max_length": 12})
    page = open_studio()
    strip = page.hook("audit")
    expect(strip).to_have_attribute("data-verdict", "amber")
    expect(strip).to_contain_text("Ready if you accept.")
    expect(page.hook("train")).to_be_disabled()
    expect(page.hook("train-refused")).to_contain_text("ccept")
    page.hook("accept").check()
    expect(strip).to_have_attribute("data-verdict", "green")
    expect(page.hook("train")).to_be_enabled()
    until(lambda: field(home, project, "accept") == ["rows.cut"], "tick in the saved document")
    page.hook("accept").uncheck()
    expect(page.hook("train")).to_be_disabled()

    page.hook("audit-warning").locator('[data-testid="fix"]').click()
    expect(strip).to_have_attribute("data-verdict", "green")
    expect(strip).to_contain_text("Ready.")
    expect(page.hook("audit-warning")).to_have_count(0)
    assert int(page.input("max_length").input_value()) > 12
    expect(page.hook("train")).to_be_enabled()


def test_what_is_impossible_is_red_and_healed_by_its_fix(
    open_studio: Callable[..., LabPage], home: Path
):
    """QLoRA needs a GPU, which these tests have not got."""
    project = prepare(home, WHOLE | {"method": "qlora"})
    page = open_studio()
    strip = page.hook("audit")
    expect(strip).to_have_attribute("data-verdict", "red")
    expect(strip).to_contain_text("Cannot start.")
    expect(page.hook("train")).to_be_disabled()
    expect(page.hook("train-refused")).to_contain_text("red")
    expect(page.hook("problems")).to_contain_text("1 problem")
    page.node().locator('[data-testid="fix"]').first.click()
    expect(strip).to_have_attribute("data-verdict", "green")
    expect(page.hook("train")).to_be_enabled()
    until(lambda: field(home, project, "method") != "qlora", "fix in the saved document")


def test_a_node_becomes_a_script_in_the_browser_s_downloads(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, WHOLE)
    page = open_studio()
    page.menu()
    with page.page.expect_download() as coming:
        page.hook("menu-export-script").click()
    script = Path(coming.value.path()).read_text(encoding="utf-8")
    assert coming.value.suggested_filename.endswith(".py")
    compile(script, coming.value.suggested_filename, "exec")
    assert "from transformers import" in script or "import transformers" in script
    assert not re.search(r"^\s*(import|from) easymodel", script, re.MULTILINE)
    page.hook("cell-rows").click()
    expect(page.hook("exported")).to_have_text(coming.value.suggested_filename)
    expect(page.hook("export-copy")).to_be_visible()
