"""Folders for the moment: gone at the end, and after a kill with the next one."""

import signal
import subprocess
import sys
from pathlib import Path

from easymodel_nb.train.scratch import scratch

HELD = """
import sys
from pathlib import Path
from easymodel_nb.train.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "large").write_text("rows")
    print(folder, flush=True)
    sys.stdin.read()
"""


def held(home: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with such a folder open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_empty_and_gone_at_the_end(tmp_path: Path):
    with scratch(tmp_path) as folder, scratch(tmp_path) as other:
        assert folder != other
        assert folder.is_relative_to(tmp_path)
        assert not list(folder.iterdir())
        (folder / "file").write_text("x")
    assert not folder.exists()
    assert not other.exists()


def test_what_a_killed_process_left_is_removed_and_no_other(tmp_path: Path):
    killed, left = held(tmp_path)
    living, kept = held(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (left / "large").exists()
    with scratch(tmp_path):
        assert not left.exists()
        assert (kept / "large").exists()
    assert living.communicate("")[0] == ""
    assert not kept.exists()


def test_a_home_that_cannot_be_written_has_it_elsewhere(tmp_path: Path):
    home = tmp_path / "file"
    home.write_text("no folder")
    with scratch(home) as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(home)
    assert not folder.exists()
