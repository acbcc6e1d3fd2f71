"""The workflow document: read from anything, kept whole, refused with a sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.workflow import document
from easymodel_nb.workflow.document import Workflow

KNOWN = {
    *("format", "version", "name", "nodes", "edges", "viewport", "id", "type", "label"),
    *("position", "data", "source", "sourceHandle", "target", "targetHandle"),
}
keys = st.text(min_size=1, max_size=8).filter(lambda key: key not in KNOWN)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(keys, values, max_size=3)


@given(top=extras, on_node=extras, in_data=extras, on_edge=extras)
def test_a_round_trip_keeps_unknown_keys_and_nodes(
    top: dict, on_node: dict, in_data: dict, on_edge: dict
):
    node = {"id": "n1", "type": "from-a-later-version", "data": in_data, **on_node}
    edge = {"id": "e1", "source": "n1", "target": "n1", **on_edge}
    raw = {"format": "easymodel.workflow", "version": 1, "nodes": [node], "edges": [edge], **top}
    once = Workflow.read(json.loads(json.dumps(raw))).dump()
    assert {**once, **top} == once
    assert {**once["nodes"][0], **node} == once["nodes"][0]
    assert {**once["edges"][0], **edge} == once["edges"][0]
    assert Workflow.read(json.loads(json.dumps(once))).dump() == once


def test_a_wrong_value_is_kept_for_check_to_say_and_the_user_to_mend():
    raw = {"nodes": [{"id": "f", "type": "finetune", "data": {"epochs": "many"}}]}
    assert Workflow.read(raw).dump()["nodes"][0]["data"] == {"epochs": "many"}


def test_reads_a_path_text_and_bytes_alike(tmp_path: Path):
    text = json.dumps({"name": "Åsa", "nodes": [], "edges": []})
    path = tmp_path / "workflow.json"
    path.write_text("\ufeff" + text, encoding="utf-8")  # as Windows editors save it
    names = {Workflow.read(source).name for source in (path, str(path), text, text.encode())}
    assert names == {"Åsa"}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"version": 2}, "workflow.newer"),
        ({"version": 0}, "workflow.invalid"),
        ({"version": True}, "workflow.invalid"),
        ({"format": "easymodel.plan"}, "workflow.format"),
        ({"nodes": [{"type": "model"}]}, "workflow.invalid"),
        ({"nodes": 3}, "workflow.invalid"),
        ("{not json", "workflow.invalid"),
        (b"[1]", "workflow.invalid"),
        ("no-such-file.json", "file.missing"),
    ],
)
def test_what_is_no_workflow_is_refused_with_a_sentence(source: object, code: str):
    with pytest.raises(StudioError) as refused:
        Workflow.read(source)
    assert {problem.code for problem in refused.value.problems} == {code}
    assert str(refused.value).endswith(".")


def test_a_newer_document_names_both_versions_and_the_way_out():
    with pytest.raises(StudioError, match=r"version 7; this one\s+reads 1.*pip install -U"):
        Workflow.read({"version": 7, "nodes": []})


def test_an_older_document_is_lifted_version_by_version(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(document, "VERSION", 3)
    lift = {
        1: lambda raw: {**raw, "version": 2, "steps": ["1 to 2"]},
        2: lambda raw: {**raw, "version": 3, "steps": [*raw["steps"], "2 to 3"]},
    }
    monkeypatch.setattr(document, "MIGRATIONS", lift)
    assert document._migrate({"version": 1})["steps"] == ["1 to 2", "2 to 3"]
    assert document._migrate({"version": 2, "steps": []})["steps"] == ["2 to 3"]
