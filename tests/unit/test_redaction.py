"""What is masked, how strongly where, and that what works goes on working."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb import redaction
from easymodel_nb.errors import Problem
from easymodel_nb.redaction import held, hide, hold, kept, outgoing, redact, throughout, whole
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Workflow

TOKEN = "hf_" + "aB3dE6gH" * 4 + "Zz"
SIGNED = "https://data.example.org/rows.csv?X-Amz-Expires=60&X-Amz-Signature=0a1b2c3d4e5f&page=2"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that knows nothing yet."""
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setattr(redaction, "_held", {})


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "@host"])
def test_a_known_secret_is_found_in_base64_of_more(before: str, after: str):
    secret = "no-shape-of-a-token/+="
    redaction.remember(secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        coded = encode(f"{before}{secret}{after}".encode()).decode()
        for shift in range(3):
            inner = secret.encode()[shift:-3]
            inner = base64.b64encode(inner[: len(inner) // 3 * 3]).decode()
            assert inner not in hide(f"Authorization: Basic {coded}")


@given(st.text(min_size=8, max_size=40, alphabet=st.characters(min_codepoint=33)))
def test_a_known_secret_is_in_no_form(secret: str):
    redaction.remember(secret)
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.encode().hex()):
        assert form not in hide(f"before {form} after")


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        (f"git clone https://user:{TOKEN}@huggingface.co/a/b", "https://[redacted]@huggingface"),
        ("https://me:p%40ss@host/x", "https://[redacted]@host/x"),
        (f'{{"text": "a\\n{TOKEN}"}}', "\\n[redacted]"),
        (f"models--{TOKEN}", "models--[redacted]"),
    ],
)
def test_hidden_everywhere(said: str, masked: str):
    assert masked in hide(said)
    assert hide(hide(said)) == hide(said)


@pytest.mark.parametrize(
    "works",
    [
        "/data/hf_datasets12345/rows.csv",
        "hf_transfer",
        "git+ssh://git@github.com/a/b",
        "https://host:8443/path@2/x?page=3",
        "someone@example.org: hello",
        "C:\\Users\\me@work\\x",
        "https://host/search?tokenizer_max=5",
        "The token: tokenization is what it does.",
    ],
)
def test_what_works_goes_on_working(works: str):
    assert hide(works) == works


def test_what_signs_in_in_an_address_may_not_go_out():
    assert outgoing(SIGNED).endswith("Expires=[redacted]&X-Amz-Signature=[redacted]&page=2")
    assert outgoing("https://h/x?download=1&key=abc#end").endswith("?download=1&key=[redacted]#end")
    assert "[redacted]" in redact("Authorization: Bearer abcdefghij")


def signed_workflow(source: str = SIGNED) -> Workflow:
    nodes = [{"id": "d", "type": "dataset", "data": {"source": source}}]
    return Workflow.read({"nodes": nodes})


def test_a_signed_address_is_whole_in_memory_alone():
    document = signed_workflow()
    assert "0a1b2c3d4e5f" not in json.dumps(document.dump())
    source = document.nodes[0].data["source"]
    assert whole(source) == SIGNED
    assert signed_workflow(source).nodes[0].data["source"] == source, "sent back by a page"
    assert not [p for p in check(document) if p.code == "source.secret"]
    assert "0a1b2c3d4e5f" not in Problem(code="x", message=f"{SIGNED} answered 403").message


def test_the_same_key_serves_another_address():
    signed_workflow()
    other = SIGNED.replace("rows", "more")
    assert whole(signed_workflow(other).nodes[0].data["source"]) == other
    fresh = SIGNED.replace("0a1b2c3d4e5f", "ffffeeeedddd")
    assert whole(signed_workflow(fresh).nodes[0].data["source"]) == fresh


def test_another_process_is_told_or_asks(monkeypatch: pytest.MonkeyPatch):
    source = signed_workflow().nodes[0].data["source"]
    told = held()
    monkeypatch.setattr(redaction, "_held", {})
    (problem,) = [p for p in check(signed_workflow(source)) if p.code == "source.secret"]
    assert (problem.node, problem.field) == ("d", "source")
    assert "Paste the whole address again" in problem.message
    hold(told)
    assert whole(source) == SIGNED


def test_a_password_before_the_host_is_asked_for_with_its_fix():
    document = signed_workflow(f"https://me:{TOKEN}@host/rows.csv")
    (problem,) = [p for p in check(document) if p.code == "source.secret"]
    assert problem.fix is not None
    assert problem.fix.set is not None
    assert problem.fix.set[0].value == "https://host/rows.csv"


def test_a_hub_token_is_sent_to_no_other_host():
    document = signed_workflow(f"https://host/rows.csv?token={TOKEN}")
    assert held() == {}
    assert [p.code for p in check(document) if p.field == "source"] == ["source.secret"]


def test_throughout_names_and_values():
    assert throughout({TOKEN: [TOKEN, 1, None, {"a": TOKEN}]}) == {
        "[redacted]": ["[redacted]", 1, None, {"a": "[redacted]"}]
    }
    assert kept("a note, with https://h/?token=abcdefgh in it").endswith("token=abcdefgh in it")
