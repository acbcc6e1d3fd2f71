"""A run's model on the Hub: the real client against a Hub of this machine.

What is refused is refused there: after each refusal the Hub is asked what it holds.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import TOKEN, Hub, Repo, fake_hub
from huggingface_hub import metadata_load
from small_runs import small
from writing import ATTRIBUTES, Account

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.log import RunLog
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.takeaway.publish import Push
from easymodel_nb.train.takeaway.publish_errors import Cancelled
from easymodel_nb.train.takeaway.publish_target import RECORD

READ, FINE = "hf_" + "readOnly1" * 4, "hf_" + "fineGrain" * 4
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    small_run = small(epochs=1, subset_size=16, eval_size=8)
    (run,) = train(small_run, home=tmp_path_factory.mktemp("home"))
    assert run.status == "finished"
    return run


@pytest.fixture
def hub(finished: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # its patience
    (finished.folder / RECORD).unlink(missing_ok=True)
    with fake_hub() as server:
        server.accounts[READ] = Account("someone", role="read")
        server.accounts[FINE] = Account("someone", role="fineGrained")
        yield server


@pytest.fixture
def push(finished: Run, hub: Hub) -> Callable[..., Push]:
    def make(repo: str = "my-model", **more: Any) -> Push:
        settings = {"private": True, "token": TOKEN, "endpoint": hub.url, **more}
        return Push(settings.pop("run", finished), repo, **settings)

    return make


def problem(push: Push) -> Problem:
    with pytest.raises(StudioError) as caught:
        push.send()
    (found,) = caught.value.problems
    for secret in (TOKEN, READ, FINE):
        assert secret not in repr(caught.value) + repr(found)
    return found


def copied(run: Run, to: Path) -> Run:
    """The same run in another folder, without what was sent of it."""
    folder = to / run.id
    folder.mkdir()
    for name in ("plan.json", "samples.jsonl", "events.jsonl"):
        (folder / name).write_bytes((run.folder / name).read_bytes())
    (folder / "model").symlink_to(run.model_path)
    return Run(folder)


def ours(files: dict[str, bytes]) -> set[str]:
    return set(files) - set(ATTRIBUTES)


# ------------------------------------------------------------ what works


def test_a_push_is_private_whole_and_verified(push: Callable[..., Push], hub: Hub, finished: Run):
    heard: list[tuple[float, float, str]] = []
    url = push(tick=lambda *said: heard.append(said)).send()
    assert url == f"{hub.url}/someone/my-model"
    repo = hub.models["someone/my-model"]
    assert repo.private
    assert hub.commits == ["someone/my-model"]  # one commit, or none
    there = repo.files(repo.commit("main"))
    model = finished.model_path
    for path in model.iterdir():
        assert there[path.name] == path.read_bytes()
    assert there["licences/model-tiny-gpt2/ATTRIBUTION.tsv"]
    assert b"# my-model" in there["README.md"]
    done = [d for d, _, said in heard if said.startswith("Sending")]
    assert done == sorted(done)
    assert heard[-1][2] == "Comparing what arrived"


def test_looking_sends_nothing(push: Callable[..., Push], hub: Hub):
    target, sent = push("a-team/shared").look()
    assert (target.repo, target.private, target.head) == ("a-team/shared", True, None)
    assert {"README.md", WEIGHTS, "config.json"} <= {item.name for item in sent.items}
    assert sent.bytes == sum(item.bytes for item in sent.items)
    assert hub.models == {}
    assert not [r for r in hub.requests if r[0] != "GET"]


def test_what_the_dry_look_said_is_what_arrives(push: Callable[..., Push], hub: Hub):
    _, sent = push().look()
    push().send()
    repo = hub.models["someone/my-model"]
    assert ours(repo.revisions["main"]) == {item.name for item in sent.items}
    assert repo.revisions["main"]["README.md"].decode() == sent.card


def test_the_same_run_may_be_sent_again_to_its_own_place(push: Callable[..., Push], hub: Hub):
    push().send()
    push().send()
    assert ours(hub.models["someone/my-model"].revisions["main"]) >= {WEIGHTS}


def test_an_empty_repository_that_waits_is_filled(push: Callable[..., Push], hub: Hub):
    hub.add("someone/my-model", ATTRIBUTES, private=True, granted={TOKEN})
    push("someone/my-model").send()
    assert WEIGHTS in hub.models["someone/my-model"].revisions["main"]


def test_public_is_public_when_asked_for(push: Callable[..., Push], hub: Hub):
    push(private=False).send()
    assert not hub.models["someone/my-model"].private


def test_a_lost_answer_is_found_out(push: Callable[..., Push], hub: Hub):
    hub.silent_commits = True
    assert push().send() == f"{hub.url}/someone/my-model"


def test_the_card_says_what_the_run_recorded(push: Callable[..., Push], hub: Hub, finished: Run,
                                             tmp_path: Path):  # fmt: skip
    push().send()
    card = tmp_path / "README.md"
    card.write_bytes(hub.models["someone/my-model"].revisions["main"]["README.md"])
    about = metadata_load(card)
    assert about["license"] == "mit"
    assert about["library_name"] == "transformers"
    metrics = {m["type"]: m for m in about["model-index"][0]["results"][0]["metrics"]}
    last = finished.metric_rows()[-1]
    measured = metrics["perplexity"]
    assert measured["value"] == pytest.approx(last["perplexity.validation"], abs=1e-6)
    assert measured["args"]["n"] == last["perplexity.validation.n"]
    assert measured["args"]["low"] == last["perplexity.validation.low"]


def test_what_comes_from_the_hub_is_named_with_its_licence(
    push: Callable[..., Push], hub: Hub, finished: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    stated = b"---\nlicense: apache-2.0\nlanguage: en\n---\n# Base\n"
    revision = hub.add("big/base", {"README.md": stated}).commit("main")
    data = Repo({"main": {"README.md": b"---\nlicense: cc-by-4.0\nlanguage: [de]\n---\n"}})
    hub.datasets["big/data"] = data
    run = copied(finished, tmp_path)
    plan = json.loads((run.folder / "plan.json").read_text())
    plan["model"] |= {"kind": "hub", "source": "big/base", "name": "big/base"}
    plan["model"]["revision"] = revision
    plan["dataset"] |= {"kind": "hub", "source": "big/data", "name": "big/data"}
    plan["dataset"]["revision"] = data.commit("main")
    (run.folder / "plan.json").write_text(json.dumps(plan))
    push(run=run).send()
    card = hub.models["someone/my-model"].revisions["main"]["README.md"].decode()
    (tmp_path / "README.md").write_text(card)
    about = metadata_load(tmp_path / "README.md")
    assert (about["base_model"], about["base_model_relation"]) == ("big/base", "finetune")
    assert (about["license"], about["datasets"]) == ("apache-2.0", ["big/data"])
    assert about["language"] == ["de"]
    assert f"`{revision}`" in card
    assert "cc-by-4.0 (its card on the Hub)" in card


# ------------------------------------------------------------ what is refused


def test_no_token_wrong_token_and_one_that_only_reads(push: Callable[..., Push], hub: Hub):
    for token, code in (
        (None, "push.no_token"),
        ("hf_" + "nobodysToken" * 3, "push.token"),
        (READ, "push.read_only"),
        (FINE, "push.forbidden"),
    ):
        found = problem(push(token=token))
        assert (found.code, found.field) == (code, "token"), found.message
        assert hub.models == {}


@pytest.mark.parametrize("name", ["", "a b", "-x", "x..y", "a/b/c", "x.git", "m" * 97, "x--y"])
def test_names_the_hub_does_not_take(push: Callable[..., Push], hub: Hub, name: str):
    found = problem(push(name))
    assert found.field == "repo"
    assert hub.requests == []


def test_somebody_elses_name(push: Callable[..., Push], hub: Hub):
    found = problem(push("another/model"))
    assert (found.code, found.field) == ("push.owner", "repo")
    assert hub.models == {}


def test_a_public_repository_is_not_filled_when_private_was_asked(
    push: Callable[..., Push], hub: Hub
):
    hub.add("someone/my-model", ATTRIBUTES)
    found = problem(push())
    assert (found.code, found.field) == ("push.public", "repo")
    assert hub.models["someone/my-model"].revisions["main"] == ATTRIBUTES
    assert hub.commits == []


def test_other_files_are_not_overwritten(push: Callable[..., Push], hub: Hub):
    before = {**ATTRIBUTES, WEIGHTS: b"years of work"}
    hub.add("someone/my-model", before, private=True, granted={TOKEN})
    found = problem(push())
    assert (found.code, found.field) == ("push.taken", "repo")
    assert hub.models["someone/my-model"].revisions["main"] == before


def test_what_was_edited_after_a_push_is_not_overwritten(push: Callable[..., Push], hub: Hub):
    push().send()
    repo = hub.models["someone/my-model"]
    edited = repo.revisions["main"] | {"README.md": b"my own words"}
    repo.put(edited)
    assert problem(push()).code == "push.taken"
    assert repo.revisions["main"] == edited


def test_a_repository_that_this_token_may_not_see(push: Callable[..., Push], hub: Hub):
    hub.add("someone/my-model", {"secret.txt": b"x"}, private=True)
    found = problem(push())
    assert (found.code, found.field) == ("push.hidden", "repo")
    assert hub.commits == []


def test_a_new_repository_that_came_out_public_gets_nothing(push: Callable[..., Push], hub: Hub):
    hub.ignores_private = True
    found = problem(push())
    assert found.code == "push.public"
    assert "empty" in found.message
    assert ours(hub.models["someone/my-model"].revisions["main"]) == set()


def test_a_changed_byte_is_found(push: Callable[..., Push], hub: Hub):
    hub.damages = "config.json"
    found = problem(push())
    assert found.code == "push.unverified"
    assert "config.json" in found.message


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_only_finished_runs_are_sent(
    push: Callable[..., Push], hub: Hub, finished: Run, tmp_path: Path, status: str
):
    folder = copied(finished, tmp_path).folder
    lines = (finished.folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join(lines[:-1]))
    if status == "stopped":
        RunLog(folder).append("run_stopped", reason="user", model_path="model")
    if status == "failed":
        RunLog(folder).append("run_failed", problem=Problem(code="x", message="It failed."))
    run = Run(folder)
    assert run.status == status
    assert problem(push(run=run)).code == "push.unfinished"
    assert hub.requests == []


# ------------------------------------------------------------ what breaks off


def test_nobody_answers(push: Callable[..., Push]):
    assert problem(push(endpoint="http://127.0.0.1:9")).code == "push.offline"


def test_a_connection_lost_midway(push: Callable[..., Push], hub: Hub):
    hub.cdn.breaking = True
    found = problem(push())
    assert found.code == "push.offline"
    assert "someone/my-model is empty" in found.message
    assert hub.cdn.lost > 0
    assert ours(hub.models["someone/my-model"].revisions["main"]) == set()
    hub.cdn.breaking = False
    push().send()  # and once it is back
    assert WEIGHTS in hub.models["someone/my-model"].revisions["main"]


def test_a_push_that_is_cancelled_midway(push: Callable[..., Push], hub: Hub):
    hub.cdn.hold()

    def tick(*_: Any) -> None:
        if hub.cdn.stalled.is_set():
            raise Cancelled

    with pytest.raises(Cancelled, match="is empty"):
        push(tick=tick).send()
    hub.cdn.release()
    assert ours(hub.models["someone/my-model"].revisions["main"]) == set()
    assert hub.commits == []


def test_the_token_is_nowhere_in_the_run(push: Callable[..., Push], finished: Run):
    assert TOKEN not in repr(push())
    push().send()
    assert json.loads((finished.folder / RECORD).read_text())["pushes"][-1]["commit"]
    for path in finished.folder.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes()
