"""Hostile text in every field, by every way it can come: none of it runs, and nothing is asked for.

It comes with a project's file, by paste, from the Hub, as data, as names of files and columns, as
the record of a run. The page is wired: a script that runs, a dialog, a window, a request to any
host but the notebook's server, or one of the addresses in the text, fails the test.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.one import CLIPBOARD, one_studio
from harness.projects import QUICK
from harness.server import JupyterServer, lab
from playwright.sync_api import Browser, Page, expect

from easymodel_nb.report import files
from easymodel_nb.report.told import told
from easymodel_nb.runlog.run import Run
from easymodel_nb.store.first import first_workflow
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Node, Position, Workflow

sys.path.append(str(Path(__file__).parents[1] / "hub"))
from fake_hub import Hub
from stock import model_files, stocked_hub

RUNS = "window.__pwned=1"
HOSTILE = (
    f"<script>{RUNS}</script><img src=/probe onerror={RUNS}><svg onload={RUNS}>"
    f'"\' onmouseover={RUNS} autofocus onfocus={RUNS} x="</textarea></style>'
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe><a href=javascript:{RUNS}>link</a>"
    "${7*7}{{7*7}}\u202egnp.exe\u2066\x07\x1b[31mred\ufeff"
)
NAME = f"<img src=probe onerror={RUNS}>"  # short, and a name that a file may have
LINK = f"javascript:{RUNS}"

WIRES = """
window.__pwned = undefined;
for (const name of ["alert", "confirm", "prompt", "open", "print"]) {
  window[name] = (...said) => { window.__pwned = `${name} ${said}`; };
}
document.addEventListener("securitypolicyviolation", (e) => {
  window.__violations = [...(window.__violations ?? []), `${e.violatedDirective} ${e.blockedURI}`];
});
"""


@dataclass
class Wired:
    """What a page did that it should not."""

    page: Page
    own: str
    tripped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WIRES)
        self.page.on("dialog", lambda d: (self.tripped.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("popup", lambda p: self.tripped.append(f"window {p.url}"))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("framenavigated", lambda frame: self._asked(frame.url))

    def _asked(self, url: str) -> None:
        ours = url.startswith((self.own, "data:", "blob:", "about:"))
        websocket = url.startswith(self.own.replace("http", "ws", 1))
        if not (ours or websocket) or "probe" in url or "pwned" in url:
            self.tripped.append(f"request {url[:200]}")

    def quiet(self) -> None:
        """Nothing tripped so far."""
        ran = self.page.evaluate("[window.__pwned ?? null, window.__violations ?? []]")
        assert ran == [None, []]
        assert self.tripped == []
        elements = self.page.evaluate(
            """() => [...document.querySelectorAll(
                'img[src*=probe], svg[onload], [onerror], [onmouseover], iframe[srcdoc], '
                + 'a[href^="javascript:"]')].map((e) => e.outerHTML.slice(0, 200))"""
        )
        assert elements == []


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A Hub whose metadata is hostile wherever its owner may write it."""
    with stocked_hub() as server:
        card = json.dumps({"license": HOSTILE, "pipeline_tag": HOSTILE, "tags": [HOSTILE, LINK]})
        config = {"architectures": [HOSTILE], "model_type": HOSTILE, "auto_map": {LINK: LINK}}
        shown = model_files(**config) | {"README.md": f"---\n{card}\n---\n# {HOSTILE}\n".encode()}
        server.add("someone/hostile", shown, downloads=10**9)
        # What is listed among a search's hits: its kind is one that can be trained.
        head = json.dumps({"license": HOSTILE, "pipeline_tag": "text-generation", "tags": [LINK]})
        found = model_files() | {"README.md": f"---\n{head}\n---\n".encode()}
        server.add(f"someone/{NAME}", found, downloads=10**9)
        yield server


