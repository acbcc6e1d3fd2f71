"""A studio's whole session in a notebook, executed as anybody's tool would, with secrets planted.

Three tokens: in the environment the kernel starts with, where `hf auth login` stores one, and
typed into the studio. What is tried with them works, is refused, or breaks inside a library.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from fake_hub import Hub, Repo, fake_hub
from nbclient import NotebookClient
from stock import jsonl, model_files
from writing import Account

ROWS = [{"prompt": f"Say {n}:", "target": f" {n}."} for n in range(40)]
PLANTED = {
    "environment": "hf_" + "EnViRoN7" * 4 + "Qa",
    "login": "hf_" + "StOrEd53" * 4 + "Wb",
    "typed": "hf_" + "TyPeDiN9" * 4 + "Ec",
    "signed": "SiGnEdAdDrEsS" * 3,  # no Hub token: the key in a dataset's own address
}
SETTINGS = {
    "epochs": 1,
    "batch_size": 8,
    "max_length": 64,
    "subset_size": 16,
    "eval_size": 8,
    "max_new_tokens": 4,
    "analytics_budget": 0,
}

CELLS = [
    # Secrets come from outside HOME, and stand in no cell.
    """
import json, os, time
from pathlib import Path
PLANTED = json.loads(Path(os.environ["PLANTED"]).read_text())
HUB = os.environ["HF_ENDPOINT"]
import easymodel_nb as easymodel
studio = easymodel.studio()
""",
    """
def draw(model, dataset="someone/gated-rows", **more):
    document = studio.project.workflow.dump()
    data = {node["type"]: node["data"] for node in document["nodes"]}
    data["model"]["source"], data["dataset"]["source"] = model, dataset
    data["finetune"].update({**SETTINGS, **more})
    studio.command("commit", document=document)

def train():
    studio.command("train")
    return studio.wait(timeout=200)

def job(made):
    while True:
        found = next(j for j in studio._session.jobs._board.items() if j.id == made["job"])
        if found.state not in ("waiting", "working"):
            return found
        time.sleep(0.05)

def settled(method, flag, **params):
    while True:
        answer = studio.command(method, **params)
        if not answer.get(flag):
            return answer
        time.sleep(0.05)

def typed(token):
    # As the page sends it: a message with a reply, not a line of this notebook.
    reply = studio._answer({"id": 1, "method": "token", "params": {"token": token}})
    assert reply["ok"], reply
""".replace("SETTINGS", repr(SETTINGS)),
    """
draw("someone/secret")
first = train()
first.status, studio._session.tokens.origin()
""",
    """
del os.environ["HF_TOKEN"]
assert studio._session.tokens.origin() == "login"
draw("someone/secret", lora_rank=4, method="lora")
second = train()
second.status
""",
    """
typed(PLANTED["typed"])
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.runner import ProcessRunner
apart = RunManager(studio._session.home, ProcessRunner)
draw("someone/secret", seed=7)
apart.submit(studio.project.workflow, "f1", token=studio._session.tokens.token)
third = apart.wait(timeout=200)
third.status, studio._session.tokens.origin()
""",
    """
pushed = job(studio.command("push", run=first.id, repo="my-model", private=True))
plan = settled("push_plan", "checking", run=second.id, repo="a-team/other", private=True)
foreign = job(studio.command("push", run=first.id, repo="nobody-knows/it", private=True))
packed = job(studio.command("take", run=first.id, what="zip"))
reported = job(studio.command("report", run=first.id))
pushed.state, foreign.state, packed.state, reported.state, len(plan["files"]) > 2
""",
    """
code = settled("export", "writing", node="f1", to="script")
Path("code.py").write_text(code["text"])
notebook = settled("export", "writing", node="f1", to="notebook")
Path("code.ipynb").write_text(notebook["text"])
project = studio.command("project_export", project_id=studio.project.id, paths=True)
Path("project.easymodel.json").write_text(project["text"])
studio.report(first.id, "report.html")
settled("suggest", "checking", kind="model", text="someone/se")
settled("suggest", "checking", kind="dataset", text="no-such-thing-at-all")
first
""",
    # Tokens inside addresses, paths and names, and what libraries say of them.
    """
for source in (
    f"{HUB.replace('http://', 'http://someone:' + PLANTED['typed'] + '@')}/data/rows.jsonl",
    f"{HUB}/data/rows.jsonl?token={PLANTED['typed']}&page=1",
    f"/nowhere/{PLANTED['login']}/rows.csv",
    f"someone/{PLANTED['typed']}",
):
    draw("builtin:tiny-gpt2", source)
    try:
        print(train().status)
    except easymodel.StudioError as error:
        print("refused:", error)
""",
    """
for model in ("someone/told-by-a-library", "someone/none", "someone/closed"):
    draw(model)
    try:
        print(train().status)
    except easymodel.StudioError as error:
        print("refused:", error)
""",
    """
draw("builtin:tiny-gpt2", f"{os.environ['FILES']}/rows.jsonl?key={PLANTED['signed']}&page=1")
apart.submit(studio.project.workflow, "f1", token=studio._session.tokens.token)
signed = apart.wait(timeout=200)
signed.status, signed.view.problem and signed.view.problem.message
""",
    "draw(f'https://x:{PLANTED[\"typed\"]}@huggingface.co/someone/secret'); train()",
    "studio.command('project_rename', project_id='no-' + PLANTED['typed'], name='x')",
    "studio.command('dance', token=PLANTED['typed'])",
    # An error of our own, inside a command: it is told to the page and logged.
    """
