"""Where we are: the home, this process, this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from easymodel_nb import environment


def test_the_home_is_the_argument_else_the_variable(tmp_path: Path, home: Path):
    assert environment.home() == home
    assert home.is_dir()
    assert environment.home(tmp_path / "other") == tmp_path / "other"


def test_without_either_it_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("EASYMODEL_HOME")
    assert environment.default_home().name == "easymodel"
    assert environment.default_home().is_absolute()


def test_a_relative_home_stays_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = environment.home("here")
    monkeypatch.chdir(tmp_path.parent)
    assert folder == tmp_path / "here"


def test_this_process_lives_and_a_finished_one_does_not():
    started = environment.process_started(os.getpid())
    assert started is not None
    assert environment.process_alive(os.getpid(), started)
    assert not environment.process_alive(os.getpid(), started - 60)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = environment.process_started(child.pid)
    assert began is not None
    assert environment.process_alive(child.pid, began)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
    assert not environment.process_alive(child.pid, began)
    child.wait()
    assert not environment.process_alive(child.pid, began)


@pytest.mark.parametrize(
    ("code", "host"),
    [
        ("", "python"),
        ("import sys; sys.modules['ipykernel'] = sys", "jupyter"),
        (
            "import sys, os; sys.modules['ipykernel'] = sys; os.environ['VSCODE_PID'] = '1'",
            "vscode",
        ),
        ("import sys; sys.modules['google.colab'] = sys", "colab"),
    ],
)
def test_the_host_is_told_by_what_is_loaded(code: str, host: str):
    environ = {k: v for k, v in os.environ.items() if not k.startswith("VSCODE")}
    program = f"{code}\nfrom easymodel_nb import environment as e\nprint(e.host(), e.boot_id())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ
    )
    assert done.stdout.split(maxsplit=1) == [host, f"{environment.boot_id()}\n"]


def test_the_device_has_a_name_and_a_size():
    device = environment.device()
    assert device.memory_bytes > 2**20
    assert device.name
