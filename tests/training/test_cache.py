"""Tokenised rows are kept: used again by the next run, made again whenever anything differs."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import small
from tiny_seq2seq import byte_tokenizer, save
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from easymodel_nb import builtin
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import cache
from easymodel_nb.train.api import train
from easymodel_nb.train.cache import Rows, cached, digest, tokenizer_digest

SCHEMA = pa.schema(
    [("ids", pa.list_(pa.int32())), ("scored", pa.list_(pa.bool_())), ("n", pa.int64())]
)
KEY = "0" * 64


def batch(rows: list[tuple[list[int], list[bool], int]]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.record_batch(
        [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


class Build:
    """Gives two batches and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Iterator[pa.RecordBatch]:
        self.calls += 1
        yield batch([([1, 2], [False, True], 5), ([], [], 6)])
        yield batch([([3], [True], 7)])


def entries(home: Path) -> list[Path]:
    return sorted((home / "cache" / "tokens").iterdir())


# ------------------------------------------------------------ runs


class Counted:
    """How many texts tokenizers were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts = 0
        plain = PreTrainedTokenizerBase.__call__

        def call(this: Any, text: Any = None, *args: Any, **options: Any) -> Any:
            given = text if text is not None else options.get("text_target")
            self.texts += len(given) if isinstance(given, list) else 1
            return plain(this, text, *args, **options)

        monkeypatch.setattr(PreTrainedTokenizerBase, "__call__", call)

    def since(self) -> int:
        count, self.texts = self.texts, 0
        return count


def trained(source: str, **fields: Any) -> Run:
    (run,) = train(small(source, **{"epochs": 1, **fields}))
    assert run.status == "finished", run.view.detail
    return run


def numbers(run: Run) -> tuple[Any, ...]:
    points = [point.analytics.model_dump() for point in run.view.points]
    for point in points:  # where the base's numbers are from, and what they took, may differ
        point.get("details", {}).pop("baseline", None)
        point.get("details", {}).pop("budget", None)
    return [point.loss for point in run.view.curve], points, run.samples().to_dict()


@pytest.mark.parametrize("what", ["prompts", "text", "chat", "pairs"])
def test_the_second_run_tokenises_no_row(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, what: str
):
    turns = [{"role": "user", "content": "Say"}, {"role": "assistant", "content": "It"}]
    row: dict[str, dict[str, Any]] = {
        "prompts": {"prompt": "Ask {n}", "target": " reply {n}"},
        "text": {"text": "A text of number {n}, and more of it."},
        "chat": {"messages": turns},
        "pairs": {"prompt": "Ask {n}", "target": "reply {n}"},
    }
    path = tmp_path / "rows.jsonl"
    lines = [
        json.dumps(row[what]).replace("{n}", str(n)).replace("Say", f"Say {n}") for n in range(60)
    ]
    path.write_text("\n".join(lines))
    fields: dict[str, Any] = {"subset_size": 60}
    if what == "pairs":
        fields |= {"task": "seq2seq", "model": str(save("t5", tmp_path / "model"))}
    counted = Counted(monkeypatch)
    first = trained(str(path), **fields)
    made = counted.since()
    assert made >= 60
    kept = entries(home)
    assert len(kept) == 2  # train and validation
    second = trained(str(path), **fields)
    # What is left are the sampled prompts and a few probes, no row.
    assert counted.since() <= made - 60
    assert entries(home) == kept
    assert numbers(second) == numbers(first)


def test_what_ids_depend_on_makes_them_anew(home: Path):
    trained("builtin:requests")
    known = set(entries(home))
    assert len(known) == 2
    for changed in (
        {"max_length": 48},
        {"subset_size": 30},
        {"template": "Say: {prompt}", "target_field": "target"},
    ):
        trained("builtin:requests", **changed)
        now = set(entries(home))
        assert now > known
        known = now
    trained("builtin:requests", learning_rate=1e-3, epochs=2)
    assert set(entries(home)) == known


def test_a_run_goes_on_without_a_cache(home: Path, monkeypatch: pytest.MonkeyPatch):
    whole = trained("builtin:requests")
    shutil.rmtree(home / "cache")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.pa, "OSFile", full)
    run = trained("builtin:requests")
    assert numbers(run) == numbers(whole)
    assert run.view.warnings == whole.view.warnings
    assert "No space left on device" in (run.folder / "log.txt").read_text()
    assert not entries(home)


def test_a_cache_that_is_deleted_meanwhile_is_not_missed(home: Path):
    from small_runs import Ear, stage

    ear = Ear()
    ear.when(stage("training"), lambda: shutil.rmtree(home / "cache"))
    whole = trained("builtin:requests")
    from easymodel_nb.train.manager import manager_of

    manager = manager_of(home)
    (run,) = manager.submit(small("builtin:requests", epochs=1), None, token=None, on_event=ear)
    run = manager.wait(run.id)
    assert run.status == "finished", run.view.detail
    assert not (home / "cache").exists()
    assert numbers(run) == numbers(whole)


# ------------------------------------------------------------ entries


def test_rows_are_built_once(tmp_path: Path):
    build = Build()
    first = cached(tmp_path, KEY, SCHEMA, build)
    second = cached(tmp_path, KEY, SCHEMA, build)
    assert build.calls == 1
    assert first.equals(second)
    assert first.num_rows == 3
    cached(tmp_path, "1" * 64, SCHEMA, build)
    assert build.calls == 2
    names = {file.suffix for entry in entries(tmp_path) for file in entry.iterdir()}
    assert names == {".arrow", ".json"}  # nothing that runs code when it is read


def test_an_entry_is_mapped_not_read(tmp_path: Path):
    cached(tmp_path, KEY, SCHEMA, Build())
    before = pa.total_allocated_bytes()
    table = cached(tmp_path, KEY, SCHEMA, Build())
    assert table.nbytes > 0
    assert pa.total_allocated_bytes() == before


@pytest.mark.parametrize(
    "harm", ["short", "long", "garbage", "no meta", "bad meta", "no rows", "file"]
)
def test_a_damaged_entry_is_made_again(tmp_path: Path, harm: str):
    build = Build()
    cached(tmp_path, KEY, SCHEMA, build)
    whole = pa.Table.from_batches(Build()())
    (entry,) = entries(tmp_path)
    rows, meta = entry / "rows.arrow", entry / "entry.json"
    data = rows.read_bytes()
    if harm == "short":
        rows.write_bytes(data[:-20])
    elif harm == "long":
        rows.write_bytes(data + b"\0")
    elif harm == "garbage":
        rows.write_bytes(b"x" * len(data))
    elif harm == "no meta":
        meta.unlink()
    elif harm == "bad meta":
        meta.write_text("{")
    elif harm == "no rows":
        rows.unlink()
    else:
        shutil.rmtree(entry)
        entry.write_text("not a folder")
    again = cached(tmp_path, KEY, SCHEMA, build)
    assert build.calls >= 2
    assert again.equals(whole)


def test_other_columns_are_made_again(tmp_path: Path):
    cached(tmp_path, KEY, SCHEMA, Build())
    other = pa.schema([("n", pa.int64())])
    rows = pa.record_batch([pa.array([1])], schema=other)
    assert cached(tmp_path, KEY, other, lambda: iter([rows])).schema.equals(other)


def test_what_fails_while_it_is_built_leaves_nothing(tmp_path: Path):
    def failing() -> Iterator[pa.RecordBatch]:
        yield batch([([1], [True], 1)])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, KEY, SCHEMA, failing)
    assert not entries(tmp_path)
    assert cached(tmp_path, KEY, SCHEMA, Build()).num_rows == 3


def test_a_home_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "cache").write_text("a file stands here")
    build = Build()
    assert cached(tmp_path, KEY, SCHEMA, build).num_rows == 3
    assert build.calls == 1


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_cache import KEY, SCHEMA, Build
from easymodel_nb.train.cache import cached
print("ready", flush=True)
sys.stdin.readline()
print(cached(Path(sys.argv[1]), KEY, SCHEMA, Build()).num_rows, flush=True)
"""


