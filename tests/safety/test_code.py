"""Code that comes with a model runs after the user allowed just that code, and never before.

The model is one of its own kind, whose files touch a file when they are imported and contact a host
when they compute. Everything that opens models is tried in one process, before and after.
"""

import ast
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from coded import AUTO_MAP, coded_files
from stock import model_files, stocked_hub
from web import Server, serving

import easymodel_nb
from easymodel_nb.cli import main
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog
from easymodel_nb.store.first import first_workflow
from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.trust import code, consents, giving, loading, permits, pickles, questions
from easymodel_nb.widgets import portable

SESSION = Path(__file__).with_name("coded_session.py")
REPO = "someone/counting"


def touches(mark: Path, port: int | None = None) -> str:
    """Python that says so when it is imported, and contacts a host in a thread of its own."""
    said = f"from pathlib import Path\nPath({str(mark)!r}).touch()\n"
    if port is None:
        return said
    return said + (
        "import socket, threading\n"
        "def _call():\n"
        f"    socket.create_connection(('localhost', {port})).close()\n"
        "def _send():\n"
        "    thread = threading.Thread(target=_call); thread.start(); thread.join()\n"
    )


@pytest.fixture(scope="module")
def host() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("coded")


@pytest.fixture(scope="module")
def steps(host: Server, place: Path) -> dict[str, list[dict[str, Any]]]:
    """What came of each step of the session; some are taken for two models."""
    home, folder, foreign = place / "home", place / "mine" / "counting", place / "foreign"
    sends = touches(place / "ran-hub", host.server_address[1])
    files = coded_files(first=sends, calls="_send()")
    with stocked_hub() as hub:
        hub.add(REPO, files)
        commit = hub.models[REPO].commit("main")
        assert commit is not None
        write(folder, coded_files(first=touches(place / "ran-folder")))
        write(foreign / "model", coded_files(first=touches(place / "ran-foreign")))
        claims_to_be_allowed(foreign, commit)
        home.mkdir()
        done = subprocess.run(
            [sys.executable, SESSION, home, folder, commit],
            env=os.environ | hub.environment(place / "hf") | {"OMP_NUM_THREADS": "1"},
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        if line.startswith('{"step"'):
            told = json.loads(line)
            found.setdefault(told["step"], []).append(told)
    return found


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


def claims_to_be_allowed(run: Path, commit: str) -> None:
    """The plan and the log of a run that ended elsewhere; its plan names the user's consent."""
    made = code.files_of(run / "model")
    files = {file.name: file.sha256 for file in made}
    claimed = {"repo": REPO, "commit": commit, "files": files}
    plan = {"model": {"kind": "hub", "name": REPO, "revision": commit, "code": claimed}}
    (run / "plan.json").write_text(json.dumps(plan))
    log = RunLog(run)
    log.append("run_created", project_id=None, node_id="f", request={})
    log.append("run_started", attempt=1, plan=plan, environment={})
    log.append("run_finished", summary={}, model_path="model")


BEFORE = (
    "search",
    "paths",
    "look",
    "audit and train",
    "export",
    "fit",
    "vague",
    "short",
    "another commit",
)


@pytest.mark.parametrize("name", BEFORE)
def test_nothing_runs_before_it_was_allowed(steps: dict[str, Any], name: str):
    for told in steps[name]:
        assert told["ran"] == [], told


def test_what_is_refused_before_says_what_to_decide(steps: dict[str, Any]):
    assert [told["told"] for told in steps["look"]] == ["model.code", "model.code"]
    for name in ("audit and train", "export", "fit", "another commit"):
        assert {told["code"] for told in steps[name]} == {"model.code"}, name
    assert [steps[name][0]["code"] for name in ("vague", "short")] == ["trust.unclear"] * 2


def test_a_run_of_somebody_else_brings_no_consent(steps: dict[str, Any]):
    """Also not where its plan names a repository that is allowed here: its files are others."""
    for name in ("imported", "imported, still"):
        assert steps[name][0]["code"] == "model.code_of_run"
        assert "ran-foreign" not in steps[name][0]["ran"]


def test_after_it_was_allowed_the_model_trains_and_its_plan_says_so(steps: dict[str, Any]):
    (trained,), (plan,), (still,) = steps["train"], steps["plan"], steps["folder, still"]
    assert trained["code"] == "fine"
    assert trained["ran"] == ["ran-hub"]
    assert len(plan["told"]) == 40
    assert still["told"] == "model.code", "another folder is another question"


def test_what_its_code_contacts_is_told(steps: dict[str, Any], host: Server):
    known = json.loads(steps["contacts"][0]["told"])
    ours = [found for found in known["found"] if found["port"] == host.server_address[1]]
    assert ours
    assert ours[0]["times"] >= 1
    assert any("Python code" in said for said in known["unseen"])


def test_the_model_it_saved_is_whole_and_opens(steps: dict[str, Any]):
    names = steps["saved"][0]["told"].split()
    assert {"configuration_counting.py", "modeling_counting.py", "config.json"} <= {*names}
    assert steps["opened"][0]["told"] == "CountingForCausalLM"
    assert steps["tried"][0]["told"] == "2 answers"
    assert steps["adapters"][0]["told"] == "CountingForCausalLM"
    assert steps["continued"][0]["told"] == f"finished with {steps['plan'][0]['told']}"


def test_what_is_taken_away_and_written_says_whose_code_runs(steps: dict[str, Any]):
    names, _, card = steps["packed"][0]["told"].partition("\n")
    assert {"configuration_counting.py", "modeling_counting.py"} <= {*names.split()}
    commit = steps["plan"][0]["told"]
    assert f"that of {REPO} at commit {commit[:7]}" in card
    assert "trust_remote_code=True)" in card
    assert "- custom_code" in card
    script = steps["exported"][0]["told"]
    assert script.count("MODEL, revision=MODEL_REVISION, trust_remote_code=True") == 2
    assert f'MODEL_REVISION = "{commit}"' in script


def test_pickles_of_a_checkpoint_run_nothing(steps: dict[str, Any]):
    (told,) = steps["poisoned"]
    assert "ran-poison" not in told["ran"]
    assert told["code"] == "fine", "it went on from another checkpoint, or failed in words"


def test_a_run_of_such_a_model_is_resumed(steps: dict[str, Any]):
    assert steps["stopped"][0]["code"] == "fine"
    told = steps["resumed"][0]["told"]
    assert told is not None
    assert told.startswith("finished from")


def test_code_that_is_no_longer_the_same_does_not_run(steps: dict[str, Any]):
    assert steps["tampered cache"][0]["code"] == "model.code"
    assert steps["tampered run"][0]["code"] == "model.code_of_run"
    assert steps["mended"][0]["told"] == "CountingForCausalLM"
    assert steps["taken back"][0]["code"] == "model.code_of_run"
    assert steps["taken back, train"][0]["code"] == "model.code"
    assert all("ran-tampered" not in told["ran"] for told in steps["taken back, train"])


# ------------------------------------------------------------ no site forgets

_OPENERS = {"from_pretrained", "from_config", "get_class_from_dynamic_module", "pipeline"}
_PICKLES = {("torch", "load"), ("pickle", "load"), ("pickle", "loads"), ("joblib", "load")}


def test_models_are_opened_in_one_place():
    """Every call in the package: code that is written for the user is text, not a call."""
    root = Path(easymodel_nb.__file__).parent
    sites = set()
    for path in root.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = path.relative_to(root).as_posix()
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
                if call.func.attr in _OPENERS:
                    sites.add(name)
                if (owner, call.func.attr) in _PICKLES:
                    told = {k.arg: ast.unparse(k.value) for k in call.keywords}
                    assert told.get("weights_only") == "True", f"{name}:{call.lineno} unpickles"
            words = call.keywords if isinstance(call, ast.Call) else []
            if any(k.arg == "trust_remote_code" for k in words):
                sites.add(name)
    assert sites == {"trust/loading.py"}


# ------------------------------------------------------------ what is allowed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", coded_files(first="raise SystemExit('it ran')"))


def test_which_models_need_code(tmp_path: Path, folder: Path):
    assert code.is_needed(folder)
    known = write(tmp_path / "known", model_files(auto_map=AUTO_MAP))
    assert not code.is_needed(known), "Transformers knows its kind"
    own = json.loads(model_files()["tokenizer_config.json"])
    own |= {"auto_map": {"AutoTokenizer": ["t.T", None]}, "tokenizer_class": "TOfItsOwn"}
    files = model_files(model_type="counting-of-its-own") | {
        "tokenizer_config.json": json.dumps(own).encode()
    }
    assert code.is_needed(write(tmp_path / "tokenizer", files))


def test_a_folder_is_asked_about_again_when_its_code_changes(tmp_path: Path, folder: Path):
    asked = questions.of_code(tmp_path, folder)
    assert asked is not None
    assert asked.fix is not None
    assert asked.fix.command == "decide", "no press alone gives a consent"
    told = asked.fix.params or {}
    giving.allow_named(tmp_path, [f"{folder}@{told['commit']}"])
    assert questions.of_code(tmp_path, folder) is None
    permit = permits.permit(tmp_path, folder)
    (folder / "more.py").write_text("")
    assert questions.of_code(tmp_path, folder) is not None
    with pytest.raises(StudioError, match="no longer those"):
        loading.config(folder, permit)
    with pytest.raises(StudioError, match="no longer what was shown"):
        giving.allow_named(tmp_path, [f"{folder}@{told['commit']}"])


def test_a_consent_is_to_the_files_that_were_shown(tmp_path: Path, folder: Path):
    facts = questions.code_facts(tmp_path, folder)
    assert facts is not None
    (folder / "modeling_counting.py").write_text("other code")
    with pytest.raises(StudioError, match="no longer what was shown"):
        giving.allow(tmp_path, "code", facts.repo, facts.commit, facts.digest)
    with pytest.raises(StudioError, match="no longer what was shown"):
        giving.allow(tmp_path, "code", REPO, "a" * 40, None)
    assert consents.known(tmp_path) == []


@pytest.mark.parametrize("text", ["*", "all", "", "@", REPO, f"{REPO}@main", f"*@{'a' * 40}"])
def test_there_is_no_word_for_everything(tmp_path: Path, text: str):
    with pytest.raises(StudioError, match="does not say whose code"):
        giving.allow_named(tmp_path, [text])
    assert consents.known(tmp_path) == []


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "a/b@c",
        {"repo": "a/b"},
        {"repo": "a/b", "commit": 3},
        {"repo": "a/b", "commit": "c", "files": []},
        {"repo": "a/b", "commit": "c", "files": {"a.py": 1}},
        {"repo": ["a"], "commit": "c", "files": {}},
    ],
)
def test_what_was_written_by_hand_allows_nothing(tmp_path: Path, entry: Any):
    (tmp_path / consents.NAME).write_text(json.dumps({"code": [entry]}))
    assert consents.known(tmp_path) == []


