"""The store under real processes: killed while writing, and two at once."""

import subprocess
import sys
from pathlib import Path

from easymodel_nb.store.projects import ProjectStore

WRITER = """
import pathlib, sys
from easymodel_nb.store.projects import Conflict, ProjectStore
from easymodel_nb.workflow.document import Node
store, project_id, mark, count = ProjectStore(pathlib.Path(sys.argv[1])), *sys.argv[2:]
number = 0
while number < int(count):
    project = store.load(project_id)
    node = Node(id=f"{mark}{number}", type="note", data={"text": "x" * 500})
    workflow = project.workflow.model_copy(update={"nodes": [*project.workflow.nodes, node]})
    try:
        print(store.save(project_id, workflow, project.revision).revision, flush=True)
    except Conflict:
        continue
    number += 1
"""


def start(home: Path, project_id: str, mark: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(home), project_id, mark, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_killed_in_a_write_loop_nothing_that_was_acknowledged_is_lost(home: Path):
    project = ProjectStore(home).create("A")
    for attempt in range(4):
        writer = start(home, project.id, f"k{attempt}-", 100_000)
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(3 + 5 * attempt)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
        found = ProjectStore(home).load(project.id)
        assert found.revision >= acknowledged[-1]
        assert len(found.workflow.nodes) == found.revision - 1


def test_two_processes_lose_nothing_of_each_other(home: Path):
    project = ProjectStore(home).create("A")
    writers = [start(home, project.id, mark, 25) for mark in "ab"]
    for writer in writers:
        writer.communicate(timeout=60)
    found = ProjectStore(home).load(project.id)
    assert {node.id for node in found.workflow.nodes} == {
        f"{mark}{number}" for mark in "ab" for number in range(25)
    }
    assert found.revision == 51
