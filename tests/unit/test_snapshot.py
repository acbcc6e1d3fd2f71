"""The static picture: well-formed, self-contained, and in words for those who do not see it."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem
from easymodel_nb.report.theme import TOKENS
from easymodel_nb.store.first import first_workflow
from easymodel_nb.widgets.snapshot import picture
from easymodel_nb.widgets.state import RunCard
from easymodel_nb.workflow.document import Node, Workflow

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(SVG + "text")]


def run(**fields: object) -> RunCard:
    known = {"id": "r", "node_id": "f1", "created": "", "status": "finished", "summary": "3 epochs"}
    return RunCard.model_validate({**known, **fields})


def test_it_shows_the_nodes_their_sources_and_their_connections():
    svg = picture(first_workflow(), [])
    assert {"Model", "builtin:tiny-gpt2", "Dataset", "builtin:requests", "Finetuning"} <= {
        *texts(svg)
    }
    root = ET.fromstring(svg)
    assert len(root.findall(SVG + "path")) == 2
    assert "First model: Model, builtin:tiny-gpt2; Dataset" in root.get("aria-label", "")


def test_it_shows_what_came_of_a_run():
    svg = picture(first_workflow(), [run(headline="Perplexity fell", fraction=1.0)])
    assert {"Finished", "3 epochs", "Perplexity fell"} <= {*texts(svg)}
    problem = Problem(code="x", message="There is no file.")
    failed = picture(first_workflow(), [run(status="failed", problem=problem)])
    assert {"Failed", "There is no file."} <= {*texts(failed)}


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_typed_stays_text(label: str, source: str):
    nodes = [
        Node(id="m", type="model", label=label, data={"source": source}),
        Node(id="n", type="note", data={"text": source}),
        Node(id="z", type="<later>", data={}),
    ]
    printable = all(c.isprintable() for c in label + source)
    svg = picture(Workflow(nodes=nodes), [])
    if printable:  # XML has no way to write most control characters
        ET.fromstring(svg)
    assert "<script" not in svg
    assert "<later>" not in svg


@pytest.mark.parametrize("shade", ["light", "dark", "auto"])
def test_colours_are_the_tokens_and_auto_follows_the_reader(shade: str):
    svg = picture(first_workflow(), [], shade)  # type: ignore[arg-type]
    light, dark = TOKENS["surface"]
    assert (light in svg) == (shade != "dark")
    assert (dark in svg) == (shade != "light")
    assert ("prefers-color-scheme" in svg) == (shade == "auto")
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_an_empty_canvas_is_a_picture_too():
    assert "an empty canvas" in picture(Workflow(name="New"), [])
