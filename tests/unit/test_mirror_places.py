"""Where the mirror is, and what the studio's commands say of it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from clouds import Cloud, FaultyFolder, Machine, notes

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog, new_run, runs_folder
from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper
from easymodel_nb.store.mirror.looking import look
from easymodel_nb.store.mirror.manifest import Stored
from easymodel_nb.store.mirror.runs_back import Wanted
from easymodel_nb.store.mirror.uploads_back import UploadArrivals
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets.commands import Commands
from easymodel_nb.widgets.mirroring import Mirroring
from easymodel_nb.widgets.rpc import RpcError, call
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio
from easymodel_nb.workflow.document import Edge


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Drive's folder, as Colab mounts it."""
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    environment.host.cache_clear()
    drive = tmp_path / "drive" / "MyDrive"
    monkeypatch.setattr(environment, "COLAB_DRIVE", drive)
    yield drive
    environment.host.cache_clear()


def test_there_is_no_mirror_unless_it_is_named(home: Path):
    assert environment.places() == environment.Places(home, None)


def test_a_folder_can_be_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EASYMODEL_MIRROR", str(tmp_path / "Synced" / "EasyModel"))
    found = environment.places()
    assert found.home == home
    assert (found.mirror, found.mirror_name) == (tmp_path / "Synced" / "EasyModel", "EasyModel")


def test_in_colab_it_is_drive_and_can_be_switched_off(colab: Path, monkeypatch: pytest.MonkeyPatch):
    found = environment.places()
    assert (found.mirror, found.mirror_name) == (colab / "EasyModel", "Drive")
    assert not environment.is_synced(found.home)
    monkeypatch.setenv("EASYMODEL_MIRROR", "off")
    assert environment.places().mirror is None


def test_a_home_on_drive_becomes_the_mirror_with_a_notice(colab: Path):
    found = environment.places(colab / "My models")
    assert found.mirror == found.old_home == colab / "My models"
    assert not environment.is_synced(found.home)
    assert "on Google Drive" in found.notice
    assert str(found.home) in found.notice


def test_on_a_desktop_drive_is_known_by_its_folder(tmp_path: Path):
    drive = tmp_path / "GoogleDrive-ada@example.org" / "My Drive" / "EasyModel"
    found = environment.places(drive)
    assert (found.mirror, found.mirror_name) == (drive, "Drive")
    assert drive not in (found.home, *found.home.parents)


def test_what_lay_in_a_home_on_drive_is_taken_over_and_left_as_it_was(home: Path, tmp_path: Path):
    old = tmp_path / "My Drive" / "EasyModel"
    ProjectStore(old).create("Poems", notes("one"))
    folder = runs_folder(old) / "20260101T000000000-abcd"
    folder.mkdir(parents=True)
    RunLog(folder).append("run_created", project_id="p", node_id="f1", request={})
    (folder / "live.json").write_text("{}")
    before = {path: path.read_bytes() for path in old.rglob("*.json*")}
    keeper = Keeper(home, DiskFolder(old, "Drive"), old_home=old)
    keeper.start()
    assert keeper.ready(30)
    assert [info.name for info in ProjectStore(home).list_projects()] == ["Poems"]
    assert keeper.close(30)
    assert {path: path.read_bytes() for path in before} == before
    again = Keeper(home, DiskFolder(old, "Drive"), old_home=old)
    again.start()
    assert again.close(30)
    assert not (runs_folder(home) / folder.name / "live.json").exists()


def test_files_of_the_user_come_back(tmp_path: Path):
    cloud = Cloud()
    a = Machine(tmp_path / "a", FaultyFolder(cloud, Random(1)))
    (a.home / "uploads" / "ab12").mkdir(parents=True)
    (a.home / "uploads" / "ab12" / "poems.csv").write_text("text\nroses")
    (a.home / "uploads" / ".partial").mkdir()
    (a.home / "uploads" / ".partial" / "half").write_text("te")
    a.save()
    back = UploadArrivals(tmp_path / "b", a.folder)
    others = look(a.folder)
    evil = Stored(size=1, sha256="0" * 64, at="x")
    next(iter(others.values()))[0].uploads["../../evil"] = evil
    back.all(others)
    assert list(back.wanted) == ["ab12/poems.csv"]
    assert back.fetch("ab12/poems.csv", lambda: False)
    assert (tmp_path / "b" / "uploads" / "ab12" / "poems.csv").read_text() == "text\nroses"


def test_without_a_mirror_save_says_what_to_set(session: Session):
    commands = Commands(session, Studio(session))
    with pytest.raises((RpcError, StudioError), match="EASYMODEL_MIRROR"):
        call(commands.handlers, "mirror_save", {})


def test_what_is_on_drive_alone_is_brought_before_it_is_used(home: Path, tmp_path: Path):
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"))
    stored = {"x": Stored(size=12_000_000, sha256="0" * 64, at="x")}
    for unit in ("model", "checkpoints/checkpoint-40"):
        keeper._runs.wanted["r1", unit] = Wanted("r1", unit, stored)
    mirroring = Mirroring(keeper)
    for method, what in (("resume", "goes on from"), ("take", "The model")):
        with pytest.raises(RpcError, match=f"{what}.*12.0 MB.*brought here") as refused:
            mirroring.refuse_away(method, SimpleNamespace(run="r1"))
        assert refused.value.code == "away"
    mirroring.refuse_away("show_run", SimpleNamespace(run="r1"))
    mirroring.refuse_away("resume", SimpleNamespace(run="r2"))
    assert mirroring.state().away == {"r1": 24_000_000}


def test_a_node_that_goes_on_from_a_model_on_drive_alone_says_so(
    session: Session, home: Path, tmp_path: Path
):
    project = session.project()
    workflow = project.workflow
    first = workflow.node("f1")
    assert first is not None
    later = first.model_copy(update={"id": "f2", "label": "Later"}, deep=True)
    workflow.nodes.append(later)
    for handle, source in (("model", "f1"), ("dataset", "d1")):
        edge = Edge(
            id=f"{handle}2", source=source, sourceHandle=handle, target="f2", targetHandle=handle
        )
        workflow.edges.append(edge)
    session.store.save(project.id, workflow, project.revision)
    log = RunLog(new_run(home))
    request = {"node": first.model_dump(mode="json")}
    log.append("run_created", project_id=project.id, node_id="f1", request=request)
    log.append("run_finished", summary={}, model_path="model")
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"))
    stored = {"x": Stored(size=12_000_000, sha256="0" * 64, at="x")}
    keeper._runs.wanted[log.run_id, "model"] = Wanted(log.run_id, "model", stored)
    commands = Commands(session.mirrored(Mirroring(keeper)), Studio(session))
    with pytest.raises(RpcError, match=r"The model of .*12.0 MB.*brought here") as refused:
        call(commands.handlers, "train", {"node": "f2"})
    assert refused.value.code == "away"
    assert len(session.views()) == 1, "nothing was queued"
    keeper._runs.wanted.clear()  # it has come
    assert call(commands.handlers, "train", {"node": "f2"})["runs"]
