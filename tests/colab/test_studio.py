"""The studio on Colab's versions: it renders, and trains with pull alone.

In Colab messages that a thread sends may not arrive, so here none do: what the kernel
sends outside its main thread is dropped. The view must get everything by asking.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.classic import ClassicPage
from harness.projects import QUICK, prepare, runs
from playwright.sync_api import expect

STAND_IN = Path(__file__).parent / "stand_in"
COLAB = (
    f"import sys; sys.path.insert(0, {str(STAND_IN)!r})"
    """
import threading
import google.colab

from ipykernel.comm import Comm
send, dropped = Comm._publish_msg, []
def publish(self, *arguments, **options):
    if threading.current_thread() is not threading.main_thread():
        dropped.append(arguments[0])
        return
    send(self, *arguments, **options)
Comm._publish_msg = publish
"""
)


def launch(home: Path) -> str:
    return f"import easymodel\nstudio = easymodel.studio(home={str(home)!r})"


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(notebook: Callable[..., ClassicPage], home: Path, errors: list[str]) -> ClassicPage:
    prepare(home, QUICK)
    opened = notebook(COLAB, launch(home), "studio")
    opened.page.on("pageerror", lambda error: errors.append(str(error)))
    opened.run_cell(0)
    opened.run_cell(1)
    opened.ready()
    return opened


def test_it_trains_with_pull_alone_and_charts_appear(page: ClassicPage, errors: list[str]):
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)
    page.train()
    page.status("running")
    expect(page.hook("run-stage")).to_contain_text(re.compile(r"[Ee]poch \d of 3"))
    page.status("finished")
    page.hook("tab-analytics").click()
    for chart in ("chart-perplexity", "chart-loss"):
        expect(page.hook(chart).locator("svg.bqplot, .bqplot svg").first).to_be_visible()
    assert len(page.table("chart-perplexity")) >= 1 + 6
    page.execute("assert dropped, 'no thread sent anything: this test tests nothing'")
    assert errors == []


def test_stop_and_an_edit_reach_the_kernel(page: ClassicPage, home: Path):
    page.input("epochs").fill("900")
    page.train()
    expect(page.hook("run-stage")).to_contain_text("epoch 1 of 900")
    page.hook("stop").click()
    page.status("stopped")
    (run,) = runs(home)
    assert run.reason == "user"


def test_the_keyboard_leaves_the_notebook_alone(page: ClassicPage):
    count = "() => Jupyter.notebook.get_cells().map((c) => c.cell_type + c.get_text())"
    before = page.page.evaluate(count)
    for keys in ["x", "m", "a", "b", "z", "d d"]:
        page.node("model").focus()
        for key in keys.split():
            page.page.keyboard.press(key)
        assert page.page.evaluate(count) == before, keys
    expect(page.hook("node")).to_have_count(3)


def test_a_file_is_uploaded_and_its_rows_appear(page: ClassicPage, home: Path, errors: list[str]):
    content = "texte;note\n" + "".join(f"été numéro {i};{i % 5}\n" for i in range(60))
    page.node("dataset").locator('[data-testid="upload-file"]').set_input_files(
        {"name": "notes.csv", "mimeType": "text/csv", "buffer": content.encode("cp1252")}
    )
    expect(page.node("dataset")).to_contain_text("60 rows")
    expect(page.node("dataset").locator(".em-preview")).to_contain_text("été numéro 0")
    (stored,) = (home / "uploads").rglob("notes.csv")
    assert stored.read_bytes() == content.encode("cp1252")
    assert errors == []
