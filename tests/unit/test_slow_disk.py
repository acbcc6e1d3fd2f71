"""A disk that takes its time: what needs no disk is answered, and nothing is acknowledged early."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets import answers
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import TRAITS
from easymodel_nb.widgets.studio import Studio

BUNDLE = ("export default {}", ".emnb {}")
PATIENCE = 60.0


class Disk:
    """Flushes when it is allowed to."""

    def __init__(self, flush: Callable[[int], None]) -> None:
        self._flush = flush
        self.free, self.asked = threading.Event(), threading.Event()
        self.free.set()
        self.told: list[str] = []

    def fsync(self, handle: int) -> None:
        if threading.current_thread().name.startswith("easymodel-saving"):
            self.asked.set()
            assert self.free.wait(PATIENCE)
        self._flush(handle)


class Page:
    """A page of messages: what it was sent, and what it was answered, in that order."""

    def __init__(self, made: Studio) -> None:
        self.workbench = made._workbench
        self.traits = self.workbench.get_state(TRAITS)
        self.replies: dict[int, dict[str, Any]] = {}
        self.arrived = threading.Condition()
        self.sent = 0
        self.workbench.comm.publish_msg = self.hear

    def hear(self, _type: str, data: dict[str, Any] | None = None, **_: Any) -> None:
        with self.arrived:
            if data and data["method"] == "custom":
                self.replies[data["content"]["id"]] = data["content"]
            elif data:
                self.traits.update(data["state"])
            self.arrived.notify_all()

    def call(self, method: str, **params: Any) -> int:
        self.sent += 1
        content = {"id": self.sent, "method": method, "params": params}
        data = {"method": "custom", "content": content}
        self.workbench._handle_msg({"content": {"data": data}, "buffers": []})
        return self.sent

    def commit(self, **fields: Any) -> int:
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

    def answer(self, name: int) -> dict[str, Any]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: name in self.replies, PATIENCE)
        return self.replies[name]

    def names(self) -> list[str]:
        return [item["name"] for item in self.traits["projects"]["items"]]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr(answers, "GRACE_SECONDS", 0.0)  # every flush is a slow one
    disk = Disk(os.fsync)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    yield disk
    disk.free.set()


@pytest.fixture
def page(session: Session, disk: Disk) -> Iterator[Page]:
    del disk
    made = Studio(session, script_and_styles=BUNDLE, pushes=True)
    yield Page(made)
    made.close()


def test_the_rest_is_answered_while_the_disk_is_slow(page: Page, disk: Disk, home: Path):
    disk.free.clear()
    saving = page.commit(epochs=7)
    assert disk.asked.wait(PATIENCE)
    assert page.answer(page.call("pull", seen={}))["ok"]
    assert page.answer(page.call("stop"))["ok"]
    assert page.traits["document"]["rev"] == 1, "nothing is shown that is not on the disk"
    assert page.names() == ["First model"]
    assert saving not in page.replies, "nothing is acknowledged that is not on the disk"
    disk.free.set()
    assert page.answer(saving)["result"] == {"rev": 2}
    assert ProjectStore(home).load(page.traits["document"]["project_id"]).revision == 2
    assert page.traits["document"]["rev"] == 2


def test_what_saves_is_done_in_its_order(page: Page, disk: Disk):
    known = page.traits["document"]["project_id"]
    disk.free.clear()
    asked = [
        page.call("project_rename", project_id=known, name=name) for name in ("One", "Two", "Three")
    ]
    asked.append(page.call("project_new", name="Fresh"))
    assert disk.asked.wait(PATIENCE)
    assert page.answer(page.call("pull", seen={}))["ok"]
    assert page.names() == ["First model"]
    disk.free.set()
    assert all(page.answer(number)["ok"] for number in asked)
    assert [name for name in page.replies if name in asked] == asked
    page.call("pull", seen={})
    assert page.names() == ["Fresh", "Three"]


def test_a_refusal_comes_late_as_well(page: Page, disk: Disk):
    disk.free.clear()
    page.call("project_new", name="First")
    refused = page.call("project_rename", project_id="there is none", name="x")
    assert page.replies == {}
    disk.free.set()
    assert page.answer(refused)["error"]["code"] == "refused"


def test_where_answers_come_from_the_cell_alone_the_disk_is_waited_for(
    session: Session, disk: Disk
):
    made = Studio(session, script_and_styles=BUNDLE, pushes=False)  # as on Colab
    page = Page(made)
    assert page.replies[page.commit(epochs=7)]["result"] == {"rev": 2}
    assert not disk.asked.is_set()
    made.close()
