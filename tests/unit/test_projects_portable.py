"""A project as one file: the same canvas elsewhere, without secrets, without paths unless asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.store.projects import Project
from easymodel_nb.store.templates import HUB_TEMPLATES, TEMPLATES
from easymodel_nb.widgets import portable
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Node, Workflow

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrSt"


def project(*nodes: Node, **more: Any) -> Project:
    return Project("p", "Ada's model", 3, Workflow(name="Ada's model", nodes=list(nodes), **more))


def dataset(source: str, **data: Any) -> Node:
    return Node(id="d1", type="dataset", data={"source": source, **data})


def source_of(packed: portable.Parcel) -> str:
    return str(json.loads(packed.text)["nodes"][0]["data"]["source"])


@pytest.mark.parametrize("make", [*TEMPLATES.values(), *HUB_TEMPLATES.values()])
def test_what_comes_back_is_the_same_canvas(make: Any):
    drawn = make()
    packed = portable.pack(Project("p", drawn.name, 1, drawn))
    assert packed.left_out == []
    assert packed.name.endswith(".easymodel.json")
    assert portable.unpack(packed.text) == drawn
    assert portable.missing(drawn) == []


def test_unknown_keys_and_nodes_are_kept():
    later = Node(id="x1", type="judge", data={"model": "m", "deep": {"a": [1]}}, colour="red")
    drawn = project(later, theme="space")
    assert portable.unpack(portable.pack(drawn).text) == drawn.workflow


def test_a_local_source_becomes_a_named_placeholder_unless_asked_for(tmp_path: Path):
    file = tmp_path / "reviews 2026.csv"
    file.write_text("text,label\n")
    node = dataset(str(file))
    packed = portable.pack(project(node))
    assert source_of(packed) == "choose:reviews 2026.csv"
    assert str(tmp_path) not in packed.text
    assert packed.left_out == ["the path of reviews 2026.csv (Dataset)"]
    opened = portable.unpack(packed.text)
    assert portable.missing(opened) == ["reviews 2026.csv (Dataset)"]
    (problem,) = [p for p in check(opened) if p.node == "d1"]
    assert (problem.code, problem.field) == ("source.choose", "source")
    assert "reviews 2026.csv" in problem.message
    asked = portable.pack(project(node), paths=True)
    assert (source_of(asked), asked.left_out) == (str(file), [])


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("~/data/mine.jsonl", "mine.jsonl"),
        ("./data", "data"),
        ("data/train.parquet", "train.parquet"),
        (r"C:\Users\ada\rows.csv", "rows.csv"),
        ("file:///srv/data/rows.csv", "rows.csv"),
    ],
)
def test_every_kind_of_path_is_one(source: str, name: str):
    assert source_of(portable.pack(project(dataset(source)))) == f"choose:{name}"


@pytest.mark.parametrize(
    "source",
    ["rajpurkar/squad", "builtin:requests", "variable:rows", "https://hf.co/datasets/imdb", ""],
)
def test_what_names_no_path_stays(source: str):
    assert source_of(portable.pack(project(dataset(source)))) == source


def test_no_secret_goes_along_even_where_paths_do():
    node = dataset(
        f"https://ada:pw1234@data.example.org/rows.csv?X-Amz-Signature=abcdef&part=2&token={TOKEN}",
        api_key="s3cr3t-value",
        headers={"Authorization": "Basic s3cr3t-value"},
    )
    note = Node(id="t1", type="note", data={"text": f"ask with {TOKEN}"})
    for paths in (False, True):
        packed = portable.pack(project(node, note), paths=paths)
        for secret in (TOKEN, "pw1234", "abcdef", "s3cr3t-value"):
            assert secret not in packed.text
        assert source_of(packed) == "https://data.example.org/rows.csv?part=2"
        assert len(packed.left_out) == 4


def test_no_folder_of_a_person_goes_along(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/srv/people/ada")
    text = "see /srv/people/ada/x, /home/ada/notes.md, C:\\Users\\ada\\y and /Users/ada/z"
    node = Node(id="t1", type="note", data={"text": text})
    packed = portable.pack(project(node))
    assert json.loads(packed.text)["nodes"][0]["data"]["text"] == (
        "see ~/x, ~/notes.md, ~\\y and ~/z"
    )
    kept = portable.pack(project(node), paths=True)
    assert json.loads(kept.text)["nodes"][0]["data"]["text"] == text


def test_what_is_trained_stays_what_it_is():
    """Fields whose names sound like secrets are not: max_new_tokens, the label field."""
    for make in TEMPLATES.values():
        data = json.loads(portable.pack(Project("p", "n", 1, make())).text)
        assert data == make().dump()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("a,b\n1,2\n", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[1]", "does not say that it is a workflow"),
        ('{"name": "left-pad", "version": "1.3.0"}', "does not say that it is a workflow"),
        ('{"format": "easymodel.plan", "version": 1}', "does not say that it is a workflow"),
        ('{"format": "easymodel.workflow", "version": 99}', "newer EasyModel"),
        ('{"format": "easymodel.workflow", "nodes": 3}', "its nodes are no list"),
        ('{"format": "easymodel.workflow", "nodes": [{"id": 1}]}', "cannot be read"),
        (json.dumps({"format": "easymodel.workflow", "x": "y" * 1_100_000}), "at most 1 MB"),
    ],
)
def test_what_is_no_project_is_refused_with_a_sentence(text: str, said: str):
    with pytest.raises(StudioError, match=said):
        portable.unpack(text)


def test_a_file_with_a_byte_order_mark_is_read():
    packed = portable.pack(project())
    assert portable.unpack("\ufeff" + packed.text).name == "Ada's model"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Ada's model", "Adas-model.easymodel.json"),
        ("Ärzte/Briefe: 2", "ÄrzteBriefe-2.easymodel.json"),
        ("???", "project.easymodel.json"),
        ("../../x", "x.easymodel.json"),
    ],
)
def test_the_file_has_a_name_that_every_system_takes(name: str, file: str):
    assert portable.file_name(name) == file
