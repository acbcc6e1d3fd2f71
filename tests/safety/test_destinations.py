"""Where a run's data went: recorded as it happens, of this run alone, and never in its way."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from web import Server, serving

from easymodel_nb.report.page_settings import destinations_html
from easymodel_nb.runlog import destinations
from easymodel_nb.runlog.destinations import Destination, Destinations
from easymodel_nb.runlog.log import RunLog
from easymodel_nb.train import contacts
from easymodel_nb.train.api import train


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.files["/rows.csv"] = b"prompt,target\n" + b"Say, yes\n" * 40
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "runs" / "20260101T000000000-abcd"
    made.mkdir(parents=True)
    RunLog(made).append(
        "run_created",
        project_id=None,
        node_id="f1",
        request={"dataset": {"data": {"source": "https://data.example.org/rows.csv"}}},
    )
    return made


def inside(name: str, work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()


def known(folder: Path) -> Destinations:
    found = destinations.read(folder)
    assert found is not None
    return found


def test_what_the_run_and_its_helpers_contact_is_told(folder: Path, server: Server):
    port = server.server_address[1]

    def fetch() -> None:
        with urlopen(f"http://localhost:{port}/rows.csv") as answer:
            answer.read()

    def run() -> None:
        with contacts.recorded(folder, "training"):
            fetch()
            inside("easymodel-run-1-work", fetch)
            inside("fsspecIO", fetch)  # a library's own
            inside("easymodel-hub", fetch)  # the studio's, for a node
            assert [d.times for d in known(folder).found] == [0], "told before it ends"

    inside("easymodel-run-1", run)
    (found,) = known(folder).found
    assert (found.host, found.port, found.during, found.times) == ("localhost", port, "training", 3)


def test_the_notebooks_own_cells_are_not_the_runs(folder: Path, server: Server):
    began, fetched = threading.Event(), threading.Event()

    def run() -> None:
        with contacts.recorded(folder, "training"):
            began.set()
            fetched.wait(30)

    thread = threading.Thread(target=run, name="easymodel-run-1")
    thread.start()
    began.wait(30)
    with urlopen(f"{server.url}/rows.csv") as answer:  # on the main thread, as cells are
        answer.read()
    fetched.set()
    thread.join()
    assert known(folder).found == []
    assert known(folder).sentence.startswith("Nothing was contacted")


def test_a_name_that_leads_nowhere_was_looked_up(folder: Path):
    with contacts.recorded(folder, "pushing"), pytest.raises(socket.gaierror):
        socket.create_connection(("no-such-host.invalid", 443), timeout=5)
    (found,) = known(folder).found
    assert (found.host, found.times) == ("no-such-host.invalid", 0)
    assert "looked up, not reached while pushing" in destinations.said(found)


def test_a_push_is_told_beside_the_training(folder: Path, server: Server):
    for during in ("training", "pushing"):
        with contacts.recorded(folder, during), urlopen(f"{server.url}/rows.csv"):
            pass
    assert [d.during for d in known(folder).found] == ["training", "pushing"]


def test_a_folder_that_cannot_be_written_costs_the_list_alone(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(destinations, "write", full)
    with contacts.recorded(folder, "training"), urlopen(f"{server.url}/rows.csv") as answer:
        assert answer.status == 200


def test_what_python_does_not_see_is_said(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "hf_xet", sys)
    with contacts.recorded(folder, "training"), urlopen(f"{server.url}/rows.csv"):
        pass
    assert "xethub.hf.co" in known(folder).unseen[0]


def test_hosts_are_told_by_what_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org")
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example.org:3128")
    kinds = contacts._kinds(folder)
    assert kinds["data.example.org"] == "source"
    assert kinds["hub.example.org"] == "hub"
    assert kinds["proxy.example.org"] == "proxy"
    assert kinds.get("elsewhere.example.org", "other") == "other"


def test_a_hostile_host_is_only_text():
    hostile = Destination(host='"><img src=x onerror=alert(1)>', port=80, times=1)
    page = destinations_html(Destinations(found=[hostile], unseen=["<script>x</script>"]))
    assert "<img" not in page
    assert "<script" not in page
    assert "1 host was contacted" in page
    assert destinations_html(None) == ""


def test_a_run_of_this_machine_contacts_nothing(tmp_path: Path):
    document = {
        "nodes": [
            {"id": "m", "type": "model", "data": {"source": "builtin:tiny-gpt2"}},
            {"id": "d", "type": "dataset", "data": {"source": "builtin:requests"}},
            {
                "id": "f",
                "type": "finetune",
                "data": {"epochs": 1, "subset_size": 8, "eval_size": 8, "analytics_budget": 0},
            },
        ],
        "edges": [
            {
                "id": kind,
                "source": kind[0],
                "sourceHandle": kind,
                "target": "f",
                "targetHandle": kind,
            }
            for kind in ("model", "dataset")
        ],
    }
    (run,) = train(document, home=tmp_path)
    assert run.status == "finished", run.view.problem
    assert known(run.folder) == Destinations()
