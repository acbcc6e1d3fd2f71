"""The store and kill -9: what was acknowledged is there, and nothing torn is shown."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def killed(folder: Path, kills: int, *, lines: int, seed: int, later: bool) -> dict[str, Any]:
    """What came of a campaign: `kills` by chance, and one at each `lines`th line and byte."""
    arguments = [str(folder), str(kills), str(seed), str(lines), *(["later"] if later else [])]
    done = subprocess.run(
        [sys.executable, str(HERE / "store_killer.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize("later", [False, True], ids=["this version", "migrating"])
def test_killed_anywhere_nothing_that_was_acknowledged_is_lost(tmp_path: Path, *, later: bool):
    report = killed(tmp_path, 15, lines=149, seed=1, later=later)
    assert report["lost"] == []
    assert report["kills"] >= 50
    assert report["acknowledged"] >= 30
    assert set(report["unfinished"]) >= {"create", "edit", "run", "delete", "restore", "move"}
    assert bool(report["backups"]) == later
