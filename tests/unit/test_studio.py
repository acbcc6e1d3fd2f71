"""The studio without a browser: a view made of messages, a queue that trains nothing."""

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.secrets import TokenHolder
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets import studio as studio_module
from easymodel_nb.widgets import workbench as workbench_module
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import TRAITS, Variable
from easymodel_nb.widgets.studio import Studio, studio

TOKEN = "hf_" + "ZyXwVuTsRqPoNmLkJiHg"
HandManager = Any  # conftest.py has it; a test gets one as `manager`
BUNDLE = ("export default {}", ".emnb {}")


class View:
    """What a browser tab knows: the state it was sent, and the replies it got."""

    def __init__(self, made: Studio) -> None:
        self.workbench = made._workbench
        self.traits = self.workbench.get_state(TRAITS)
        self.messages: list[dict[str, Any]] = []
        self.replies: dict[Any, dict[str, Any]] = {}
        self.ids = itertools.count()
        self.deaf = False
        self.workbench.comm.publish_msg = self.hear

    def hear(self, _type: str, data: dict[str, Any] | None = None, **_: Any) -> None:
        if self.deaf or not data:  # an empty message closes the comm
            return
        self.messages.append(data)
        if data["method"] == "custom":
            self.replies[data["content"]["id"]] = data["content"]
        else:
            self.traits.update(data["state"])

    def send(self, data: dict[str, Any]) -> None:
        self.workbench._handle_msg({"content": {"data": data}, "buffers": []})

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        name = next(self.ids)
        content = {"id": name, "method": method, "params": params}
        self.send({"method": "custom", "content": content})
        return self.replies.get(name, {})

    def send_buffer(self, method: str, data: bytes, **params: Any) -> None:
        content = {"id": next(self.ids), "method": method, "params": params}
        message = {"content": {"data": {"method": "custom", "content": content}}}
        self.workbench._handle_msg({**message, "buffers": [memoryview(data)]})

    def pull(self) -> None:
        self.call("pull", seen={name: self.traits[name]["seq"] for name in TRAITS})

    def commit(self, **fields: Any) -> dict[str, Any]:
        """Change fields of the finetune node, as the view does."""
        state = json.loads(json.dumps(self.traits["document"]))
        node = next(n for n in state["document"]["nodes"] if n["type"] == "finetune")
        node["data"].update(fields)
        return self.call(
            "commit",
            project_id=state["project_id"],
            client="tab",
            base_rev=state["rev"],
            document=state["document"],
        )

    def card(self) -> dict[str, Any]:
        card: dict[str, Any] = self.traits["runs"]["items"][0]
        return card


@pytest.fixture
def made(session: Session) -> Iterator[Studio]:
    made = Studio(session, script_and_styles=BUNDLE)
    yield made
    made.close()


@pytest.fixture
def view(made: Studio) -> View:
    return View(made)


def test_everything_is_there_when_it_opens(view: View):
    assert all(view.traits[name]["seq"] == 1 for name in TRAITS)
    assert view.traits["projects"]["items"][0]["name"] == "First model"
    assert view.traits["catalog"]["first_project"] == view.traits["document"]["project_id"]
    assert view.traits["problems"]["items"] == []
    assert view.traits["beat"]["time"]


def test_type_in_a_field_and_click_train_at_once(view: View, manager: HandManager):
    assert view.call("train", rev=2)["error"]["code"] == "stale"
    assert view.commit(epochs=7)["result"] == {"rev": 2}
    answer = view.call("train", node="f1", rev=2)
    (run,) = answer["result"]["runs"]
    assert manager.view(run).request["node"]["data"]["epochs"] == 7
    assert (view.card()["status"], view.card()["queue_position"]) == ("queued", 0)
    assert view.traits["beat"]["active"] is True


def test_a_commit_from_an_older_revision_is_a_conflict_with_the_other_document(view: View):
    view.deaf = True
    view.commit(epochs=7)
    view.deaf = False
    error = view.commit(epochs=9)["error"]
    assert (error["code"], error["data"]["rev"]) == ("conflict", 2)
    finetune = next(n for n in error["data"]["document"]["nodes"] if n["type"] == "finetune")
    assert finetune["data"]["epochs"] == 7


def test_what_check_finds_is_shown_and_stops_the_train_button(view: View):
    view.commit(epochs=0)
    (problem,) = view.traits["problems"]["items"]
    assert (problem["node"], problem["field"]) == ("f1", "epochs")
    error = view.call("train")["error"]
    assert (error["code"], error["problems"]) == ("refused", [problem])
    assert view.traits["runs"]["items"] == []


