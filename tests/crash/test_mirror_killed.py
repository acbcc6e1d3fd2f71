"""kill -9 in the middle of mirroring: what was said to be on Drive is there, and comes back."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper
from easymodel_nb.store.projects import ProjectStore

HERE = Path(__file__).parent
KILLS = 4
SEED = 20260101


def live_and_die(home: Path, drive: Path, random: Random) -> list[str]:
    """Let it save, kill it somewhere in the next pass; answers what it had acknowledged."""
    command = [sys.executable, str(HERE / "mirror_life.py"), str(home), str(drive)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said += [process.stdout.readline().strip() for _ in range(random.randrange(1, 4))]
        try:
            process.wait(random.random() * 0.1)  # a moment, to die anywhere in a pass
        except subprocess.TimeoutExpired:
            process.kill()
        said += process.stdout.read().split()
    assert all(said)
    return said


def brought(home: Path, drive: Path) -> set[str]:
    """The projects of a fresh home on the same Drive."""
    store = ProjectStore(home)
    keeper = Keeper(home, DiskFolder(drive, "Drive"))
    keeper.start()
    assert keeper.ready(60)
    keeper.close(30)
    return {info.name for info in store.list_projects()}


def test_killed_while_saving_loses_nothing_that_was_acknowledged(tmp_path: Path):
    random, drive, acknowledged = Random(SEED), tmp_path / "Drive", set[str]()
    home = tmp_path / "home"
    for number in range(KILLS):
        acknowledged |= set(live_and_die(home, drive, random))
        assert acknowledged <= brought(tmp_path / f"fresh-{number}", drive)
        if random.random() < 0.5:  # the machine is gone, its home with it
            home = tmp_path / f"home-{number}"


_OPEN = """
import json, threading
import easymodel
studio = easymodel.studio()
session = studio._session
"""
_TRAIN = """
project = studio.command("project_new", name="Poems")["project_id"]
from easymodel_nb.runlog.log import RunLog, new_run
log = RunLog(new_run(session.home))
log.append("run_created", project_id=project, node_id="f1", request={"node": {"id": "f1"}})
log.append("run_started", attempt=1, plan={"method": "full"}, environment={})
log.append("run_stopped", reason="user")
print("FOUND", log.run_id)
"""
_TELL = """
names = [info.name for info in session.store.list_projects()]
place = session.mirroring.state().place
while not session.manager.views():  # history follows, the studio is open already
    threading.Event().wait(0.05)
print("FOUND", json.dumps([names, studio.project.name, place]))
"""


def test_one_line_on_a_fresh_machine_brings_projects_and_history_back(tmp_path: Path):
    drive = tmp_path / "Drive" / "EasyModel"
    drive.parent.mkdir()
    first, fresh = tmp_path / "first", tmp_path / "fresh"
    environment = {
        **os.environ,
        "EASYMODEL_MIRROR": str(drive),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    def run(home: Path, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**environment, "EASYMODEL_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.rpartition("FOUND ")[2].strip()

    run_id = run(first, _OPEN + _TRAIN)  # saved as it ends
    names, opened, place = json.loads(run(fresh, _OPEN + _TELL))
    assert set(names) == {"Poems", "First model"}
    assert opened == "Poems"
    assert place == "EasyModel"
    assert (fresh / "runs" / run_id / "events.jsonl").read_bytes() == (
        first / "runs" / run_id / "events.jsonl"
    ).read_bytes()
