"""What a node tells of a source on the Hub, and what a typed text finds, through the real client.

The client reads HF_ENDPOINT when it is imported: the questions are asked in a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_hub import TOKEN, Hub
from stock import MODEL, stocked_hub
from web import Files, Server, serving

ASKING = Path(__file__).with_name("asking.py")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with stocked_hub() as server:
        yield server


class Studio:
    """Asks in a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, ASKING, folder / "home"],
            env=os.environ | environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            pytest.fail(self.close())
        return json.loads(line)

    def model(self, source: str, **data: Any) -> Any:
        return self.ask("look", kind="model", data={"source": source, **data})

    def dataset(self, source: str, **data: Any) -> Any:
        return self.ask("look", kind="dataset", data={"source": source, **data})

    def suggest(self, text: str, kind: str = "model", task: str | None = None) -> Any:
        return self.ask("suggest", text=text, kind=kind, task=task)

    def close(self) -> str:
        """What it wrote to stderr."""
        return self._process.communicate(timeout=60)[1]


@contextmanager
def studio(environment: dict[str, str], folder: Path) -> Iterator[Studio]:
    folder.mkdir(parents=True, exist_ok=True)
    opened = Studio(environment, folder)
    yield opened
    assert opened.close() == ""  # nothing lands in whatever cell ran last


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looks")


@pytest.fixture(scope="module")
def online(hub: Hub, folder: Path) -> Iterator[Studio]:
    with studio(hub.environment(folder / "cache"), folder) as opened:
        yield opened


@pytest.fixture
def asked(hub: Hub, online: Studio) -> Iterator[Studio]:
    """A studio without a token, and a Hub that works; what was asked is counted anew."""
    online.ask("token", token=None)
    online.ask("forget")
    hub.requests.clear()
    hub.searches.clear()
    yield online
    hub.failing = 0


# ------------------------------------------------------------ models


def test_a_model_is_told_by_what_the_trainer_would_fetch(asked: Studio, hub: Hub):
    found = asked.model(MODEL)
    facts = found["facts"]
    assert found["problem"] is None
    assert found["tasks"][0] == "generation"
    assert facts["Architecture"] == "GPT2LMHeadModel"
    assert facts["Licence"] == "mit"
    assert facts["Access"] == "open to all"
    assert facts["Revision"].startswith("main (")
    assert "M" in facts["Parameters"]
    assert found["lines"][0] == f"{facts['Parameters']} parameters, GPT2LMHeadModel"
    assert found["lines"][1].startswith("mit, ")
    assert facts["Download"].endswith("to download")
    assert found["page"] == f"{hub.url}/{MODEL}"
    read = [path for _, path, _ in hub.requests if "/resolve/" in path]
    assert {path.rsplit("/", 1)[-1] for path in read} == {"config.json"}


def test_nothing_is_asked_twice(asked: Studio, hub: Hub):
    first = asked.model(MODEL, revision="v1")
    hub.requests.clear()
    assert asked.model(MODEL, revision="v1") == first
    assert hub.requests == []


def test_an_encoder_is_told_by_its_own_config(asked: Studio):
    assert asked.model("someone/tiny-bert")["tasks"] == ["classification", "token_classification"]


def test_a_wrong_name_is_met_with_near_ones(asked: Studio):
    problem = asked.model("someone/tiny-modle")["refused"]
    assert (problem["code"], problem["field"]) == ("hub.not_found", "source")
    assert f"Did you mean {MODEL}" in problem["message"]
    assert problem["fix"]["set"][0]["value"] == MODEL


def test_a_name_like_no_other_is_only_refused(asked: Studio):
    problem = asked.model("someone/zzzzqqqq")["refused"]
    assert problem["message"].endswith("Check the spelling.")
    assert problem["fix"] is None


def test_a_revision_that_is_not_there_is_a_problem_of_that_field(asked: Studio):
    problem = asked.model(MODEL, revision="v9")["refused"]
    assert (problem["code"], problem["field"]) == ("hub.revision", "revision")
    assert problem["fix"]["set"][0] == {"node": "", "field": "revision", "value": None}