broken = studio._commands.handlers["pull"]
studio._commands.handlers["pull"] = lambda _: {}[PLANTED["typed"]]
said = studio._answer({"id": 2, "method": "pull", "params": {}})
studio._commands.handlers["pull"] = broken
said["error"]["message"]
""",
    """
for run in studio.runs:
    details = studio.command("run_details", run=run.id)
    print(run.id, run.status, run.view.problem and run.view.problem.message)
    print(details["detail"])
    print("\\n".join(details["log"]))
    print(run)
print(repr(studio), vars(studio._session.tokens))
studio._session.facts, studio._session.tokens
""",
    """
studio.publish()
studio
""",
]


@dataclass
class Processes:
    """Every process below this one, looked at again and again."""

    seen: dict[int, str] = field(default_factory=dict)  # what each was, the kernel first
    said: list[tuple[str, str, str]] = field(default_factory=list)  # command, what, text
    _end: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look meanwhile."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        known: set[tuple[int, float]] = set()
        while not self._end.is_set():
            for child in me.children(recursive=True):
                with contextless():
                    key = (child.pid, child.create_time())
                    line = " ".join(child.cmdline())
                    # A child that was forked and has not begun its own program is its parent.
                    if key in known and self.seen.get(child.pid) == line:
                        continue
                    environment = "\n".join(f"{k}={v}" for k, v in child.environ().items())
                    known.add(key)
                    self.seen[child.pid] = line
                    self.said.append((line, "cmdline", line))
                    self.said.append((line, "environ", environment))
            time.sleep(0.02)


@contextmanager
def contextless() -> Iterator[None]:
    """A process that ends while it is looked at is no mistake."""
    try:
        yield
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return


@dataclass
class Session:
    """What an executed session left behind."""

    home: Path  # HOME: the studio's home, caches, histories, the notebook
    notebook: Any
    saved: Path
    hub: Hub
    processes: Processes
    contacts: list[list[Any]]  # what, host, port, process, thread

    def output(self, cell: int) -> str:
        """What a cell put out, as text."""
        found = []
        for output in self.notebook.cells[cell].outputs:
            found += [output.get("text", ""), "\n".join(output.get("traceback", []))]
            found.append(output.get("data", {}).get("text/plain", ""))
        return "\n".join(found)


@contextmanager
def planted_hub() -> Iterator[Hub]:
    """A Hub on which each of the tokens may read and write."""
    with fake_hub() as hub:
        every = {token for token in PLANTED.values() if token.startswith("hf_")}
        hub.cdn.files["/rows.jsonl"] = jsonl(ROWS)
        for token in every:
            hub.accounts[token] = Account("someone", orgs=("a-team",))
        hub.add("someone/secret", model_files(), private=True, granted=every)
        rows = {"main": {"train.jsonl": jsonl(ROWS)}}
        hub.datasets["someone/gated-rows"] = Repo(rows, gated=True, granted=every)
        # Transformers repeats in its error what the model's own config says.
        hub.add("someone/told-by-a-library", model_files(model_type=PLANTED["typed"]))
        hub.add("someone/closed", model_files(), gated=True)
        yield hub


def execute(folder: Path, hub: Hub, cells: list[str], **more: str) -> Session:
    """Run the cells in a fresh kernel with HOME, caches and temporary files in a folder."""
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    hugging = home / ".cache" / "huggingface"
    hugging.mkdir(parents=True)
    (hugging / "token").write_text(PLANTED["login"])
    secrets, contacts = folder / "planted.json", folder / "contacts.jsonl"
    secrets.write_text(json.dumps(PLANTED))
    recorder = str(Path(__file__).with_name("recorder"))
    path = os.pathsep.join(filter(None, [recorder, os.environ.get("PYTHONPATH", "")]))
    kernel = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("HF_", "XDG_", "EASYMODEL_"))},
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(hugging),
        "HF_TOKEN": PLANTED["environment"],
        "OMP_NUM_THREADS": "1",
        "PLANTED": str(secrets),
        "FILES": hub.cdn.url,
        "CONTACTS": str(contacts),
        "PYTHONPATH": path,
        **more,
    }
    for name in [name for name in kernel if name.startswith("JUPYTER")]:
        del kernel[name]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c.strip()) for c in cells])
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", allow_errors=True, store_widget_state=True
    )
    processes = Processes()
    with processes.watched():
        client.execute(env=kernel, cwd=str(home))
    saved = home / "session.ipynb"
    saved.write_text(nbformat.writes(notebook))
    lines = contacts.read_text().splitlines() if contacts.exists() else []
    found = [json.loads(line) for line in lines]
    return Session(home, notebook, saved, hub, processes, found)


if __name__ == "__main__":  # by hand: python session.py FOLDER
    with planted_hub() as server:
        made = execute(Path(sys.argv[1]), server, CELLS)
        for number in range(len(CELLS)):
            print(number, made.output(number))  # noqa: T201