@pytest.mark.parametrize(
    "config",
    [
        {"attn_implementation": "someone/kernel"},
        {"_attn_implementation": "paged|someone/kernel@main"},
        {"text_config": {"experts_implementation": ["someone/kernel"]}},
    ],
)
def test_compiled_code_that_a_config_names_is_not_run(tmp_path: Path, config: dict[str, Any]):
    """Transformers would download it, where the package `kernels` is installed."""
    folder = write(tmp_path / "kernel", model_files(**config))
    asked = questions.of_code(tmp_path, folder)
    assert asked is not None
    assert asked.code == "model.kernel"
    for opens in (loading.config, loading.tokenizer):
        with pytest.raises(StudioError, match="compiled code"):
            opens(folder)
    with pytest.raises(StudioError, match="compiled code"):
        loading.config(folder / "config.json")
    fine = write(tmp_path / "fine", model_files(attn_implementation="sdpa"))
    assert questions.of_code(tmp_path, fine) is None


class Harmful:
    """Says so when it was unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_safetensors_are_preferred_and_a_pickle_beside_them_is_not_opened(tmp_path: Path):
    mark = tmp_path / "ran"
    folder = write(tmp_path / "both", model_files())
    torch.save({"x": Harmful(mark)}, folder / "pytorch_model.bin")
    for allowed in (permits.NOTHING, loading.JUDGE):
        assert loading.model("AutoModelForCausalLM", folder, allowed) is not None
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match="safetensors"):
        loading.model("AutoModelForCausalLM", folder)
    with pytest.raises(Exception, match=r"weights_only|Weights only"):
        loading.model("AutoModelForCausalLM", folder, loading.JUDGE)
    assert not mark.exists()


def test_code_in_another_repository_is_not_followed(tmp_path: Path):
    away = {name: f"other/repo--{where}" for name, where in AUTO_MAP.items()}
    folder = write(tmp_path / "away", coded_files(auto_map=away))
    asked = questions.of_code(tmp_path, folder)
    assert asked is not None
    assert asked.code == "model.code_elsewhere"
    assert "other/repo" in asked.message


def test_more_code_than_one_could_look_at_is_refused(tmp_path: Path, folder: Path):
    for n in range(65):
        (folder / f"more_{n}.py").write_text("")
    with pytest.raises(StudioError, match="more than somebody could look at"):
        questions.of_code(tmp_path, folder)


def test_pickles_of_a_folder_are_asked_about_too(tmp_path: Path):
    files = model_files()
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    folder = write(tmp_path / "pickled", files)
    assert not permits.permit(tmp_path, folder).pickled
    asked = questions.pickled_folder(tmp_path, folder)
    assert asked is not None
    giving.allow(tmp_path, "pickled", str(folder), pickles.stamp(folder))
    assert questions.pickled_folder(tmp_path, folder) is None
    assert permits.permit(tmp_path, folder).pickled
    (folder / "pytorch_model.bin").write_bytes(b"others")
    assert questions.pickled_folder(tmp_path, folder) is not None


def test_neither_project_nor_mirror_carries_a_consent(tmp_path: Path, folder: Path):
    home, mirror = tmp_path / "home", tmp_path / "mirror"
    project = ProjectStore(home).create("mine")
    consents.give(home, "code", str(folder), "c" * 64, code.files_of(folder))
    assert "c" * 64 not in portable.pack(project, paths=True).text
    keeper = Keeper(home, DiskFolder(mirror, "Drive"))
    told = threading.Event()
    keeper.subscribe(told.set)
    keeper.start()
    try:
        keeper.save_now()
        ends = time.monotonic() + 30
        while keeper.status().saved is None and time.monotonic() < ends:
            told.wait(0.05)
    finally:
        keeper.close(5)
    written = [path for path in mirror.rglob("*") if path.is_file()]
    assert any(project.id in str(path) for path in written), "the project went there"
    assert not any(b"c" * 64 in path.read_bytes() for path in written)


def test_the_command_line_says_how_it_is_allowed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, folder: Path
):
    document = first_workflow().dump()
    model = next(node for node in document["nodes"] if node["type"] == "model")
    model["data"]["source"] = str(folder)
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(document))
    command = ["train", str(path), "--home", str(tmp_path / "home")]
    assert main(command) == 2
    told = capfd.readouterr().err
    commit = code.digest(code.files_of(folder))
    assert f"--trust-code '{folder}@{commit}'" in told
    assert "modeling_counting.py (" in told
    assert main([*command, "--trust-code", REPO]) == 2
    assert "the whole commit" in capfd.readouterr().err