def test_a_gated_model_says_what_to_do_and_opens_with_the_token(asked: Studio, hub: Hub):
    closed = asked.model("someone/gated-tiny")
    problem = closed["problem"]
    assert (problem["code"], problem["severity"]) == ("hub.gated", "error")
    assert "accept its terms" in problem["message"]
    assert problem["fix"]["command"] == "look_again"
    assert closed["facts"]["Access"] == "gated: not yet granted"
    assert "parameters" in closed["lines"][0]  # what is public is told all the same
    asked.ask("token", token=TOKEN)
    asked.ask("forget")
    opened = asked.model("someone/gated-tiny")
    assert opened["problem"] is None
    assert opened["facts"]["Access"] == "gated: granted"
    assert TOKEN not in json.dumps([closed, opened])
    assert any(h.get("authorization") == f"Bearer {TOKEN}" for h in lowered(hub))


def lowered(hub: Hub) -> list[dict[str, str]]:
    return [{k.lower(): v for k, v in headers.items()} for *_, headers in hub.requests]


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("someone/tiny-gguf", "model.weights", "no weights that can be trained here"),
        ("someone/adapter", "model.adapter", "the model it was trained on"),
        ("someone/secret", "hub.not_found", "needs a token"),
    ],
)
def test_what_cannot_be_trained_is_refused(asked: Studio, name: str, code: str, says: str):
    found = asked.model(name)
    problem = found.get("refused") or found["problem"]
    assert problem["code"] == code
    assert says in problem["message"]


# ------------------------------------------------------------ datasets


def test_a_small_dataset_is_read_whole(asked: Studio):
    found = asked.dataset("someone/rows")
    assert found["total_rows"] == 40
    assert found["columns"] == ["prompt", "target"]
    assert len(found["rows"]) == 20
    assert found["splits"] == [{"name": "train", "rows": 40}]
    assert found["configs"] == []
    assert found["lines"][0].startswith("40 rows")


def test_one_of_several_configurations_must_be_chosen(asked: Studio):
    found = asked.dataset("someone/several")
    problem = found["problem"]
    assert found["configs"] == ["short", "long"]
    assert (problem["code"], problem["field"]) == ("dataset.config", "config")
    assert "2 configurations: short, long" in problem["message"]
    assert problem["fix"]["set"][0]["value"] == "short"
    chosen = asked.dataset("someone/several", config="long")
    assert (chosen["problem"], chosen["total_rows"]) == (None, 40)
    wrong = asked.dataset("someone/several", config="shrt")["problem"]
    assert "no configuration 'shrt'" in wrong["message"]
    assert wrong["fix"]["set"][0]["value"] == "short"


def test_of_a_large_one_the_first_rows_are_read(asked: Studio, folder: Path):
    found = asked.dataset("someone/large")
    assert found["problem"] is None
    assert found["rows"][0] == ["Say 0:", " 0."]
    assert found["splits"] == [{"name": "train", "rows": 300_000}, {"name": "test", "rows": 40}]
    assert found["total_rows"] == 300_000
    assert found["lines"][0] == "300,000 rows by its card; the first are shown"
    kept = [path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file()]
    assert max(kept) < 1_000_000  # of eleven million bytes


def test_a_gated_dataset_and_one_with_a_script(asked: Studio):
    problem = asked.dataset("someone/gated-rows")["problem"]
    assert problem["code"] == "hub.gated"
    assert asked.dataset("someone/scripted")["refused"]["code"] == "source.script"
    asked.ask("token", token=TOKEN)
    asked.ask("forget")
    assert asked.dataset("someone/gated-rows")["total_rows"] == 40


# ------------------------------------------------------------ suggestions