def test_two_processes_at_once(tmp_path: Path):
    here = str(Path(__file__).parent)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([here, str(Path(cache.__file__).parents[2])])
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        out, _ = process.communicate(timeout=120)
        assert (out, process.returncode) == ("3\n", 0)
    assert [entry.name for entry in entries(tmp_path)] == [KEY]


def test_the_longest_unused_leave_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(4):
        cached(tmp_path, str(number) * 64, SCHEMA, Build())
    for age, number in enumerate("2031"):
        meta = tmp_path / "cache" / "tokens" / (number * 64) / "entry.json"
        os.utime(meta, (time.time() - 1000 + age, time.time() - 1000 + age))
    cached(tmp_path, "0" * 64, SCHEMA, Build())  # used again, so the youngest
    torn = tmp_path / "cache" / "tokens" / "part-old"
    torn.mkdir()
    os.utime(torn, (0, 0))
    size = (entries(tmp_path)[0] / "rows.arrow").stat().st_size
    monkeypatch.setattr(cache, "LIMIT_BYTES", 3 * size)
    cached(tmp_path, "4" * 64, SCHEMA, Build())
    assert [entry.name[0] for entry in entries(tmp_path)] == ["0", "1", "4"]


# ------------------------------------------------------------ keys


def test_a_digest_depends_on_every_value_and_its_place():
    found = [
        digest(values)
        for values in (["a", "b"], ["ab"], ["b", "a"], ["a", ["b"]], [["a", "b"]], ["a", "b", None])
    ]
    assert len(set(found)) == len(found)
    assert digest(["a", {"x": 1, "y": 2}]) == digest(iter(["a", {"y": 2, "x": 1}]))


