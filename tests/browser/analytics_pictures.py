"""Makes the pictures of docs/analytics.md: the dashboard of a real run of each task, both themes.

    python tests/browser/analytics_pictures.py docs/pictures [FOLDER]

The runs are those in FOLDER; a task without a finished run there is trained first, from its
template, small enough for a laptop. Without FOLDER all of them are, in a temporary one. One more
run has no judge of texts.
Colours are reduced where Pillow is installed; without it the files are larger.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.browser import chromium_browser
from harness.lab import LabPage, launch
from harness.server import JupyterServer, lab
from harness.waiting import PATIENCE
from pictures import THEMES, reduce
from playwright.sync_api import Browser, expect

import easymodel
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.run import Run

# The fields that make a template's run short; its panels are all there.
SMALL = {
    "generation": {"subset_size": 400, "epochs": 4, "max_new_tokens": 48},
    "seq2seq": {"subset_size": 300, "epochs": 3, "max_new_tokens": 32},
    "classification": {"subset_size": 400, "epochs": 4},
    "token_classification": {"subset_size": 300, "epochs": 4},
}
UNJUDGED = {"subset_size": 200, "epochs": 2, "max_new_tokens": 24}
SETTLE_MS = 1200  # a figure is laid out anew some time after its place has changed
WIDTH = 1000  # of the studio, as in the pictures of the design
_STILL = """() => {
  const figures = [...document.querySelectorAll('.emnb-chart')].filter((e) => e.clientWidth);
  return figures.length > 0 && figures.every((e) => e.querySelector('svg'));
}"""


def projects(home: Path) -> dict[str, str]:
    """The project that has the latest finished run of each task."""
    found = {}
    for folder in sorted(runs_folder(home).glob("*")):
        view = Run(folder).view
        task = (view.plan or {}).get("finetune", {}).get("task")
        if view.status == "finished" and task and view.project_id:
            found[task] = view.project_id
    return found


def train(home: Path, task: str, fields: dict[str, int]) -> None:
    """Train a task's template; the project stays in the home."""
    studio = easymodel.studio(home=home)
    studio.command("project_new", template=task)
    workflow = studio.project.workflow
    for node in workflow.of_type("finetune"):
        node.data |= fields
    studio.command("commit", document=workflow.dump())
    studio.command("train")
    run = studio.wait()
    studio.close()
    if run.status != "finished":
        message = f"The run of {task} {run.status}: {run.view.problem}"
        raise RuntimeError(message)


def take(browser: Browser, server: JupyterServer, home: Path, named: Callable[[str], Path]) -> None:
    """The dashboard of each task's run in each theme; `named` makes a file's path of both."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    page = LabPage(context.new_page(), server, server.write("pictures.ipynb", launch(home))).open()
    page.command("application:toggle-left-area")
    page.run_cell(0)
    page.ready()
    page.hook("tab-analytics").click()
    for task, project in projects(home).items():
        page.execute(f"studio.command('project_switch', project_id={project!r})")
        expect(page.hook("em-dashboard").locator(".emnb-is-finished")).to_be_visible()
        for theme, name in THEMES.items():
            page.theme(name)
            fit(page)
            path = named(f"{task}-{theme}")
            page.hook("em-dashboard").screenshot(path=path, animations="disabled")
            reduce(path)
            print(f"{path}: {path.stat().st_size / 1024:.0f} KB")  # noqa: T201
    server.close("pictures.ipynb")
    context.close()


def fit(page: LabPage) -> None:
    """Give the studio its width and the window the height of the whole dashboard."""
    view = page.page
    for _ in range(3):  # the notebook settles at its width some time after the window
        wide = view.locator(".emnb-studio").bounding_box() or {"width": WIDTH}
        height = page.hook("em-dashboard").evaluate("(e) => e.scrollHeight") + 300
        width = (view.viewport_size or {"width": WIDTH})["width"] + WIDTH - round(wide["width"])
        view.set_viewport_size({"width": width, "height": height})
        view.wait_for_timeout(SETTLE_MS)
    view.wait_for_function(_STILL)


def main(pictures: Path, kept: Path | None) -> None:
    """Train what is missing and take every picture."""
    pictures.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE * 1000)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        homes = kept or scratch
        judged, unjudged = homes / "judged", homes / "unjudged"
        for task, fields in SMALL.items():
            if task not in projects(judged):
                train(judged, task, fields)
        if not projects(unjudged):
            os.environ["EASYMODEL_NO_JUDGE"] = "1"
            train(unjudged, "generation", UNJUDGED)
            del os.environ["EASYMODEL_NO_JUDGE"]
        server = stack.enter_context(lab(sys.executable, scratch / "lab"))
        browser = stack.enter_context(chromium_browser())
        take(browser, server, judged, lambda name: pictures / f"analytics-{name}.png")
        missing = {f"generation-{theme}": f"analytics-missing-{theme}.png" for theme in THEMES}
        take(browser, server, unjudged, lambda name: pictures / missing[name])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
