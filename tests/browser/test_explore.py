"""What the user explores of two runs: samples by score, a prompt, one run beside the other."""

import re
from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import prepare
from playwright.sync_api import expect

SMALL = {
    "epochs": 2,
    "subset_size": 40,
    "eval_size": 20,
    "max_length": 128,
    "batch_size": 8,
    "max_new_tokens": 6,
    "analytics_budget": 1.0,
}
TRAIN_TWO = """
studio.command("train")
first = studio.wait()
document = studio.project.workflow.dump()
for node in document["nodes"]:
    if node["type"] == "finetune":
        node["data"]["learning_rate"] = 5e-3
studio.command("commit", document=document)
studio.command("train")
second = studio.wait()
"""
ORDER = "Order of the samples"
PROMPT = "Intent: get weather\nCity: Bangkok\nRequest:"


class Samples:
    """The table of samples as a user handles it."""

    def __init__(self, page: LabPage) -> None:
        self.page = page
        self.box = page.hook("samples")

    def settled(self) -> None:
        """Wait until what was asked for is here."""
        expect(self.box.locator("[aria-busy]")).to_have_count(0)

    def choose(self, menu: str, value: str) -> None:
        self.box.get_by_label(menu).select_option(value)
        self.settled()
        expect(self.box.get_by_label(menu)).to_have_value(value)

    def column(self, name: str) -> list[str]:
        return self.box.locator(f"tbody td.emnb-c-{name}").all_inner_texts()

    def gains(self) -> list[float]:
        shown = self.box.locator("tbody td.emnb-c-score > span:first-child").all_inner_texts()
        return [float(text.replace("\u2212", "-")) for text in shown if text != "n/a"]


def explore_samples(page: LabPage) -> None:
    """Orders, epochs, pages and a search; the keyboard and the focus."""
    samples = Samples(page)
    box = samples.box
    expect(box).to_contain_text("5 of 20")
    largest = samples.gains()
    assert largest == sorted(largest, reverse=True)
    samples.choose(ORDER, "loss")
    assert samples.gains() == sorted(samples.gains())
    samples.choose(ORDER, "order")
    first_page, tuned = samples.column("prompt"), samples.column("tuned")
    samples.choose("Epoch whose answers are shown", "1")
    assert samples.column("prompt") == first_page
    assert samples.column("tuned") != tuned
    following = box.get_by_role("button", name="Next page of samples")
    following.focus()
    page.page.keyboard.press("Enter")
    expect(box).to_contain_text("Page 2 of 4")
    assert not set(samples.column("prompt")) & set(first_page)
    expect(following).to_be_focused()
    search = box.get_by_label("Find in samples")
    search.press_sequentially("xadd")  # JupyterLab's shortcuts to cut, to add, to delete a cell
    search.press("Enter")
    expect(box).to_contain_text("No sample holds 'xadd'.")
    expect(search).to_be_focused()
    search.fill("")
    search.press("Enter")
    expect(box).to_contain_text("Page 1 of 4")
    assert len(page.cells()) == 3, "no cell was cut or added"


def explore_a_prompt(page: LabPage) -> None:
    """A text of the user's is answered by both, from the keyboard, while nothing trains."""
    box = page.hook("try")
    text = box.get_by_label("Text to try")
    text.fill(" ")
    box.get_by_role("button", name="Try", exact=True).click()
    expect(box.get_by_role("alert")).to_have_text("Write a text first.")
    text.fill(PROMPT)
    text.press("Control+Enter")
    answers = box.locator(".emnb-tried-answer + p")
    expect(answers).to_have_count(2)
    for answer in answers.all():
        expect(answer).to_have_text(re.compile("ended (at the limit of|by itself after)"))
    expect(box.get_by_role("alert")).to_have_count(0)
    expect(text).to_have_value(PROMPT)


def explore_both_runs(page: LabPage) -> None:
    """Curves on another axis, the one setting that differs, the texts that both measured."""
    page.hook("em-dashboard").get_by_role("button", name="Compare").click()
    compare = page.hook("compare")
    expect(compare.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(compare).to_contain_text("Paired on 20 validation texts.")
    expect(compare.get_by_role("row", name=re.compile("^learning rate"))).to_contain_text("5e-3")
    expect(compare.get_by_role("row", name=re.compile("^Run 2 perplexity"))).to_contain_text(
        re.compile("better|worse|no clear difference")
    )
    figure = compare.locator(".bqplot svg").locator("visible=true").first
    expect(figure).to_contain_text("epoch")
    compare.get_by_label("Along").select_option("minutes")
    expect(figure).to_contain_text("minutes of training")
    compare.get_by_role("checkbox").first.uncheck()
    expect(compare).to_contain_text("Choose 2 to 8 runs.")
    compare.get_by_role("button", name="Close").click()
    expect(compare).to_have_count(0)


def test_samples_a_prompt_and_two_runs(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, SMALL)
    page = open_studio(TRAIN_TWO, "'the last cell'")
    page.run_cell(1)
    page.hook("tab-analytics").click()
    explore_samples(page)
    explore_a_prompt(page)
    explore_both_runs(page)
    page.hook("try").scroll_into_view_if_needed()
    page.hook("tab-canvas").click()  # it is much shorter than the dashboard
    expect(page.node()).to_be_in_viewport()