def test_what_is_typed_is_searched_for_and_marked(asked: Studio, hub: Hub):
    found = asked.suggest("tiny", task="generation")
    hits = {item["source"]: item for item in found["items"] if item["origin"] == "hub"}
    assert MODEL in hits
    assert "someone/tiny-bert" not in hits
    kind, query = hub.searches[0]
    assert (kind, query["search"], query["pipeline_tag"]) == ("models", "tiny", "text-generation")
    assert "gated" in hits["someone/gated-tiny"]["detail"]
    again = asked.suggest("tiny", task="generation")
    assert again == found
    assert len(hub.searches) == 1


def test_the_task_decides_which_models_are_named(asked: Studio):
    names = [i["source"] for i in asked.suggest("tiny-b", task="classification")["items"]]
    assert "someone/tiny-bert" in names


def test_datasets_are_found_too(asked: Studio):
    found = asked.suggest("sever", kind="dataset", task="generation")
    assert [i["source"] for i in found["items"] if i["source"] == "someone/several"]


def test_a_path_is_never_sent_to_the_hub(asked: Studio, hub: Hub, folder: Path):
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "config.json").write_text('{"model_type": "gpt2"}')
    found = asked.suggest("./mi")
    assert [(i["source"], i["origin"]) for i in found["items"]] == [("./mine", "folder")]
    assert hub.searches == []


# ------------------------------------------------------------ without the Hub


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_of_the_hub_is_one_line_and_asked_again_when_wanted(
    asked: Studio, hub: Hub, status: int
):
    asked.model(MODEL)  # its config is in the cache now, its weights are not
    asked.ask("forget")
    hub.failing = status
    found = asked.model(f"someone/other-{status}")
    assert found["problem"]["severity"] == "note"
    assert found["offline"].startswith("The Hub")
    assert "\n" not in found["offline"]
    said = asked.suggest(f"nothing-{status}")["offline"]
    assert said == found["offline"]
    hub.failing = 0
    asked.ask("forget")
    assert asked.model(f"someone/other-{status}")["refused"]["code"] == "hub.not_found"


def test_offline_the_cache_tells_what_is_here(hub: Hub, folder: Path, tmp_path: Path):
    cache = folder / "fetched"
    fetch = (
        "from huggingface_hub import snapshot_download as get;"
        f"get({MODEL!r}); get('someone/rows', repo_type='dataset')"
    )
    environment = os.environ | hub.environment(cache)
    subprocess.run([sys.executable, "-c", fetch], env=environment, check=True, capture_output=True)
    switched_off = hub.environment(cache) | {"HF_HUB_OFFLINE": "1"}
    with (
        serving() as unasked,
        studio(switched_off | {"HF_ENDPOINT": unasked.url}, tmp_path) as asked,
    ):
        found = asked.model(MODEL)
        assert found["problem"] is None
        assert found["offline"].startswith("Offline mode is on")
        assert found["facts"]["Architecture"] == "GPT2LMHeadModel"
        assert found["lines"][1] == "mit, in the local cache"
        data = asked.dataset("someone/rows")
        assert (data["total_rows"], data["problem"]) == (40, None)
        listed = asked.suggest("tiny")
        assert [(i["source"], i["origin"], i["offline"]) for i in listed["items"]] == [
            (MODEL, "cache", True)
        ]
        assert listed["offline"].startswith("Offline mode is on")
        absent = asked.model("someone/elsewhere")
        assert absent["problem"]["severity"] == "note"
        assert "not on this machine" in absent["problem"]["message"]
        assert unasked.requests == []


def test_a_dead_network_and_a_page_in_place_of_the_hub(tmp_path: Path, hub: Hub):
    cache = tmp_path / "cache"
    nowhere = hub.environment(cache) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    with studio(nowhere, tmp_path / "dead") as asked:
        found = asked.model(MODEL)
        assert "cannot be reached" in found["offline"]
        assert found["problem"]["fix"]["command"] == "look_again"
    with serving(lambda: Server(Files)) as hotel:
        hotel.files[f"/api/models/{MODEL}"] = b"<html>Please log in to our network</html>"
        there = hub.environment(cache) | {"HF_ENDPOINT": hotel.url}
        with studio(there, tmp_path / "hotel") as asked:
            assert "cannot be reached" in asked.model(MODEL)["offline"]