def test_what_the_front_end_writes_to_our_traits_is_dropped(made: Studio, view: View):
    before = dict(view.traits["document"])
    view.send({"method": "update", "state": {"document": {"rev": 99}, "_esm": "evil()"}})
    assert made._workbench.document == before
    assert made._workbench._esm == BUNDLE[0]
    assert view.messages == [], "not even an echo"
    view.send({"method": "update", "state": {"tooltip": "theirs"}, "buffer_paths": []})
    assert made._workbench.tooltip == "theirs"


def test_two_threads_lose_no_value_between_them(made: Studio, view: View):
    rounds = 300

    def publish() -> None:
        for number in range(rounds):
            made._workbench.publish({"runs": {"seq": number}, "beat": {"seq": number}})

    publisher = threading.Thread(target=publish)
    publisher.start()
    for number in range(rounds):
        state = {"tooltip": str(number), "runs": {"seq": -1}}
        view.send({"method": "update", "state": state, "buffer_paths": []})
        made._workbench.send_state(["runs"])
    publisher.join()
    assert made._workbench.runs == made._workbench.beat == {"seq": rounds - 1}
    assert view.traits["runs"] == view.traits["beat"] == {"seq": rounds - 1}
    assert made._workbench.tooltip == str(rounds - 1)


def test_a_token_is_used_and_seen_nowhere(
    home: Path, manager: HandManager, made: Studio, view: View
):
    view.call("token", token=TOKEN)
    view.call("train")
    view.pull()
    assert view.traits["catalog"]["token_origin"] == "typed"
    assert manager.token is not None
    assert manager.token() == TOKEN
    everything = [json.dumps(view.messages), json.dumps(made._workbench.get_state(), default=str)]
    everything += [path.read_text() for path in home.rglob("*") if path.is_file()]
    everything += [repr(made), repr(made._session.tokens), repr(vars(made._session))]
    assert not any(TOKEN in text for text in everything)
    view.call("token", token="")
    assert manager.token() != TOKEN


def test_projects_are_made_switched_renamed_copied_and_deleted(view: View):
    first = view.traits["document"]["project_id"]
    new = view.call("project_new")["result"]["project_id"]
    assert (view.traits["document"]["project_id"], view.traits["projects"]["active"]) == (new, new)
    assert view.traits["document"]["document"]["nodes"] == []
    view.call("project_rename", project_id=new, name="Second")
    view.call("project_switch", project_id=first)
    copy = view.call("project_duplicate", project_id=first)["result"]["project_id"]
    names = [item["name"] for item in view.traits["projects"]["items"]]
    assert names == ["Second", "First model", "First model copy"]
    for gone in (copy, new, first):
        view.call("project_delete", project_id=gone)
    assert [i["name"] for i in view.traits["projects"]["items"]] == ["First model"]
    assert view.traits["document"]["project_id"] not in {first, new, copy}
    assert view.call("project_switch", project_id=first)["error"]["code"] == "refused"
    assert view.call("project_new", template="tour")["error"]["code"] == "refused"


def test_a_project_in_training_is_not_deleted(view: View):
    view.call("train")
    refused = view.call("project_delete", project_id=view.traits["document"]["project_id"])
    assert "Stop its runs" in refused["error"]["message"]


def test_a_pull_alone_shows_a_run_from_start_to_end(session: Session, manager: HandManager):
    made = Studio(session, pushes=False, script_and_styles=BUNDLE)  # its thread never starts
    session.worker.start()
    view = View(made)
    (run,) = view.call("train")["result"]["runs"]
    plan = {"epochs": 2, "max_steps": 10}
    manager.write(run, "run_started", attempt=1, plan=plan, environment={})
    manager.write(run, "stage", stage="training", message="Training")
    view.pull()
    assert (view.card()["status"], view.card()["stage"]["message"]) == ("running", "Training")
    manager.write(run, "progress", step=5, max_steps=10, epoch=1, epochs=2, loss=2.5)
    view.pull()
    assert (view.card()["fraction"], view.card()["spark"]) == (0.5, [2.5])
    problem = {"code": "x", "message": "It broke.", "node": "f1"}
    manager.write(run, "run_failed", problem=problem)
    view.deaf = True
    view.pull()
    view.deaf = False
    view.pull()  # names what it has, and is sent what it missed
    assert view.card()["status"] == "failed"
    assert view.card()["problem"]["message"] == "It broke."
    assert made._charts.wait(30), "bqplot is imported when there is a curve to draw"
    view.pull()
    assert "It broke." in str(made._dashboard._top.value), "the dashboard follows the pull"
    made.close()


