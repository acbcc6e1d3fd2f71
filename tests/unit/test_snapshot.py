"""The static picture: well-formed, self-contained, and in words for those who do not see it."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.report.canvas import picture
from easymodel_nb.report.canvas_node import NodeRun
from easymodel_nb.report.theme import TOKENS
from easymodel_nb.store.first import first_workflow
from easymodel_nb.workflow.document import Node, Workflow

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(SVG + "text")]


def run(status: str, said: str, *, problem: bool = False) -> NodeRun:
    return NodeRun("f1", status, "3 epochs", said, problem, 1.0, 3, (3.0, 2.0, 1.0))


def test_it_shows_the_nodes_their_sources_and_their_connections():
    svg = picture(first_workflow(), [])
    assert {"Model", "builtin:tiny-gpt2", "Dataset", "builtin:requests", "Finetuning"} <= {
        *texts(svg)
    }
    root = ET.fromstring(svg)
    assert len([e for e in root.iter(SVG + "path") if "C" in e.get("d", "")[:20]]) == 2
    assert "First model: Model, builtin:tiny-gpt2; Dataset" in (root.findtext(SVG + "title") or "")


def test_it_shows_what_came_of_a_run():
    svg = picture(first_workflow(), [run("finished", "Perplexity fell")])
    assert {"Finished", "3 epochs", "Perplexity fell"} <= {*texts(svg)}
    failed = picture(first_workflow(), [run("failed", "There is no file.", problem=True)])
    assert {"Failed", "There is no file."} <= {*texts(failed)}


def test_a_file_of_this_machine_is_named_without_its_folder():
    node = Node(id="d", type="dataset", data={"source": "/home/somebody/secret/rows.csv"})
    svg = picture(Workflow(nodes=[node]), [])
    assert "rows.csv" in texts(svg)
    assert "somebody" not in svg


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_typed_stays_text(label: str, source: str):
    nodes = [
        Node(id="m", type="model", label=label, data={"source": source}),
        Node(id="n", type="note", data={"text": source}),
        Node(id="z", type="<later>", data={}),
    ]
    svg = picture(Workflow(nodes=nodes), [])
    ET.fromstring(svg)
    assert "<script" not in svg
    assert "<later>" not in svg


@pytest.mark.parametrize("shade", ["light", "dark", "auto"])
def test_colours_are_the_tokens_and_auto_follows_the_reader(shade: str):
    svg = picture(first_workflow(), [], shade)  # type: ignore[arg-type]
    light, dark = TOKENS["text"]
    assert (light in svg) == (shade != "dark")
    assert (dark in svg) == (shade != "light")
    assert ("prefers-color-scheme" in svg) == (shade == "auto")
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_an_empty_canvas_is_a_picture_too():
    assert "an empty canvas" in picture(Workflow(name="New"), [])
