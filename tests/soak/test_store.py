"""The store's long form: killed by the hundred, at each line of its code and byte of a slot."""

import os
import sys
from pathlib import Path

import pytest
from test_store_kill import killed
from test_store_together import together

SCALE = float(os.environ.get("EASYMODEL_SOAK", "1"))


@pytest.mark.parametrize("later", [False, True], ids=["this version", "migrating"])
def test_five_hundred_kills_and_more(tmp_path: Path, *, later: bool):
    report = killed(tmp_path, int(400 * SCALE), lines=3, seed=2, later=later)
    sys.stdout.write(f"{report}\n")
    assert report["lost"] == []
    assert report["kills"] >= 500 * SCALE


def test_four_kernels_of_four_threads(home: Path):
    conflicts = together(home, names="pqrs", edits=int(40 * SCALE), threads=4)
    sys.stdout.write(f"{int(40 * SCALE) * 16} changes acknowledged, {conflicts} conflicts\n")
    assert conflicts > 0
