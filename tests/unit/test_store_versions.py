"""Documents of every version: earlier ones open, newer ones are not touched, a backup is kept."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunReader, runs_folder
from easymodel_nb.store import backups, record
from easymodel_nb.store.projects import Project, ProjectStore
from easymodel_nb.workflow import document
from easymodel_nb.workflow.document import Workflow

TESTS = Path(__file__).parents[1]
HOMES = sorted(path for path in (TESTS / "data" / "homes").iterdir() if path.is_dir())


@pytest.mark.parametrize("left", HOMES, ids=lambda path: path.name)
def test_a_home_of_an_earlier_day_opens(left: Path, home: Path):
    shutil.copytree(left, home)
    store = ProjectStore(home)
    names = {info.name: info.id for info in store.list_projects()}
    assert set(names) == {"First model", "Another"}
    first = store.load(names["First model"])
    assert first.revision == 2
    finetune = next(node for node in first.workflow.nodes if node.type == "finetune")
    assert (finetune.data["epochs"], finetune.data["learning_rate"]) == (2, 0.0003)
    note = first.workflow.node("x1")
    assert note is not None
    assert note.data["text"] == "Åsa's note \U0001f600"
    assert note.model_extra == {"kept": "an unknown key"}
    future = first.workflow.node("z9")
    assert future is not None
    assert (future.type, future.data) == ("from the future", {"what": [1, None]})

    (gone,) = store.trash.items()
    assert store.restore(gone.id).name == "Deleted"
    assert store.settings.read().theme == "dark"
    (folder,) = runs_folder(home).iterdir()
    view = RunReader(folder).view()
    assert (view.status, view.project_id, view.curve[0].loss) == ("finished", first.id, 3.5)
    assert view.warnings == []

    saved = store.save(first.id, first.workflow.model_copy(update={"nodes": []}), 2)
    assert saved.revision == 3
    assert store.create("New").id > max(names.values())
    assert store.damaged() == []


@pytest.fixture
def project(home: Path) -> Project:
    """A project whose document a later version wrote."""
    store = ProjectStore(home)
    made = store.create("Future")
    stem = home / "projects" / made.id
    raw = record.read(stem, "project") or {}
    later = {**raw["workflow"], "version": document.VERSION + 1, "shape": "unheard of"}
    record.write(stem, "project", {**raw, "workflow": later})
    return made


def test_a_newer_document_is_refused_and_not_touched(home: Path, project: Project):
    store = ProjectStore(home)
    other = store.create("Other")
    files = {path: path.read_bytes() for path in (home / "projects").glob(f"{project.id}*")}
    assert len(files) == 2

    assert {info.name for info in store.list_projects()} == {"Future", "Other"}
    refused: list[Callable[[], object]] = [
        lambda: store.load(project.id),
        lambda: store.save(project.id, Workflow(), 1),
        lambda: store.rename(project.id, "Mine"),
        lambda: store.duplicate(project.id),
        lambda: store.delete(project.id),
    ]
    for work in refused:
        with pytest.raises(StudioError, match=r"newer EasyModel.*pip install -U"):
            work()
    store.move(project.id, None)
    store.move(other.id, project.id)
    store.move(project.id, other.id)
    assert [info.name for info in store.list_projects()] == ["Future", "Other"]
    assert store.free_name("Future") == "Future 2"
    assert {path: path.read_bytes() for path in (home / "projects").glob(f"{project.id}*")} == files
    assert store.trash.items() == []


def test_one_in_the_trash_stays_there(home: Path, project: Project):
    (home / "trash").mkdir()
    for path in (home / "projects").glob(f"{project.id}*"):
        path.replace(home / "trash" / path.name)  # as a later version would have put it there
    files = {path: path.read_bytes() for path in (home / "trash").iterdir()}
    store = ProjectStore(home)
    assert [gone.name for gone in store.trash.items()] == ["Future"]
    with pytest.raises(StudioError, match="newer EasyModel"):
        store.restore(project.id)
    assert {path: path.read_bytes() for path in (home / "trash").iterdir()} == files


@pytest.fixture
def later() -> Iterator[None]:
    """The same studio, one document version on."""
    sys.path.insert(0, str(TESTS / "crash"))
    try:
        import later_version
    finally:
        sys.path.pop(0)
    undo = later_version.install()
    yield
    undo()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("left", HOMES, ids=lambda path: path.name)
def test_what_was_before_a_migration_is_kept_beside(left: Path, home: Path):
    shutil.copytree(left, home)
    store = ProjectStore(home)
    names = {info.name: info.id for info in store.list_projects()}
    stem = home / "projects" / names["First model"]
    before = record.read(stem, "project")
    assert before is not None
    files = {path.name: path.read_bytes() for path in (home / "projects").iterdir()}

    first = store.load(stem.name)
    assert first.workflow.version == 2
    store.list_projects()
    now = {path.name: path.read_bytes() for path in (home / "projects").iterdir()}
    assert now == files, "looking changes nothing"

    store.save(stem.name, first.workflow.model_copy(update={"nodes": []}), first.revision)
    kept = backups.path_of(stem, 1)
    assert json.loads(kept.read_bytes()) == before
    store.save(stem.name, first.workflow, 3)
    assert json.loads(kept.read_bytes()) == before, "the first one is the one"
    after = record.read(stem, "project") or {}
    assert after["workflow"]["version"] == 2
    assert not backups.path_of(home / "projects" / names["Another"], 1).exists()
    assert {info.name for info in store.list_projects()} == set(names)