def test_a_tokenizer_s_digest_is_its_content_s(tmp_path: Path):
    tokenizer = AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))
    found = tokenizer_digest(tokenizer)
    tokenizer(["a", "bb"], padding=True, truncation=True, max_length=5)
    assert tokenizer_digest(tokenizer) == found  # a call changes nothing
    tokenizer.save_pretrained(tmp_path / "copy")
    again = AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))
    assert tokenizer_digest(again) == found
    again.add_tokens(["zzz"])
    assert tokenizer_digest(again) != found
    other = AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))
    other.chat_template = "{{ messages }}"
    assert tokenizer_digest(other) != found
    digests = {tokenizer_digest(byte_tokenizer(around)) for around in ("$A", "$A </s>", "<s> $A")}
    assert len(digests) == 3


# ------------------------------------------------------------ rows


ROWS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 2**31 - 1), max_size=5),
        st.lists(st.booleans(), max_size=5),
        st.integers(-5, 5),
    ),
    max_size=8,
)


@given(ROWS, st.integers(1, 4))
def test_rows_are_those_of_the_table(rows: list[Any], size: int):
    pieces = [batch(rows[start : start + size]) for start in range(0, len(rows), size)]
    found = Rows(pa.Table.from_batches(pieces, schema=SCHEMA), lambda *values: values)
    assert len(found) == len(rows)
    assert list(found) == rows
    assert found[1:-1] == rows[1:-1]
    assert [found[-1 - n] for n in range(len(rows))] == rows[::-1]
    with pytest.raises(IndexError):
        found[len(rows)]


@given(st.lists(st.integers(0, 900_000), max_size=1200))
def test_chunks_hold_every_row_once_and_little_text(sizes: list[int]):
    from easymodel_nb.train.tasks.task import _CHARACTERS, _CHUNK, _chunks

    class Text(str):
        """As long as it says, without the memory."""

        __slots__ = ("size",)

        def __len__(self) -> int:
            return self.size

    rows = []
    for size in sizes:
        rows.append((Text(), None))
        rows[-1][0].size = size
    chunks = list(_chunks(rows))
    assert [place for start, stop in chunks for place in range(start, stop)] == list(
        range(len(rows))
    )
    for start, stop in chunks:
        assert 1 <= stop - start <= _CHUNK
        assert sum(sizes[start : stop - 1]) <= _CHARACTERS