def test_the_thread_shows_a_run_without_a_pull(made: Studio, view: View, manager: HandManager):
    seen = threading.Condition()
    hear = view.hear

    def told(*args: Any, **more: Any) -> None:
        with seen:
            hear(*args, **more)
            seen.notify_all()

    view.workbench.comm.publish_msg = told
    made.open()
    (run,) = view.call("train")["result"]["runs"]
    manager.write(run, "stage", stage="loading", message="Opening")
    manager.tell()
    with seen:
        assert seen.wait_for(lambda: view.card()["stage"]["message"] == "Opening", 10)


def test_a_newer_cell_takes_over_and_the_old_one_says_so(
    made: Studio, view: View, manager: HandManager, home: Path
):
    (run,) = view.call("train")["result"]["runs"]
    newer = Studio(Session(home, manager), script_and_styles=BUNDLE)
    made.retire()
    assert view.traits["beat"]["moved"] is True
    assert "moved to the newer cell" in view.traits["_esm"]
    assert made._workbench.get_state()["_css"] == ""
    with pytest.raises(StudioError, match="moved to a newer cell"):
        made.command("stop")
    assert manager.stopped == []
    assert [card["id"] for card in View(newer).traits["runs"]["items"]] == [run]
    manager.tell()  # reaches the newer one only
    newer.close()


def test_after_a_restart_everything_is_read_from_disk(
    made: Studio, view: View, manager: HandManager, home: Path
):
    view.commit(epochs=7)
    view.call("settings", theme="dark")
    (run,) = view.call("train")["result"]["runs"]
    manager.write(run, "stage", stage="training", message="Training")
    made.close()
    live = runs_folder(home) / run / "live.json"
    owner = json.loads(live.read_text())
    live.write_text(json.dumps({**owner, "pid_started": owner["pid_started"] - 60}))
    again = View(Studio(Session(home, type(manager)(home)), script_and_styles=BUNDLE))
    assert again.traits["catalog"]["theme"] == "dark"
    assert again.traits["document"]["rev"] == 2
    assert again.card()["status"] == "interrupted"
    assert again.traits["beat"]["active"] is False


def test_python_says_the_same_words(made: Studio, manager: HandManager):
    project = made.project
    project.workflow.of_type("finetune")[0].data["epochs"] = 2
    assert made.command("commit", document=project.workflow.dump()) == {"rev": 2}
    runs = made.command("train", node=None)["runs"]
    assert [run.id for run in made.runs] == runs
    assert made.runs[0].view.request["node"]["data"]["epochs"] == 2
    made.command("stop", run=runs[0])
    assert manager.stopped == runs
    for method, params, says in (
        ("train", {"rev": 1}, "has revision 2"),
        ("train", {"node": "f9"}, "no node 'f9'"),
        ("fly", {}, "no command 'fly'"),
        ("stop", {"runn": "x"}, "runn"),
        ("commit", {"document": {"version": 9}}, "newer EasyModel"),
    ):
        with pytest.raises(StudioError, match=says):
            made.command(method, **params)


def test_a_file_is_uploaded_over_the_wire(view: View, home: Path):
    content = b"text;label\ncaf\xe9;1\n"
    upload = view.call("upload_begin", name="a.csv", size=len(content))["result"]
    assert upload["path"] is None
    view.send_buffer("upload_chunk", content, id=upload["id"], offset=0)
    path = Path(view.call("upload_end", id=upload["id"])["result"]["path"])
    assert path.read_bytes() == content
    assert path.is_relative_to(home / "uploads")
    refused = view.call("upload_begin", name="a.csv", size=0)["error"]
    assert (refused["code"], refused["problems"][0]["code"]) == ("refused", "upload.empty")
    assert view.call("upload_chunk", id="x", offset=-1)["error"]["code"] == "invalid_params"


def test_variables_of_the_notebook_are_listed_when_asked(home: Path, manager: HandManager):
    listed = threading.Semaphore(0)
    found = [Variable(name="df", kind="DataFrame", rows=3, columns=["text"])]

    def look() -> list[Variable]:
        listed.release()
        return found

    session = Session(home, manager, describe=lambda *_: None, variables=look)
    made = Studio(session, script_and_styles=BUNDLE)
    view = View(made)
    assert view.traits["catalog"]["variables"] == []
    session.worker.start()
    view.call("variables")
    assert listed.acquire(timeout=10)
    done = threading.Event()
    session.worker.submit(done.set)
    assert done.wait(10)
    view.pull()
    assert [v["name"] for v in view.traits["catalog"]["variables"]] == ["df"]
    made.close()


