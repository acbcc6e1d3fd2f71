"""Every real set in ../shared/data opens with the rows and columns that its README names."""

import os
from pathlib import Path

import pytest

from easymodel_nb.train.data.files import read_file
from easymodel_nb.train.data.folders import read_folder
from easymodel_nb.train.data.reading import Reading
from easymodel_nb.train.roles import class_names

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("EASYMODEL_SHARED") or ROOT.parent / "shared") / "data"
SETS: dict[str, tuple[dict[str, int], list[str]]] = {
    "tinyshakespeare": ({"train": 7222}, ["text"]),  # speeches between blank lines
    "gsm8k": ({"train": 3000, "validation": 500}, ["question", "answer"]),
    "sgd_chat": ({"train": 1200, "validation": 200}, ["dialogue_id", "services", "messages"]),
    "xquad_en": ({"train": 1190}, ["id", "title", "context", "question", "answers"]),
    "banking77": ({"train": 4000, "validation": 500}, ["text", "label"]),
    "snips_intents": ({"train": 3010, "validation": 245}, ["utterance", "intent"]),
    "wisesight_th": ({"train": 3500}, ["message", "sentiment"]),
    "e2e_nlg": ({"train": 3000, "validation": 500}, ["mr", "ref", "fixed", "orig_mr"]),
    "ntrex_en_de": ({"train": 970, "validation": 192}, ["translation"]),
    "wnut17": ({"train": 3394, "validation": 500}, ["tokens", "tags"]),
    "snips_slots": (
        {"train": 3010, "validation": 454},
        ["tokens", "slot_tags", "text", "intent"],
    ),
}


@pytest.fixture(autouse=True)
def _there() -> None:
    if not SHARED.is_dir():
        if os.environ.get("CI") == "1" and os.environ.get("EASYMODEL_SHARED"):
            pytest.fail(f"EASYMODEL_SHARED is set, and there is no {SHARED}")
        pytest.skip(f"the real data sets are not at {SHARED}; set EASYMODEL_SHARED")


@pytest.mark.parametrize("name", SETS)
def test_rows_and_columns(tmp_path: Path, name: str):
    rows, columns = SETS[name]
    reading = Reading(cache=tmp_path)
    splits = read_folder(SHARED / name, reading)
    assert {split: table.num_rows for split, table in splits.items()} == rows
    for table in splits.values():
        assert table.column_names == columns
    assert reading.notes == []


def test_every_set_is_looked_at():
    assert {path.name for path in SHARED.iterdir() if path.is_dir()} == set(SETS)


def test_values(tmp_path: Path):
    def train(name: str) -> list[dict[str, object]]:
        return read_folder(SHARED / name, Reading(cache=tmp_path))["train"].to_pylist()

    assert (
        len(class_names(read_folder(SHARED / "banking77", Reading())["train"], "label") or []) == 77
    )
    missing = train("wisesight_th")
    assert sum(row["sentiment"] is None for row in missing) == 40
    assert sum(row["message"] is None for row in missing) == 20
    utterances = [str(row["utterance"]) for row in train("snips_intents")]
    assert any(text != text.strip() for text in utterances)  # verbatim
    tags = {tag for row in train("wnut17") for tag in list(row["tags"])}  # type: ignore[call-overload]
    assert len(tags) == 13
    assert set(train("ntrex_en_de")[0]["translation"]) == {"en", "de"}  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["wisesight_th/wisesight.csv", "xquad_en/xquad.en.json"])
def test_a_file_is_that_file(tmp_path: Path, name: str):
    (rows,) = SETS[name.split("/", maxsplit=1)[0]][0].values()
    assert read_file(SHARED / name, Reading(cache=tmp_path))["train"].num_rows == rows
