"""What the benchmark against other trainers makes of its results."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from peers import results, run, tables
from peers.launch import FORMS
from peers.results import Results, Row
from peers.workloads import WORKLOADS


def timed(rate: float, *, padding: float = 0.0) -> dict[str, Any]:
    """A run of 2 steps of 100 real tokens after 1 of warm-up, at so many tokens a CPU second."""
    marks = [
        {"cpu": 100 * i / rate, "wall": 200 * i / rate, "tokens": 100 * i}
        | {"computed": 100 * i / (1 - padding)}
        for i in range(4)
    ]
    return {"window": [1, 3], "marks": marks, "peak_training_bytes": 2_000_000_000}


def learned(losses: dict[int, float], seconds: float) -> dict[str, Any]:
    """A run whose steps take so many CPU seconds each."""
    marks = [{"cpu": 7 + seconds * i} for i in range(max(losses) + 1)]
    return {
        "losses": {str(step): loss for step, loss in losses.items()},
        "marks": marks,
        "steps": max(losses),
    }


def test_rates_are_those_of_the_window_alone():
    found = timed(50, padding=0.2)
    found["marks"][0]["cpu"] = -1000  # before the warm-up
    rates = results.speed(found)
    assert rates["tokens_per_cpu"] == pytest.approx(50)
    assert rates["tokens_per_second"] == pytest.approx(25)
    assert rates["cpu_per_step"] == pytest.approx(2)
    assert rates["padding"] == pytest.approx(0.2)


def test_the_time_to_a_loss_lies_between_the_points_that_saw_it():
    found = learned({10: 3.0, 20: 2.0, 30: 1.0}, 0.5)
    assert results.seconds_to(found, 3.5) == 5
    assert results.seconds_to(found, 2.5) == pytest.approx(7.5)
    assert results.seconds_to(found, 1.0) == 15
    assert results.seconds_to(found, 0.9) is None


def test_a_page_says_who_is_faster_and_what_is_missing(tmp_path: Path):
    kept = Results(tmp_path)
    for number, (base, ours) in enumerate(((100, 300), (50, 100), (100, 250)), 1):
        kept.put(Row("speed", "gsm8k", "hf", number), timed(base))
        kept.put(Row("speed", "gsm8k", "ours", number), timed(ours))
    kept.put(Row("speed", "gsm8k", "trl", 1), {"error": "no wheel of it"})
    for peer, loss, seconds in (("hf", 2.0, 1), ("ours", 1.9, 0.5), ("llamafactory", 2.1, 1)):
        kept.put(Row("loss", "gsm8k", peer, 1), learned({100: 3.0, 200: loss}, seconds))
    page = tables.Page(kept, FORMS["full"])
    summary = page.summary().splitlines()
    assert (
        "| 2.50 (2.00 to 3.00) | not run yet | 2.2 | 2.50 (2.00 to 3.00), HF Trainer" in summary[2]
    )
    assert "-5.00% (1 seed)" in summary[2]
    assert summary[3].count("not run yet") == 4
    assert page.brief().splitlines()[2:4] == [
        "| GSM8K, answers only | 2.5 |  |  |  |",
        "| Tiny Shakespeare by speech |  |  |  |  |",
    ]
    table = page.workload("gsm8k")
    (first, second, *_), end = table.splitlines()[4:], table.splitlines()[-1]
    assert first.startswith("| **EasyModel** | 250 (100 to 300) ")
    assert second.startswith("| HF Trainer, defaults | 100 (50 to 100) |")
    assert "| failed, see below |" in table
    assert end == "- EasyModel's steps held 16.0 rows on average."
    assert table.splitlines()[-2] == "- TRL SFTTrainer, defaults but bf16 off: no wheel of it"
    (line,) = (one for one in table.splitlines() if one.startswith("| LLaMA-Factory"))
    assert line.endswith("| 2.1000 | no: +5.0% |")
    theirs = 200 - 100 * (2.02 - 2.0) / 1.0  # within 1 % of the loss they end with
    reached = (200 - 100 * (2.02 - 1.9) / 1.1) * 0.5
    taken = f"{theirs:.0f} CPU-s | {reached:.0f} CPU-s | {theirs / reached:.2f} |"
    assert f"| 2.0200 | {taken}" in page.times()


def test_a_failed_run_is_kept_and_a_half_written_one_is_none(tmp_path: Path):
    kept, row = Results(tmp_path), Row("speed", "gsm8k", "ours", 2)
    (tmp_path / f"{row.name}.part").write_text("{")
    assert kept.get(row) is None
    kept.put(row, {"error": "why"})
    assert kept.get(row) == {"error": "why"}


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("gsm8k", True),
        ("gsm8k:ours", True),
        (":ours", True),
        ("speed", True),
        ("loss", False),
        ("slots", False),
        (":hf", False),
        ("gsm8k-plain", False),
    ],
)
def test_rows_are_chosen_by_name(name: str, *, chosen: bool):
    assert Row("speed", "gsm8k", "ours", 1).chosen([name]) is chosen


def test_rounds_go_there_and_back():
    todo = run.rows(FORMS["full"])
    one, two = (
        [(row.workload, row.peer) for row in todo if row.mode == "speed" and row.number == number]
        for number in (1, 2)
    )
    assert one == two[::-1]
    assert {workload for workload, _ in one} == {*WORKLOADS}
    seeds = {row.number for row in todo if row.mode == "loss" and row.peer == "ours"}
    assert seeds == {1, 2, 3}
    assert len({row.name for row in todo}) == len(todo)
