"""Where a model and its data came from, and under which licence."""

import json
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from easymodel_nb import builtin
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.takeaway.origins import Origin, of_dataset, of_model, origins

SHA = "0123456789abcdef0123456789abcdef01234567"


def plan(source: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "kind": kind, "name": source.rsplit("/", 1)[-1], "path": "/x", **more}


def card(folder: Path, *lines: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["---", *lines, "---", "# Title", ""])
    (folder / "README.md").write_text(text, encoding="utf-8")


def test_every_builtin_is_known():
    for model in builtin.models():
        folder = builtin.path(model.name)
        found = of_model(plan(f"builtin:{model.name}", "builtin", path=str(folder)))
        assert found.licence is not None
        assert found.named, found.licence
        assert found.known_from == "its card in easymodel-nb"
    for dataset in builtin.datasets():
        found = of_dataset(plan(f"builtin:{dataset.name}", "builtin"))
        assert found.licence in {"cc0-1.0", "Public domain"}
        assert found.named == (found.licence == "cc0-1.0")


@pytest.mark.parametrize(
    ("lines", "licence", "named", "link"),
    [
        (["license: apache-2.0"], "apache-2.0", True, None),
        (["license: [mit]", "language: [de, en]"], "mit", True, None),
        (["license: [mit, cc-by-4.0]"], "mit, cc-by-4.0", False, None),
        (["license: other", "license_name: house-rules", "license_link: LICENSE"],
         "house-rules", False, "LICENSE"),
        (["license: unknown"], None, False, None),
        (["license: [unclosed"], None, False, None),
        (["language: de"], None, False, None),
    ],
)  # fmt: skip
def test_a_local_card(
    tmp_path: Path, lines: list[str], licence: str | None, named: object, link: str | None
):
    card(tmp_path / "data", *lines)
    found = of_dataset(plan(str(tmp_path / "data"), "local"))
    assert (found.licence, found.named, found.link) == (licence, named, link)
    if licence is None:
        assert found.licence_line.startswith("unknown: ")


def test_a_licence_in_the_text_alone_is_not_read(tmp_path: Path):
    (tmp_path / "README.md").write_text("# Data\n\nMIT licence, probably.\n")
    (tmp_path / "a.csv").write_text("x\n1\n")
    found = of_dataset(plan(str(tmp_path / "a.csv"), "local"))
    assert found.licence is None
    assert found.known_from == "no README.md beside it states one"


def test_licence_texts_of_a_folder_come_along_and_those_beside_a_file_do_not(tmp_path: Path):
    (tmp_path / "LICENSE.txt").write_text("Do what you like.")
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert of_dataset(plan(str(tmp_path), "local")).notices == (tmp_path / "LICENSE.txt",)
    assert of_dataset(plan(str(tmp_path / "a.csv"), "local")).notices == ()


@pytest.mark.parametrize("kind", ["url", "variable"])
def test_what_has_no_card(kind: str):
    found = of_dataset(plan({"url": "https://x.org/a.csv", "variable": "variable:df"}[kind], kind))
    assert found.licence is None
    assert found.known_from


def cached(cache: Path, kind: str, repo: str, *lines: str) -> None:
    """A card as the Hub's client keeps it."""
    folder = cache / f"{kind}s--{repo.replace('/', '--')}" / "snapshots" / SHA
    card(folder, *lines)


def test_a_card_that_came_with_the_download_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cached(tmp_path, "model", "a/model", "license: mit", "language: en")
    cached(tmp_path, "dataset", "a/data", "license: cc-by-4.0")
    model = of_model(plan("a/model", "hub", revision=SHA))
    data = of_dataset(plan("https://huggingface.co/datasets/a/data", "hub", revision=SHA))
    assert (model.hub, model.licence, model.languages) == ("a/model", "mit", ("en",))
    assert (data.hub, data.licence) == ("a/data", "cc-by-4.0")
    unseen = of_model(plan("a/other", "hub", revision=SHA))
    assert unseen.licence_line == "unknown: its card was not read"


def test_the_hub_is_asked_where_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    class Api:
        def repo_info(self, repo: str, **asked: Any) -> Any:
            assert (repo, asked) == ("a/model", {"repo_type": "model", "revision": SHA})
            known = type("Card", (), {"to_dict": lambda _: {"license": "apache-2.0"}})()
            return type("Info", (), {"card_data": known})()

    found = of_model(plan("a/model", "hub", revision=SHA), Api())
    assert found.licence == "apache-2.0"

    class Gone:
        def repo_info(self, *_: object, **__: object) -> Any:
            raise ConnectionError

    assert of_model(plan("a/model", "hub", revision=SHA), Gone()).licence is None


def test_a_chain_names_the_model_at_its_root_and_the_data_of_all_stages(tmp_path: Path):
    def stage(run: str, model: dict[str, Any], data: str, before: str | None) -> None:
        (tmp_path / run).mkdir()
        request = {"model": {"run": before} if before else {}}
        content = {"model": model, "dataset": plan(data, "builtin"), "request": request}
        (tmp_path / run / "plan.json").write_text(json.dumps(content))

    root = plan("builtin:tiny-gpt2", "builtin", path=str(builtin.path("tiny-gpt2")))
    stage("1", root, "builtin:shakespeare", None)
    stage("2", plan("", "run"), "builtin:requests", "1")
    stage("3", plan("", "run"), "builtin:requests", "2")
    found = origins(Run(tmp_path / "3"))
    assert found.model.name == "builtin:tiny-gpt2"
    assert [d.name for d in found.datasets] == ["builtin:shakespeare", "builtin:requests"]
    assert len(found.stages) == 3
    (tmp_path / "1" / "plan.json").unlink()
    assert origins(Run(tmp_path / "3")).model.licence_line == (
        "unknown: the run it continues was deleted"
    )


def test_an_unknown_licence_says_why():
    assert Origin("a", "url", known_from="nobody said").licence_line == "unknown: nobody said"
