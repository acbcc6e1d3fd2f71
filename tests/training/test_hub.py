"""Models and data from the Hub, through the real clients, against a Hub of this machine.

The clients read HF_ENDPOINT when they are imported: every run is a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_hub import TOKEN, Hub, Repo, fake_hub
from small_runs import STOP_LIMIT, small, until
from web import Files, Server, serving

from easymodel_nb import builtin
from easymodel_nb.runlog.log import read_view
from easymodel_nb.runlog.run import Run
from easymodel_nb.workflow.document import Workflow

MODEL, DATA = "someone/tiny-model", "someone/tiny-data"
OTHER = "hf_other" + "Token12" * 4
MANY_RUNS = Path(__file__).parents[1] / "hub" / "many_runs.py"
ROWS = [
    {"prompt": f"Say number {n}:", "target": f" It is the number {n}."} for n in range(40)
]  # fmt: skip
ONE_EPOCH = {"epochs": 1, "subset_size": None}


def model_files() -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in builtin.path("tiny-gpt2").iterdir() if p.is_file()}


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@dataclass
class Done:
    """A finished command: its events, what it said, and the run it left."""

    code: int
    events: list[dict[str, Any]]
    stderr: str
    home: Path

    @property
    def problem(self) -> dict[str, Any]:
        assert self.events[-1]["type"] == "run_failed", self.events[-1]
        return self.events[-1]["problem"]

    @property
    def run(self) -> Run:
        return Run(self.home / "runs" / self.events[0]["run_id"])


@dataclass
class Client:
    """Runs `easymodel train` with a cache and a home of its own."""

    hub: Hub
    folder: Path
    token: str = ""
    more: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, workflow: Workflow) -> subprocess.Popen[str]:
        document = self.folder / "workflow.json"
        document.write_text(json.dumps(workflow.dump()))
        environment = os.environ | self.hub.environment(self.folder / "cache") | self.more
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "easymodel_nb",
                "train",
                document,
                "--json",
                "--home",
                self.home,
            ],
            env=environment | {"HF_TOKEN": self.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Done:
        out, err = process.communicate(timeout=240)
        events = [json.loads(line) for line in out.split("\n") if line]
        return Done(process.returncode, events, err, self.home)

    def train(self, workflow: Workflow) -> Done:
        return self.finish(self.start(workflow))


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with fake_hub() as server:
        newer = [*ROWS, *ROWS]
        server.models[MODEL] = Repo({"main": model_files()})
        server.datasets[DATA] = Repo(
            {"main": {"train.jsonl": jsonl(ROWS)}, "v2": {"train.jsonl": jsonl(newer)}}
        )
        server.datasets["someone/tables"] = Repo(
            {
                "main": {
                    "train.csv": pd.DataFrame(ROWS[:30]).to_csv(index=False).encode(),
                    "test.csv": pd.DataFrame(ROWS[30:]).to_csv(index=False).encode(),
                }
            }
        )
        secret = {"private": True, "granted": {TOKEN}}
        server.models["someone/private"] = Repo({"main": model_files()}, **secret)
        server.datasets["someone/private"] = Repo({"main": {"train.jsonl": jsonl(ROWS)}}, **secret)
        nothing = Repo({"main": {"README.md": b"# Nothing yet\n"}})
        server.models["someone/readme"] = server.datasets["someone/empty"] = nothing
        server.models["someone/gated"] = Repo({"main": model_files()}, gated=True, granted={TOKEN})
        yield server


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Iterator[Client]:
    hub.requests.clear()
    hub.cdn.requests.clear()
    yield Client(hub, tmp_path)
    for server in (hub, hub.cdn):
        server.release()
        server.stalled.clear()
        server.chunk, server.pause, server.slow = 1 << 20, 0.0, ""


# ------------------------------------------------------------ what works


def test_model_and_data_by_id_then_again_without_the_hub(client: Client, hub: Hub):
    first = client.train(small(DATA, model=MODEL, **ONE_EPOCH))
    assert first.code == 0, first.events[-1]
    plan = first.run.plan
    model, data = hub.models[MODEL].commit("main"), hub.datasets[DATA].commit("main")
    assert (plan["model"]["kind"], plan["model"]["name"], plan["model"]["revision"]) == (
        "hub", MODEL, model,
    )  # fmt: skip
    assert (plan["dataset"]["kind"], plan["dataset"]["revision"]) == ("hub", data)
    assert plan["dataset"]["train_rows"] + plan["dataset"]["eval_rows"] == len(ROWS)
    assert first.events[-1]["type"] == "run_finished"
    assert all("authorization" not in map(str.lower, sent) for *_, sent in hub.requests)
    said = [event["message"] for event in first.events if event["type"] == "stage"]
    assert f"Downloading {MODEL} (7 MB)" in said
    assert any(path.endswith("model.safetensors") for _, path, _ in hub.requests)

    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9"}  # refuses every connection
    again = Client(hub, client.folder, more=nowhere).train(small(DATA, model=MODEL, **ONE_EPOCH))
    assert again.code == 0, again.events[-1]
    assert (again.run.plan["model"]["revision"], again.run.plan["dataset"]["revision"]) == (
        model, data,
    )  # fmt: skip
    points = [r.metrics()["perplexity.validation"].tolist() for r in (first.run, again.run)]
    assert points[1] == pytest.approx(points[0], rel=1e-4)


def test_by_url_and_revision(client: Client, hub: Hub):
    done = client.train(
        small(
            f"{hub.url}/datasets/{DATA}",
            model=f"{hub.url}/{MODEL}/tree/main",
            dataset={"revision": "v2"},
            **ONE_EPOCH,
        )
    )
    assert done.code == 0, done.events[-1]
    assert done.run.plan["dataset"]["revision"] == hub.datasets[DATA].commit("v2")
    assert done.run.plan["dataset"]["train_rows"] == 72  # nine tenths of the 80 rows of v2


def test_csv_splits_of_a_private_dataset_and_model_with_a_token(client: Client, hub: Hub):
    client.token = TOKEN
    done = client.train(small("someone/private", model="someone/gated", **ONE_EPOCH))
    assert done.code == 0, done.events[-1]
    sent = [
        {k.lower(): v for k, v in headers.items()}.get("authorization")
        for _, path, headers in hub.requests
        if "someone" in path  # the client also asks for things of its own
    ]
    assert set(sent) == {f"Bearer {TOKEN}"}
    # Large files come from another host, which must not learn the token.
    assert hub.cdn.requests
    for *_, headers in hub.cdn.requests:
        assert "authorization" not in {name.lower() for name in headers}
    leaks = [path for path in files_under(client.folder) if TOKEN.encode() in path.read_bytes()]
    assert leaks == []
    assert TOKEN not in json.dumps(done.events) + done.stderr


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors"]


def test_the_test_split_is_what_is_measured(client: Client):
    done = client.train(small("someone/tables", **ONE_EPOCH))
    assert done.code == 0, done.events[-1]
    plan = done.run.plan["dataset"]
    assert (plan["train_split"], plan["eval_split"]) == ("train", "test")
    assert (plan["train_rows"], plan["eval_rows"]) == (30, 10)


def test_a_data_file_behind_a_url(client: Client):
    with serving(lambda: Server(Files)) as server:
        server.files["/some/data.jsonl"] = jsonl(ROWS)
        done = client.train(small(f"{server.url}/some/data.jsonl?download=true", **ONE_EPOCH))
        assert done.code == 0, done.events[-1]
        missing = client.train(small(f"{server.url}/gone.csv"))
        assert missing.problem["code"] == "source.url"
        assert "404" in missing.problem["message"]
    assert done.run.plan["dataset"]["kind"] == "url"
    assert (done.run.folder / "data" / "data.jsonl").read_bytes() == jsonl(ROWS)


# ------------------------------------------------------------ slow and stalled


def live(home: Path) -> Any:
    """The view of the only run, when there is one."""
    folders = list(home.glob("runs/*"))
    return read_view(folders[0]) if folders else None


def test_progress_moves_while_a_download_is_slow(client: Client, hub: Hub):
    hub.cdn.chunk, hub.cdn.pause = 200_000, 0.1
    process = client.start(small(DATA, model=MODEL, **ONE_EPOCH))
    seen: set[float] = set()

    def enough() -> bool:
        view = live(client.home)
        if view is not None and view.stage.message.startswith(f"Downloading {MODEL}"):
            assert view.stage.unit == "bytes"
            assert 0 <= view.stage.done <= view.stage.total
            assert view.stage.total == pytest.approx(7e6, rel=0.2)
            seen.add(view.stage.done)
        return len(seen) >= 4 or process.poll() is not None

    until(enough)
    assert len(seen) >= 4
    assert client.finish(process).code == 0


def stopped_by(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """The run ends within two seconds, and its process does not wait for the stalled read."""
    assert process.stdout is not None
    began = time.monotonic()
    process.send_signal(number)
    for line in process.stdout:
        if (event := json.loads(line))["type"] == "run_stopped":
            break
    assert time.monotonic() - began < STOP_LIMIT
    assert (event["type"], event["reason"]) == ("run_stopped", "signal")
    assert process.stdout.read() == ""
    assert process.wait() == 130
    assert time.monotonic() - began < 9  # the client's read times out after ten


def test_stop_within_two_seconds_while_a_download_stalls_and_go_on_later(client: Client, hub: Hub):
    hub.cdn.chunk = 200_000
    hub.cdn.hold()
    process = client.start(small(DATA, model=MODEL, **ONE_EPOCH))
    until(lambda: hub.cdn.stalled.is_set() or process.poll() is not None)
    until(lambda: (live(client.home).stage.done or 0) > 1e6)
    stopped_by(process, signal.SIGINT)
    hub.cdn.release()
    assert client.train(small(DATA, model=MODEL, **ONE_EPOCH)).code == 0


def test_a_stalled_dataset_can_be_stopped_too(client: Client, hub: Hub):
    hub.slow, hub.chunk = "train.jsonl", 500
    hub.hold()
    process = client.start(small(DATA, **ONE_EPOCH))
    until(lambda: hub.stalled.is_set() or process.poll() is not None)
    stopped_by(process, signal.SIGTERM)


# ------------------------------------------------------------ what the Hub refuses

WRONG = "hf_" + "wrong" * 6
V9 = {"revision": "v9"}


@dataclass(frozen=True)
class Refusal:
    """What is asked for, and what the user is told where."""

    told: str  # a code
    says: str
    node: str
    data: str = DATA
    model: str = MODEL
    token: str = ""
    more: str = ""  # the node whose revision is not there

    def workflow(self) -> Workflow:
        model = {"source": self.model, **(V9 if self.more == "m1" else {})}
        return small(self.data, model=model, dataset=V9 if self.more == "d1" else {})


REFUSALS = {
    "no model": Refusal("hub.not_found", "Check the spelling", "m1", model="someone/nothing"),
    "no dataset": Refusal("hub.not_found", "Check the spelling", "d1", data="someone/nothing"),
    "private": Refusal("hub.not_found", "needs a token", "m1", model="someone/private"),
    "private, other token": Refusal(
        "hub.not_found", "this token may not read it", "m1", model="someone/private", token=OTHER
    ),
    "private data": Refusal("hub.not_found", "needs a token", "d1", data="someone/private"),
    "gated": Refusal("hub.gated", "give EasyModel a token", "m1", model="someone/gated"),
    "gated, other token": Refusal(
        "hub.gated", "accept its terms", "m1", model="someone/gated", token=OTHER
    ),
    "wrong token": Refusal("hub.unauthorised", "Give a valid one", "d1", token=WRONG),
    "no such revision": Refusal("hub.revision", "no revision 'v9'", "m1", more="m1"),
    "no such data revision": Refusal("hub.revision", "no revision 'v9'", "d1", more="d1"),
    "nothing to train on": Refusal("hub.dataset", "Choose another", "d1", data="someone/empty"),
    "no model in it": Refusal("model.folder", "Choose another", "m1", model="someone/readme"),
    "not an id": Refusal("source.unknown", "owner/name", "m1", model="what is this?"),
    "a dataset's address": Refusal(
        "source.unknown", "Hub URL", "m1", model=f"https://huggingface.co/datasets/{DATA}"
    ),
}


def run_all(refusals: list[Refusal], environment: dict[str, str], folder: Path) -> list[Any]:
    """Run them one after the other in a process that knows no other Hub."""
    cases = [{"workflow": r.workflow().dump(), "token": r.token} for r in refusals]
    done = subprocess.run(
        [sys.executable, MANY_RUNS, folder / "home"],
        input=json.dumps(cases),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@pytest.fixture(scope="module")
def refused(hub: Hub, tmp_path_factory: Any, one_thread: None) -> tuple[Path, dict[str, Any]]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("refused")
    answers = run_all(list(REFUSALS.values()), hub.environment(folder / "cache"), folder)
    return folder, dict(zip(REFUSALS, answers, strict=True))


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_sentences_on_the_source(refused: tuple[Path, dict[str, Any]], name: str):
    answer, expected = refused[1][name], REFUSALS[name]
    # What only the Hub says, a run asks again; the rest is refused before there is one.
    remote = expected.told.startswith("hub.")
    assert answer["status"] == ("failed" if remote else "refused")
    problem = answer["problem"]
    assert (problem["code"], problem["node"], problem["field"], problem["severity"]) == (
        expected.told, expected.node, "source", "error",
    )  # fmt: skip
    assert expected.says in problem["message"]
    assert problem["message"].endswith(".")
    assert "Traceback" not in problem["message"]
    assert ("Traceback" in answer["detail"]) == remote


@pytest.mark.parametrize("token", [OTHER, WRONG])
def test_a_refused_token_is_in_no_file(refused: tuple[Path, dict[str, Any]], token: str):
    folder, answers = refused
    assert [p for p in files_under(folder) if token.encode() in p.read_bytes()] == []
    assert token not in json.dumps(answers)


def test_no_network(hub: Hub, tmp_path: Path, one_thread: None):  # noqa: ARG001
    nowhere = hub.environment(tmp_path / "cache") | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    offline = Refusal("hub.offline", "Check the network", "m1", data="builtin:requests")
    data = Refusal("hub.offline", "Check the network", "d1")
    began = time.monotonic()
    for answer, expected in zip(run_all([offline, data], nowhere, tmp_path), "md", strict=True):
        problem = answer["problem"]
        assert (problem["code"], problem["field"]) == ("hub.offline", "source")
        assert problem["node"] == f"{expected}1"
        assert "Check the network" in problem["message"]
    assert time.monotonic() - began < 60


def test_the_command_line_tells_a_refusal(client: Client):
    done = client.train(small(DATA, model="someone/nothing"))
    assert done.code == 1
    assert done.problem["code"] == "hub.not_found"
    assert done.problem["message"] in done.stderr
    assert "Traceback" not in done.stderr
