"""A version that was withdrawn does not stand between a fresh clone and its set-up."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "constraints.py"


def offer(folder: Path, name: str, version: str) -> None:
    """Put a distribution without any files of its own in a folder that pip looks in."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")


def test_what_the_registry_no_longer_has_is_left_out_and_named(tmp_path: Path):
    for name, version in (("here", "1.0"), ("newer", "2.10"), ("last", "3.0")):
        offer(tmp_path / "offered", name, version)
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(SCRIPT, tmp_path / "scripts")
    pins = "# tested\nhere==1.0\nnewer==4.1.2\nlast==3.0\ngone==1.1\ntorch==2.13.0\n"
    (tmp_path / "constraints.txt").write_text(pins)
    alone = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "offered"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    target = tmp_path / "taken.txt"
    told = subprocess.run(
        [sys.executable, script, target],
        env={**os.environ, **alone},
        capture_output=True,
        text=True,
        check=True,
    )
    assert target.read_text() == "here==1.0\nlast==3.0\ntorch==2.13.0\n"
    assert "newer==4.1.2 is not to be had here" in told.stdout
    assert "gone==1.1 is not to be had here" in told.stdout
