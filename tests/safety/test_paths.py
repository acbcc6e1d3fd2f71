"""No name that comes from a page, a file or an archive reaches outside its folder.

Beside the home lie a project, a run, an upload and a zip as the home itself has them: a name that
leads there by `..` would work if names were joined without a look.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.secrets import TokenHolder
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.train.data import url
from easymodel_nb.train.manager import RunManager
from easymodel_nb.widgets import rpc
from easymodel_nb.widgets.commands import Commands
from easymodel_nb.widgets.methods import METHODS
from easymodel_nb.widgets.recording import recording
from easymodel_nb.widgets.replay import Gate, Player
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.uploads import Uploads, safe_name

SENTINEL = "what-lies-outside"


class Screen:
    def publish(self) -> None: ...
    def pull(self, *seen: Any) -> None: ...
    def theme(self, name: Any) -> None: ...


@pytest.fixture(scope="module")
def recorded() -> Player:
    """A home with a run that has ended; it is there as long as its player."""
    player = Player(recording("builtin:requests"))
    player.stop()
    player.start()
    player.wait(timeout=60)
    return player


@pytest.fixture
def place(tmp_path: Path, recorded: Player) -> Path:
    """A folder with two homes: `home`, which is open, and `other`, where nobody may get."""
    other = tmp_path / "other"
    ProjectStore(other).create(SENTINEL)
    shutil.copytree(recorded.home / "runs", other / "runs")
    shutil.copytree(recorded.home / "runs", tmp_path / "runs")  # ../RUN from within a home
    (other / "uploads").mkdir()
    (other / "secret.txt").write_text(SENTINEL)
    return tmp_path


@pytest.fixture
def handlers(place: Path) -> Iterator[Any]:
    home = place / "home"
    session = Session(
        home,
        RunManager(home),
        tokens=TokenHolder(),
        describe=lambda *_: None,  # type: ignore[arg-type,return-value]
        variables=list,
        audits=Gate(),
    )
    yield Commands(session, Screen()).handlers
    session.close()


def names(place: Path) -> list[str]:
    """Ids that would lead to the other home, and nonsense."""
    project = next((place / "other" / "projects").glob("*.a.json")).name.removesuffix(".a.json")
    run = next((place / "other" / "runs").iterdir()).name
    return [
        f"../../other/projects/{project}",
        f"../../other/runs/{run}",
        f"../../runs/{run}",
        str(place / "other" / "projects" / project),
        str(place / "other" / "runs" / run),
        f"..\\..\\other\\runs\\{run}",
        f"./../{run}",
        "..",
        ".",
        "",
        "/",
        "x\0y",
        "~",
        "\ud800",
        "a" * 5000,
        "../../other/secret.txt",
        "file:///etc/passwd",
        "COM1",
    ]


def state(folder: Path) -> dict[str, str]:
    """Everything below a folder, by its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


TEXTS = (str, str | None, list[str], list[str] | None)
NAMED = {
    method: [name for name, kind in known.params.model_fields.items() if kind.annotation in TEXTS]
    for method, known in METHODS.items()
    for _takes_text in [
        lambda field: field.annotation in {str, str | None, list[str], list[str] | None}
    ]
}
HARMLESS = {"text", "token", "theme", "client", "repo", "template", "sha256", "search", "metric"}


@pytest.mark.parametrize("method", [method for method, fields in NAMED.items() if fields])
def test_no_id_leads_outside(place: Path, handlers: Any, method: str):
    before = {name: state(place / name) for name in ("other", "runs")}
    filled = {"base_rev": 1, "document": {}, "offset": 0, "size": 4, "text": "x", "repo": "a/b"}
    filled |= {"client": "page", "place": 0, "kind": "model", "token": "", "name": "x"}
    known = METHODS[method].params.model_fields
    for hostile in names(place):
        for field in NAMED[method]:
            if field in HARMLESS:
                continue
            value: Any = hostile
            if "list" in str(known[field].annotation):
                value = [hostile]
            params = {k: v for k, v in filled.items() if k in known} | {field: value}
            for other, info in known.items():
                if info.is_required() and other not in params:
                    params[other] = hostile
            said = rpc.reply(handlers, {"id": 1, "method": method, "params": params})
            text = json.dumps(said)
            assert SENTINEL not in text, (method, hostile)
            assert said["ok"] or said["error"]["code"] != "internal", (method, hostile, said)
    assert {name: state(place / name) for name in ("other", "runs")} == before
    assert sorted(p.name for p in place.iterdir() if p.name != "home") == ["other", "runs"]


HOSTILE_NAMES = [
    "../../escaped.csv",
    "..\\..\\escaped.csv",
    "/etc/escaped.csv",
    "C:\\Windows\\escaped.csv",
    "....//....//escaped.csv",
    "%2e%2e/escaped.csv",
    "a/../../escaped.csv",
    "\u2024\u2024/escaped.csv",
    "\uff0e\uff0e/escaped.csv",
    ".bashrc",
    "-rf.csv",
    "x\0.csv",
    "con.csv",
    "\u202egnp.vsc",
    "a" * 400 + ".csv",
    "..",
    "",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_an_upload_stays_in_its_folder(tmp_path: Path, name: str):
    uploads = Uploads(tmp_path / "home")
    made, _ = uploads.begin(name, 4, None)
    uploads.chunk(made, 0, memoryview(b"a\nb\n"))
    path = uploads.end(made)
    assert path.resolve().is_relative_to((tmp_path / "home" / "uploads").resolve())
    assert path.read_bytes() == b"a\nb\n"
    assert len(path.relative_to(tmp_path / "home" / "uploads").parts) == 2
    assert not path.name.startswith((".", "-"))
    assert not {c for c in path.name if ord(c) < 32 or c in "/\\:\u202e\u2066"}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_downloaded_name_stays_in_its_folder(tmp_path: Path, name: str):
    kept = url._safe(name)
    assert (tmp_path / kept).resolve().parent == tmp_path.resolve()
    assert safe_name(name) not in {"", ".", ".."}


def test_a_link_in_an_upload_folder_is_not_followed(tmp_path: Path):
    """Somebody with the same disk may put a link where the next upload goes."""
    home = tmp_path / "home"
    content = b"text\nrow\n"
    digest = hashlib.sha256(content).hexdigest()
    target = tmp_path / "target.csv"
    target.write_bytes(b"mine")
    folder = home / "uploads" / digest[:12]
    folder.mkdir(parents=True)
    (folder / "data.csv").symlink_to(target)
    uploads = Uploads(home)
    made, known = uploads.begin("data.csv", len(content), digest)
    if known is None:
        uploads.chunk(made, 0, memoryview(content))
        known = uploads.end(made, digest)
    assert known.read_bytes() == content, "another file was taken for the one that was sent"
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize("member", ["../../escaped/events.jsonl", "/abs/events.jsonl"])
def test_a_zip_of_a_report_is_read_in_memory(tmp_path: Path, member: str):
    path = tmp_path / "in" / "report.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "{}\n")
    with pytest.raises(StudioError):
        recording(path)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
