"""Of a large Hub dataset only what a run needs is read, through the real client."""

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from fake_hub import Hub, Repo, fake_hub

STREAM_ROWS = Path(__file__).parents[1] / "hub" / "stream_rows.py"
NAMES = ["no", "yes"]
FEATURES = datasets.Features(
    {
        "n": datasets.Value("int64"),
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=NAMES),
    }
)
SHARD, SHARDS = 300, 40  # rows of 4 kB: a shard is 1.2 MB


def rows(start: int, count: int) -> list[dict[str, Any]]:
    draw = random.Random(start)
    return [
        {"n": n, "text": draw.randbytes(2_000).hex(), "label": n % 2}
        for n in range(start, start + count)
    ]


def parquet(start: int, count: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(datasets.Dataset.from_list(rows(start, count), FEATURES).data.table, file)
    return file.getvalue()


def lines(start: int, count: int) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows(start, count)).encode()


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with fake_hub() as server:
        shards = {
            f"data/train-{k:05}-of-{SHARDS:05}.parquet": parquet(k * SHARD, SHARD)
            for k in range(SHARDS)
        }
        held = {"data/validation-00000-of-00001.parquet": parquet(10**6, SHARD)}
        server.datasets["someone/large"] = Repo({"main": shards | held})
        server.datasets["someone/lines"] = Repo({"main": {"train.jsonl": lines(0, 10 * SHARD)}})
        server.datasets["someone/script"] = Repo(
            {"main": {"script.py": b"import datasets\n", "train.jsonl": lines(0, 9)}}
        )
        yield server


def opened(hub: Hub, folder: Path, *cases: dict[str, Any], large: int = 1_000_000) -> list[Any]:
    hub.sent = hub.cdn.sent = 0
    done = subprocess.run(
        [sys.executable, STREAM_ROWS, folder / "home", str(large)],
        input=json.dumps(list(cases)),
        env=os.environ | hub.environment(folder / "cache"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(found) == len(cases), done.stderr
    return found


def case(source: str, finetune: dict[str, Any], **dataset: Any) -> dict[str, Any]:
    return {"dataset": {"source": source, **dataset}, "finetune": finetune}


def test_a_subset_is_read_without_the_rest(hub: Hub, tmp_path: Path):
    wanted = {"subset_size": 50, "eval_size": 20, "seed": 1}
    first, again, other = opened(
        hub,
        tmp_path,
        case("someone/large", wanted),
        case("someone/large", wanted),
        case("someone/large", wanted | {"seed": 2}),
    )
    assert "splits" in first, first
    whole = sum(len(body) for body in hub.datasets["someone/large"].revisions["main"].values())
    assert hub.sent + hub.cdn.sent < 1.5 * whole  # three times half of it
    assert {name: len(split) for name, split in first["splits"].items()} == {
        "train": 50,
        "validation": 50,
    }
    assert first["names"] == {"train": NAMES, "validation": NAMES}
    assert first["splits"] == again["splits"]
    assert first["splits"] != other["splits"]
    numbers = [row["n"] for row in first["splits"]["train"]]
    assert len(set(numbers)) == 50
    assert numbers != sorted(numbers)
    known = {row["n"]: row for k in range(SHARDS) for row in rows(k * SHARD, SHARD)}
    assert all(known[row["n"]] == row for row in first["splits"]["train"])
    assert first["revision"] == hub.datasets["someone/large"].commit("main")
    ((field, reason),) = first["guesses"]
    assert field == "streaming"
    assert "50 rows were drawn" in reason
    assert not first["complete"]


def test_lines_are_read_as_far_as_needed(hub: Hub, tmp_path: Path):
    (found,) = opened(hub, tmp_path, case("someone/lines", {"subset_size": 30}))
    assert len(found["splits"]["train"]) == 30
    assert set(found["splits"]["train"][0]) == {"n", "text", "label"}


def test_without_a_subset_all_of_it_is_read(hub: Hub, tmp_path: Path):
    everything, sliced = opened(
        hub,
        tmp_path,
        case("someone/lines", {"subset_size": None}),
        case("someone/lines", {"subset_size": 20}, train_split="train[-10:]"),
    )
    for found in (everything, sliced):
        assert len(found["splits"]["train"]) == 10 * SHARD
        assert found["complete"]
        assert found["guesses"] == []


def test_a_small_one_is_read_whole(hub: Hub, tmp_path: Path):
    (found,) = opened(
        hub, tmp_path, case("someone/lines", {"subset_size": 20}), large=1_000_000_000
    )
    assert len(found["splits"]["train"]) == 10 * SHARD


@pytest.mark.parametrize("large", [1, 1_000_000_000])
def test_a_loading_script_is_refused(hub: Hub, tmp_path: Path, large: int):
    (problem,) = opened(hub, tmp_path, case("someone/script", {"subset_size": 5}), large=large)
    assert (problem["code"], problem["field"]) == ("source.script", "source")
    assert "never run here" in problem["message"]
    assert "script.py" not in [path.rsplit("/", 1)[-1] for _, path, _ in hub.requests]
