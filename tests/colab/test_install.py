"""Installing replaces nothing that a running Colab kernel has imported already."""

import json
import os
import subprocess
from pathlib import Path


def test_pip_would_install_nothing_but_us(colab_python: Path, wheel: Path):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [colab_python, "-m", "pip", "install", "--dry-run", "--quiet", "--report", "-", wheel],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    plan = json.loads(done.stdout)
    # With none installed yet, or another build of the same version, we are on the list or not;
    # nobody else may be.
    assert {item["metadata"]["name"] for item in plan["install"]} <= {"easymodel-nb"}


def test_the_command_is_installed(installed: Path, tmp_path: Path):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [installed.with_name("easymodel"), "doctor", "--home", tmp_path],
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ipywidgets 7.7.1" in done.stdout
    assert "The studio's interface is installed" in done.stdout
