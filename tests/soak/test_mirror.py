"""Two machines on one bad synced folder for long, and many kills of a process that saves to one.

EASYMODEL_SOAK scales both, 400 storms and 60 kills where it is 1. A failure names its seed;
EASYMODEL_SEED tries it again.
"""

import os
import random
from pathlib import Path

from figures import keep
from storm import STEPS, Storm
from test_mirror_killed import brought, live_and_die

SCALE = float(os.environ.get("EASYMODEL_SOAK") or 1)
STORMS, KILLS, STEPS_EACH = round(400 * SCALE), round(60 * SCALE), 60
SEED = int(os.environ.get("EASYMODEL_SEED") or random.randrange(10**6))


def test_storms_lose_no_acknowledged_change():
    changes = copies = machines = 0
    for seed in range(SEED, SEED + STORMS):
        dice = random.Random(seed)
        with Storm(seed) as storm:
            try:
                for _ in range(STEPS_EACH):
                    storm.step(dice.randrange(2), dice.choice(STEPS))
                storm.settle()
                storm.check()
            except AssertionError as error:
                raise AssertionError(f"EASYMODEL_SEED={seed}: {error}") from error
            changes += len(storm.expected)
            machines += storm.lost
            copies += sum(
                " (from " in info.name for info in storm.machines[0].store.list_projects()
            )
    assert changes > STORMS
    assert copies > 0  # or nothing ever diverged
    keep(
        "storms over two machines",
        {
            "seed": SEED,
            "storms": STORMS,
            "steps": STORMS * STEPS_EACH,
            "changes": changes,
            "beside": copies,
            "machines_lost": machines,
            "lost": 0,
        },
    )


def test_killed_while_saving_many_times(tmp_path: Path):
    dice, drive, acknowledged = random.Random(SEED), tmp_path / "Drive", set[str]()
    home = tmp_path / "home"
    for number in range(KILLS):
        acknowledged |= set(live_and_die(home, drive, dice))
        assert acknowledged <= brought(tmp_path / f"fresh-{number}", drive), f"seed {SEED}"
        if dice.random() < 0.2:
            home = tmp_path / f"home-{number}"
    keep(
        "killed while saving to a synced folder",
        {"seed": SEED, "kills": KILLS, "acknowledged": len(acknowledged), "lost": 0},
    )
