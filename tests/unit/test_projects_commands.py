"""Projects from Python and from the view: the same commands; a second process only reads."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.store.leases import Leases, this_process
from easymodel_nb.store.locks import lock_at
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets import holding
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import DocumentState, ProjectsState
from easymodel_nb.widgets.studio import Studio

PATIENCE = 20.0


@pytest.fixture
def made(session: Session) -> Iterator[Studio]:
    made = Studio(session, script_and_styles=("export default {}", ".emnb {}"))
    yield made
    made.close()


def projects(made: Studio) -> ProjectsState:
    made.publish()
    state = made._publisher.states["projects"]
    assert isinstance(state, ProjectsState)
    return state


def document(made: Studio) -> DocumentState:
    made.publish()
    state = made._publisher.states["document"]
    assert isinstance(state, DocumentState)
    return state


def names(made: Studio) -> list[str]:
    return [item.name for item in projects(made).items]


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_templates_of_both_kinds_make_projects_that_are_open(made: Studio):
    made.command("project_new", template="generation")
    assert made.project.name == "Generation example"
    made.command("project_new", template="hub-classification")
    assert made.project.name == "Classification from the Hub"
    made.command("project_new", template="hub-classification", name="Mine")
    assert made.project.name == "Mine"
    assert names(made)[:3] == ["Mine", "Classification from the Hub", "Generation example"]
    for unknown in ("hub-poetry", "hub-", "poetry"):
        with pytest.raises(StudioError, match="There is no template"):
            made.command("project_new", template=unknown)


def test_the_list_is_laid_in_another_order(made: Studio):
    first = made.project.id
    second = made.command("project_new", name="Second")["project_id"]
    made.command("project_move", project_id=first, before=second)
    assert names(made) == ["First model", "Second"]
    made.command("project_move", project_id=first)
    assert names(made) == ["Second", "First model"]
    with pytest.raises(StudioError, match="no project 'gone'"):
        made.command("project_move", project_id="gone")


def test_after_a_delete_the_neighbour_is_open_and_undo_brings_it_back(made: Studio):
    first = made.project.id
    second = made.command("project_new", name="Second")["project_id"]
    third = made.command("project_new", name="Third")["project_id"]
    made.command("project_switch", project_id=second)
    assert made.command("project_delete", project_id=second) == {"project_id": first}
    assert [(item.id, item.name) for item in projects(made).trash] == [(second, "Second")]
    assert projects(made).trash[0].deleted
    made.command("project_delete", project_id=first)  # the last of the list
    assert made.project.id == third
    made.command("project_restore", project_id=second)
    assert names(made) == ["Third", "Second"]
    assert made.project.id == third
    with pytest.raises(StudioError, match="in the trash"):
        made.command("project_restore", project_id=second)


def test_the_trash_is_emptied_for_good(made: Studio, home: Path):
    ids = [made.command("project_new", name=name)["project_id"] for name in "ABC"]
    for project_id in ids:
        made.command("project_delete", project_id=project_id)
    assert [item.name for item in projects(made).trash] == ["C", "B", "A"]
    made.command("trash_empty", project_ids=[ids[1]])
    assert [item.name for item in projects(made).trash] == ["C", "A"]
    made.command("trash_empty")
    assert projects(made).trash == []
    assert list((home / "trash").iterdir()) == []
    assert names(made) == ["First model"]


def test_a_project_goes_out_and_comes_back(made: Studio, tmp_path: Path):
    drawn = made.project
    node = next(n for n in drawn.workflow.nodes if n.type == "dataset")
    rows = tmp_path / "rows.csv"
    rows.write_text("text\nhello\n")
    node.data["source"] = str(rows)
    made.command("commit", document=drawn.workflow.dump())
    file = made.command("project_export", project_id=drawn.id)
    assert file["name"] == "First-model.easymodel.json"
    assert file["left_out"] == ["the path of rows.csv (Dataset)"]
    back = made.command("project_import", text=file["text"])
    assert back["missing"] == ["rows.csv (Dataset)"]
    assert (made.project.id, made.project.name) == (back["project_id"], "First model 2")
    with_paths = made.command("project_export", project_id=drawn.id, paths=True)["text"]
    assert made.command("project_import", text=with_paths)["missing"] == []
    assert made.project.workflow.nodes == drawn.workflow.nodes
    with pytest.raises(StudioError, match="no EasyModel project"):
        made.command("project_import", text="{}")


# ------------------------------------------------------------ a second process


@pytest.fixture
def theirs(home: Path) -> Leases:
    """Another process, as the files show it: on another machine, alive because it beats."""
    owner = this_process("theirs.ipynb").model_copy(update={"host": "elsewhere"})
    return Leases(home, lock_at(home / ".store.lock"), owner)


def test_who_does_not_hold_it_can_change_nothing(made: Studio, theirs: Leases, home: Path):
    project = made.project
    theirs.take(project.id, over=True)
    held = document(made).held
    assert held is not None
    assert held.by == "theirs.ipynb on elsewhere"
    edited = project.workflow.dump() | {"nodes": []}
    for refused in (
        lambda: made.command("commit", document=edited),
        lambda: made.command("project_rename", project_id=project.id, name="Mine"),
        lambda: made.command("project_delete", project_id=project.id),
    ):
        with pytest.raises(StudioError, match="take over to edit it here") as error:
            refused()
        assert error.value.problems[0].code == "held"
    assert ProjectStore(home).load(project.id) == project
    other = made.command("project_new")["project_id"]  # the others are free
    made.command("commit", document=made.project.workflow.dump())
    made.command("project_rename", project_id=other, name="Mine")


def test_taken_over_it_is_edited_here(made: Studio, theirs: Leases):
    project = made.project
    theirs.take(project.id, over=True)
    made.command("project_take", project_id=project.id)
    assert document(made).held is None
    assert theirs.other(project.id) is not None
    assert made.command("commit", document=project.workflow.dump() | {"nodes": []})["rev"] == 2
    with pytest.raises(StudioError, match="no project"):
        made.command("project_take", project_id="../settings")


def test_an_open_studio_notices_by_itself(
    made: Studio, theirs: Leases, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(holding, "LOOK_SECONDS", 0.05)
    project = made.project
    made._publisher.start()
    made._session.holding.start()
    shown = made._publisher.states
    state = lambda: shown["document"]  # noqa: E731
    assert state().held is None
    theirs.take(project.id, over=True)
    until(lambda: state().held is not None, "it is read-only once another process has it")
    ProjectStore(home).save(project.id, project.workflow.model_copy(update={"nodes": []}), 1)
    until(lambda: state().rev == 2, "what the other saves is shown")
    theirs.release(project.id)
    until(lambda: state().held is None, "it is free again once the other let go")
    assert theirs.other(project.id) is not None


def test_a_studio_lets_go_of_what_it_leaves(made: Studio, theirs: Leases, home: Path):
    first = document(made).project_id
    assert theirs.other(first) is not None
    made.command("project_new")
    assert theirs.other(first) is None
    made.close()
    assert list((home / "open").glob("*.json")) == []