@pytest.fixture(scope="module")
def online(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    folder = tmp_path_factory.mktemp("hostile")
    reach = hub.environment(folder / "hf") | {"HF_HUB_OFFLINE": "0"}
    with lab(sys.executable, folder, **reach) as running:
        yield running


def data_file(folder: Path) -> Path:
    """Rows whose cells, columns and file name are hostile; one cell is a megabyte."""
    path = folder / f"{NAME}.jsonl"
    rows = [
        {NAME: f"{HOSTILE} {n}", f"target {NAME}": f"{NAME} {n % 5}", LINK: "\0\x1b[2J"}
        for n in range(40)
    ]
    rows[7][LINK] = "<script>" * 131_072
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def hostile_workflow(data: Path) -> Workflow:
    workflow = first_workflow()
    model, dataset, finetune = workflow.nodes
    for node in workflow.nodes:
        node.label = NAME
    model.data["revision"] = None
    dataset.data |= {"source": str(data)}
    finetune.data |= QUICK | {
        "epochs": 1,
        "prompt_field": NAME,
        "target_field": f"target {NAME}",
        "output_name": HOSTILE,
        "accept": [HOSTILE, "rows.cut", "split.overlap", "rows.duplicate"],
    }
    note = Node(id="n1", type="note", position=Position(x=40, y=420), data={"text": HOSTILE})
    unknown = Node(
        id="u1", type=NAME, label=HOSTILE, position=Position(x=40, y=620), data={NAME: NAME}
    )
    workflow.nodes += [note, unknown]
    workflow.name = HOSTILE
    return workflow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A home with that project and its run."""
    home = tmp_path_factory.mktemp("hostile-home")
    workflow = hostile_workflow(data_file(home))
    project = ProjectStore(home).create(f"{NAME} project", workflow)
    manager = RunManager(home)
    manager.submit(workflow, "f1", project_id=project.id)
    run = manager.wait(timeout=240)
    assert run.status == "finished", run.view.problem
    return run


@pytest.fixture(scope="module")
def opened(
    online: JupyterServer, trained: Run, browser: Browser
) -> Iterator[tuple[LabPage, Wired]]:
    home = trained.folder.parent.parent
    wires: list[Wired] = []

    def wire(page: Page) -> None:
        wires.append(Wired(page, online.url))

    with one_studio(online, browser, home, permissions=CLIPBOARD, first=wire) as studio:
        yield studio, wires[0]


def exchange(studio: LabPage) -> None:
    """Wait until what was asked of the kernel so far has been answered."""
    studio.execute("studio.publish()")


def test_a_project_and_its_run(opened: tuple[LabPage, Wired]):
    studio, wired = opened
    expect(studio.hook("node")).to_have_count(5)
    expect(studio.node("note").locator("textarea")).to_have_value(re.compile("<script>"))
    expect(studio.node("dataset").get_by_test_id("facts")).to_have_attribute("data-state", "ok")
    wired.quiet()
    for kind in ("dataset", "model", "finetune"):
        studio.details(kind)
        wired.quiet()
    expect(studio.hook("destinations")).to_contain_text("Nothing was contacted")
    samples = studio.page.locator("[data-em-command='samples_view'], .emnb-samples, table").first
    expect(samples).to_be_visible()
    expect(studio.page.locator("body")).to_contain_text("<img src=probe")
    for target in studio.page.get_by_text("<img src=probe").all()[:6]:
        if target.is_visible():
            target.hover(force=True)
    wired.quiet()


def test_a_project_file_is_imported(opened: tuple[LabPage, Wired], tmp_path: Path):
    studio, wired = opened
    document = hostile_workflow(tmp_path / "gone.jsonl").dump()
    document |= {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}
    document["nodes"].append(
        {"id": HOSTILE, "type": "note", "data": {"text": LINK}, "__proto__": {"polluted": 1}}
    )
    document["nodes"].append(
        {"id": "m9", "type": "model", "data": {"source": LINK, "revision": HOSTILE}}
    )
    path = tmp_path / "x.easymodel.json"
    path.write_text(json.dumps(document))
    studio.page.locator('[data-testid="project-import-file"]').set_input_files(path)
    expect(studio.node("note")).to_have_count(2)
    expect(studio.node("model")).to_have_count(2)
    exchange(studio)
    studio.hook("problems-counter").or_(studio.hook("problems")).first.click()
    wired.quiet()
    assert studio.page.evaluate("({}).polluted ?? null") is None


def test_a_workflow_is_pasted(opened: tuple[LabPage, Wired]):
    studio, wired = opened
    before = studio.hook("node").count()
    nodes = [
        {
            "id": f"p{n}",
            "type": "note",
            "label": NAME,
            "position": {"x": 600, "y": 60 * n},
            "data": {"text": t},
        }
        for n, t in enumerate((HOSTILE, LINK, "x" * 20_000))
    ]
    pasted = json.dumps({"format": "easymodel.workflow", "version": 1, "nodes": nodes, "edges": []})
    studio.page.evaluate("(text) => navigator.clipboard.writeText(text)", pasted)
    studio.node("note").first.click(position={"x": 5, "y": 5})
    studio.page.keyboard.press("Control+v")
    expect(studio.hook("node")).to_have_count(before + 3)
    exchange(studio)
    wired.quiet()


def test_what_the_hub_says(opened: tuple[LabPage, Wired], hub: Hub):
    studio, wired = opened
    # By key: it may lie outside the view, which what was pasted before has moved.
    studio.page.locator('.react-flow__node[data-node-type="model"]').first.focus()
    studio.page.keyboard.press("i")
    inspector = studio.page.locator(".em-inspector")
    source = inspector.get_by_test_id("field-source")
    source.fill("")
    source.press_sequentially("img src", delay=10)
    expect(
        studio.page.locator('[role="option"]').filter(has_text="<img src=probe").first
    ).to_be_visible()
    wired.quiet()
    source.fill("someone/hostile")
    source.press("Escape")
    expect(inspector).to_contain_text("<script>")
    wired.quiet()
    source.fill(f"someone/{NAME}")
    source.press("Escape")
    exchange(studio)
    wired.quiet()
    links = studio.page.eval_on_selector_all(
        "[data-testid=em-studio] a[href]", "(found) => found.map((a) => a.href)"
    )
    assert all(re.match(r"https?://|blob:|data:", link) for link in links), links
    assert hub.requests


def test_a_report_of_it(trained: Run, browser: Browser, tmp_path: Path):
    page = files.write(told(trained, card=HOSTILE), tmp_path / "report.html")
    context = browser.new_context()
    try:
        wired = Wired(context.new_page(), page.as_uri())
        wired.page.goto(page.as_uri())
        expect(wired.page.locator("body")).to_contain_text("<img src=probe")
        for button in wired.page.get_by_role("button").all()[:8]:
            button.click()
        for part in wired.page.locator("summary").all():
            part.click()
        wired.quiet()
    finally:
        context.close()


def test_the_page_asked_nobody_but_its_server(opened: tuple[LabPage, Wired]):
    """Also with all of that in it: fonts, scripts, pictures come with the page or not at all."""
    _, wired = opened
    wired.quiet()
    wired.page.evaluate("fetch('/probe-of-the-test')")
    assert wired.tripped, "the wires are live"
    wired.tripped.clear()


def test_the_wires_catch_each_kind(browser: Browser):
    context = browser.new_context()
    try:
        for content in (
            f"<img src=/nothing onerror={RUNS}>",
            f"<script>{RUNS}</script>",
            "<script>alert(1)</script>",
            "<img src=https://elsewhere.invalid/x.png>",
            "<a href='javascript:x'>x</a>",
        ):
            wired = Wired(context.new_page(), "http://127.0.0.1:1")
            wired.page.goto("about:blank")  # no policy of a server helps here
            wired.page.set_content(content)
            wired.page.wait_for_load_state("networkidle")
            with pytest.raises(AssertionError):
                wired.quiet()
            wired.page.close()
    finally:
        context.close()