def test_details_of_a_run(made: Studio, manager: HandManager):
    (run,) = made.command("train")["runs"]
    (runs_folder(manager.home) / run / "plan.json").write_text('{"task": "generation"}')
    details = made.command("run_details", run=run)
    assert details["plan"] == {"task": "generation"}
    assert details["log"] == [f"log of {run}"]
    with pytest.raises(StudioError, match="no run"):
        made.command("run_details", run="gone")


def test_waiting_shows_how_it_ended(made: Studio, view: View, manager: HandManager):
    (run,) = made.command("train")["runs"]
    with pytest.raises(TimeoutError):
        made.wait(timeout=0)
    manager.write(run, "run_finished", summary={}, model_path="model")
    assert made.wait(run).status == "finished"
    assert view.card()["status"] == "finished"


def test_a_workflow_that_is_too_large_or_holds_half_an_emoji(made: Studio):
    workflow = made.project.workflow.dump()
    note = {"id": "n", "type": "note", "data": {"text": "x" * 1_000_001}}
    with pytest.raises(StudioError, match="can take 1 MB"):
        made.command("commit", document={**workflow, "nodes": [note]})
    note["data"] = {"text": "half \ud83d"}
    made.command("commit", document={**workflow, "nodes": [note]})
    json.dumps(made._workbench.document, ensure_ascii=False).encode()  # as it goes over the wire


def test_a_picture_for_a_cell_of_its_own(made: Studio):
    made.command("train")
    assert "Queued" in made.snapshot().svg


def test_opening_loads_nothing_heavy(home: Path):
    program = f"""
import pathlib, sys
from easymodel_nb.train.manager import manager_of
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio
home = pathlib.Path({str(home)!r})
made = Studio(Session(home, manager_of(home)), script_and_styles=("", ""))
made.command("commit", document=made.project.workflow.dump())
made.publish()
heavy = "torch transformers datasets pandas numpy bqplot pyarrow huggingface_hub"
print([name for name in heavy.split() if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_closing_leaves_nothing_behind(made: Studio, manager: HandManager):
    made.open()
    made.close()
    made.close()
    assert manager.listeners == []
    assert made.box.comm is None
    assert made._workbench.comm is None
    assert made._publisher.thread is not None
    assert not made._publisher.thread.is_alive()


# The function itself, with all it makes.


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(workbench_module, "bundle", lambda: BUNDLE)
    yield
    if studio_module._current is not None:
        studio_module._current.close()


@pytest.mark.usefixtures("built")
def test_a_second_studio_replaces_the_first(home: Path):
    first = studio()
    assert first.project.name == "First model"
    second = studio(theme="dark", height=99, project="First model")
    assert first._workbench.beat["moved"] is True
    assert second._workbench.catalog["theme"] == "dark"
    assert second._workbench.catalog["height"] == 420
    assert studio()._workbench.catalog["theme"] == "dark", "auto leaves what was chosen"
    assert (home / "settings.a.json").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"replay": "run.json"}, "no recorded run that could be read"),
        ({"theme": "sepia"}, "there are auto, light and dark"),
        ({"project": "Nope"}, "there are 'First model'"),
        ({"home": __file__}, "Name another"),
    ],
)
@pytest.mark.usefixtures("built")
def test_an_argument_that_cannot_be_used_is_a_sentence(arguments: dict[str, Any], says: str):
    with pytest.raises(StudioError, match=says):
        studio(**arguments)
    assert studio_module._current is None


def test_without_a_bundle_the_way_to_build_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(workbench_module, "_HERE", tmp_path)
    workbench_module.bundle.cache_clear()
    with pytest.raises(StudioError, match="npm run build"):
        workbench_module.bundle()
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "workbench.js").write_text("script")
    (tmp_path / "static" / "workbench.css").write_text("a{}")
    (tmp_path / "dashboard.css").write_text("b{}")
    assert workbench_module.bundle() == ("script", "a{}\nb{}")
    workbench_module.bundle.cache_clear()


def test_two_studios_share_the_typed_token(home: Path, manager: HandManager):
    holder = TokenHolder()
    Session(home, manager, tokens=holder).type_token(TOKEN)
    assert Session(home, manager, tokens=holder).tokens.token() == TOKEN
    assert ProjectStore(home).list_projects()
