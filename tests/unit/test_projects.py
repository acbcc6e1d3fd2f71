"""Projects: nothing lost, nothing overwritten, nothing silently dropped."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.store import record
from easymodel_nb.store.first import ensure_project, first_workflow
from easymodel_nb.store.projects import Conflict, ProjectStore
from easymodel_nb.store.two_slot import newest, slot_paths
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Node, Workflow


@pytest.fixture
def store(home: Path) -> ProjectStore:
    return ProjectStore(home)


def with_node(workflow: Workflow, name: str) -> Workflow:
    node = Node(id=name, type="note", data={"text": name})
    return workflow.model_copy(update={"nodes": [*workflow.nodes, node]})


def test_the_first_start_makes_a_project_that_can_be_trained(store: ProjectStore):
    project = ensure_project(store)
    assert (project.name, project.revision) == ("First model", 1)
    assert check(project.workflow) == []
    assert {n.type for n in project.workflow.nodes} == {"model", "dataset", "finetune"}
    settings = store.settings.read()
    assert (settings.active, settings.first_project) == (project.id, project.id)
    assert ensure_project(ProjectStore(store.home)) == project


def test_a_save_names_its_base_and_a_foreign_revision_is_a_conflict(store: ProjectStore):
    project = store.create("A")
    mine = store.save(project.id, with_node(project.workflow, "mine"), 1)
    assert mine.revision == 2
    with pytest.raises(Conflict) as conflict:
        store.save(project.id, with_node(project.workflow, "theirs"), 1)
    assert conflict.value.revision == 2
    assert conflict.value.document == mine.workflow.dump()
    assert store.load(project.id) == mine


def test_a_commit_whose_answer_was_lost_can_be_sent_again(store: ProjectStore):
    project = store.create("A")
    edited = with_node(project.workflow, "mine")
    first = store.save(project.id, edited, 1)
    assert store.save(project.id, edited, 1) == first


def test_renaming_keeps_the_revision_and_the_document_follows(store: ProjectStore):
    project = store.create("A")
    renamed = store.rename(project.id, "  B \n side ")
    assert (renamed.name, renamed.workflow.name, renamed.revision) == ("B side", "B side", 1)
    saved = store.save(project.id, with_node(project.workflow, "n"), 1)  # made before the rename
    assert (saved.name, saved.workflow.name) == ("B side", "B side")
    with pytest.raises(StudioError, match="needs a name"):
        store.rename(project.id, " ")


def test_a_copy_has_its_own_life(store: ProjectStore):
    project = store.create("A", first_workflow())
    copy = store.duplicate(project.id)
    assert (copy.name, copy.workflow.nodes) == ("A copy", project.workflow.nodes)
    assert store.duplicate(project.id).name == "A copy 2"
    store.save(copy.id, with_node(copy.workflow, "n"), 1)
    assert store.load(project.id).workflow.node("n") is None


def test_deleted_projects_come_back_from_the_trash(store: ProjectStore):
    project = store.save(store.create("A").id, with_node(Workflow(), "n"), 1)
    store.delete(project.id)
    assert store.list_projects() == []
    (gone,) = store.trash.items()
    assert (gone.id, gone.name) == (project.id, "A")
    assert gone.deleted
    with pytest.raises(StudioError, match="no project"):
        store.load(project.id)
    assert store.restore(project.id) == project
    assert store.trash.items() == []
    with pytest.raises(StudioError, match="trash"):
        store.restore(project.id)


def test_what_a_node_holds_is_not_shared_between_loads(store: ProjectStore):
    project = store.create("A", first_workflow())
    store.load(project.id).workflow.nodes[1].data["format"]["delimiter"] = ";"
    assert store.load(project.id).workflow.nodes[1].data["format"]["delimiter"] is None


def test_another_process_is_seen_at_once(store: ProjectStore):
    project = store.create("A")
    store.load(project.id)
    ProjectStore(store.home).save(project.id, with_node(project.workflow, "n"), 1)
    assert store.load(project.id).revision == 2


def test_a_damaged_project_is_set_aside_and_told_and_the_others_stay(store: ProjectStore):
    good, bad = store.create("Good"), store.create("Bad")
    path = slot_paths(store.home / "projects" / bad.id)[0]
    path.write_text("torn")
    other = ProjectStore(store.home)
    assert [p.name for p in other.list_projects()] == ["Good"]
    kept = path.with_name(path.name + ".damaged")
    assert kept.read_text() == "torn"
    assert str(kept) in other.damaged()[0].message
    assert ensure_project(other).id == good.id
    kept.unlink()
    assert other.damaged() == []


def test_opening_a_damaged_project_says_so(store: ProjectStore):
    project = store.create("A")
    slot_paths(store.home / "projects" / project.id)[0].write_text("torn")
    with pytest.raises(StudioError, match=r"cannot be read.*[.]damaged"):
        store.load(project.id)


def test_a_project_of_a_newer_version_is_listed_and_left_untouched(store: ProjectStore):
    project = store.create("Future")
    stem = store.home / "projects" / project.id
    raw = record.read(stem, "project")
    record.write(stem, "project", {**raw, "workflow": {**raw["workflow"], "version": 9}})
    before = newest(stem)
    assert [p.name for p in store.list_projects()] == ["Future"]
    for refused in (
        lambda: store.load(project.id),
        lambda: store.save(project.id, Workflow(), 1),
        lambda: store.duplicate(project.id),
    ):
        with pytest.raises(StudioError, match="newer EasyModel"):
            refused()
    assert newest(stem) == before
    assert ensure_project(store).name == "First model"


def test_settings_keep_what_another_version_knows(store: ProjectStore):
    store.settings.remember(theme="dark")
    raw = record.read(store.home / "settings", "settings")
    record.write(store.home / "settings", "settings", {**raw, "later": [1]})
    store.settings.remember(active="p")
    raw = record.read(store.home / "settings", "settings")
    assert raw.pop("order") == []
    assert raw == {"active": "p", "theme": "dark", "first_project": None, "later": [1]}
    with pytest.raises(ValueError, match="theme"):
        store.settings.remember(theme="sepia")


def test_damaged_settings_are_set_aside_and_read_as_none(store: ProjectStore):
    store.settings.remember(theme="dark")
    slot_paths(store.home / "settings")[0].write_text("torn")
    assert store.settings.read().theme == "auto"
    assert "settings.a.json.damaged" in store.damaged()[0].message


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=20))
def test_however_two_writers_take_turns_no_saved_node_is_lost(
    tmp_path_factory: Any, turns: list[tuple[int, bool]]
):
    home = tmp_path_factory.mktemp("home")
    writers = [ProjectStore(home), ProjectStore(home)]
    project = writers[0].create("A")
    known = [project, project]
    saved: set[str] = set()
    for number, (writer, reload) in enumerate(turns):
        if reload:
            known[writer] = writers[writer].load(project.id)
        name = f"n{number}"
        base = known[writer]
        try:
            known[writer] = writers[writer].save(
                project.id, with_node(base.workflow, name), base.revision
            )
            saved.add(name)
        except Conflict:
            known[writer] = base  # refused, so nothing of it may be there
    assert {node.id for node in ProjectStore(home).load(project.id).workflow.nodes} == saved
