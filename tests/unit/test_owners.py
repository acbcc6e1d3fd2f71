"""A living run is never shown as interrupted, nor a dead one as running, wherever it is seen."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from easymodel_nb import environment
from easymodel_nb.runlog import owners
from easymodel_nb.runlog.log import RunLog, RunReader, new_run, read_view, write_live
from easymodel_nb.runlog.owners import STALE_SECONDS, Pulse
from easymodel_nb.runlog.view import Live


@pytest.fixture
def folder(home: Path) -> Path:
    made = new_run(home)
    writer = RunLog(made)
    writer.append("run_created", project_id="p", node_id="f1", request={})
    plan = {"epochs": 2, "max_steps": 10}
    writer.append("run_started", attempt=1, plan=plan, environment={})
    return made


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time go by, by the clock that nobody sets."""
    passed = [0.0]
    real = time.monotonic
    monkeypatch.setattr(owners.time, "monotonic", lambda: real() + passed[0])

    def wait(seconds: float) -> None:
        passed[0] += seconds

    return wait


def elsewhere(live: Live, *, clock: float = 0.0, **change: str) -> Live:
    """The same from another machine, whose clock is so many seconds ahead."""
    beat = datetime.now(UTC) + timedelta(seconds=clock)
    return live.model_copy(update={"host": "another", "beat": beat.isoformat(), **change})


def put(folder: Path, live: Live) -> None:
    (folder / "live.json").write_text(live.model_dump_json(), encoding="utf-8")


def test_a_recycled_process_id_is_not_the_owner(folder: Path):
    live = write_live(folder)
    assert Pulse().alive(live)
    assert not Pulse().alive(live.model_copy(update={"pid_started": live.pid_started - 60}))


def test_a_process_id_of_another_process_is_not_the_owner(folder: Path):
    code = "from easymodel_nb.runlog.log import write_live; import pathlib, sys; "
    code += "write_live(pathlib.Path(sys.argv[1]), step=7, max_steps=10)"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=os.environ)
    dead = Live.model_validate_json((folder / "live.json").read_bytes())
    put(folder, dead.model_copy(update={"pid": os.getpid()}))  # its number was given to us
    assert read_view(folder).status == "interrupted"


def test_a_run_of_another_process_is_running_while_that_lives(folder: Path):
    code = "from easymodel_nb.runlog.log import write_live; import pathlib, sys; "
    code += "write_live(pathlib.Path(sys.argv[1]), stage={'stage': 'training', 'message': 'On'}); "
    code += "print('written', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    reader = RunReader(folder)
    assert reader.view().status == "running"
    other.kill()
    other.wait()
    other.stdout.close()
    assert reader.view().status == "interrupted"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the start is not reckoned anew")
def test_a_clock_that_is_put_right_meanwhile_kills_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    live = write_live(folder)
    boot = psutil.boot_time()  # reckoned from the clock
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: boot + 3600)
    assert psutil.Process(live.pid).create_time() > time.time() + 1800
    assert Pulse().alive(live)


@pytest.mark.parametrize("change", [{"host": "another"}, {"boot_id": "earlier"}])
def test_from_elsewhere_a_young_beat_is_a_sign_of_life(
    folder: Path, change: dict[str, str], later: Callable[[float], None]
):
    live = write_live(folder).model_copy(update=change)
    pulse = Pulse()
    assert pulse.alive(live)
    later(STALE_SECONDS - 1)
    assert pulse.alive(live)
    later(2)
    assert not pulse.alive(live)


def test_a_home_that_was_copied_holds_no_living_run(
    folder: Path, tmp_path: Path, later: Callable[[float], None]
):
    put(folder, elsewhere(write_live(folder), clock=-120.0))
    copy = shutil.copytree(folder.parents[1], tmp_path / "copy")  # its files are new, its beat not
    reader = RunReader(copy / "runs" / folder.name)
    assert reader.view().status == "interrupted"
    later(1)
    assert reader.view().status == "interrupted"


@pytest.mark.parametrize("clock", [-3600.0, 3600.0])
def test_with_other_clocks_what_counts_is_that_the_beat_moves(
    folder: Path, clock: float, later: Callable[[float], None]
):
    reader = RunReader(folder)
    put(folder, elsewhere(write_live(folder), clock=clock))
    reader.view()
    for _ in range(4):  # alive for two minutes
        later(20)
        put(folder, elsewhere(write_live(folder), clock=clock))
        assert reader.view().status == "queued"
        later(10)
        assert reader.view().status == "queued"
    later(STALE_SECONDS)
    assert reader.view().status == "interrupted"


def test_a_beat_of_a_clock_that_is_ahead_is_no_endless_life(folder: Path):
    put(folder, elsewhere(write_live(folder), clock=3600.0))
    assert read_view(folder).status == "interrupted"


def test_a_container_beside_this_one_has_other_processes_of_the_same_numbers(folder: Path):
    boot, _, space = environment.boot_id().partition(" ")
    if not space:
        pytest.skip("only Linux has process namespaces")
    live = write_live(folder).model_copy(update={"boot_id": f"{boot} pid:[1]", "pid_started": 1.0})
    assert Pulse().alive(live), "its process cannot be seen from here, but its beat is young"
