"""The store's long form: killed by the hundred, at each line of its code and byte of a slot."""

import os
import sys
from pathlib import Path

import pytest
from test_store_kill import killed

SCALE = float(os.environ.get("EASYMODEL_SOAK", "1"))


@pytest.mark.parametrize("later", [False, True], ids=["this version", "migrating"])
def test_five_hundred_kills_and_more(tmp_path: Path, *, later: bool):
    report = killed(tmp_path, int(400 * SCALE), lines=3, seed=2, later=later)
    sys.stdout.write(f"{report}\n")
    assert report["lost"] == []
    assert report["kills"] >= 500 * SCALE
