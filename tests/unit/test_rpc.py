"""Commands: every message gets its reply, and every error a sentence and a code."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets import methods, rpc
from easymodel_nb.widgets.methods import CommitResult, RunDetails
from easymodel_nb.widgets.rpc import RpcError

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def refuse(_params: Any) -> None:
    raise problem_error("field.range", "Epochs must be at least 1.", node="f1", field="epochs")


def conflict(_params: Any) -> None:
    raise RpcError("conflict", "Changed elsewhere.", {"rev": 7})


def crash(_params: Any) -> None:
    raise ZeroDivisionError("a / b")


HANDLERS: dict[str, rpc.Handler] = {
    "pull": lambda _params: None,
    "commit": conflict,
    "train": refuse,
    "stop": crash,
    "run_details": lambda _params: RunDetails(
        plan={"loss": float("nan")}, detail="", log=[], metrics=[]
    ),
}


def test_a_command_is_answered_under_its_id():
    reply = rpc.reply(HANDLERS, {"id": "a-1", "method": "pull", "params": {"seen": {"runs": 3}}})
    assert reply == {"id": "a-1", "ok": True, "result": {}}


@pytest.mark.parametrize(
    ("method", "params", "code", "says"),
    [
        ("train", {}, "refused", "Epochs must be at least 1."),
        ("stop", {}, "internal", "ZeroDivisionError"),
        ("dance", {}, "unknown_method", "there are pull, commit, train"),
        ("train", {"nod": "f1"}, "invalid_params", "nod"),
        ("commit", {"base_rev": "x"}, "invalid_params", "base_rev"),
        (None, {}, "invalid_request", "{id, method, params}"),
        ("train", [1], "invalid_request", "{id, method, params}"),
    ],
)
def test_an_error_is_a_reply_with_a_code_and_a_sentence(
    method: Any, params: Any, code: str, says: str, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.CRITICAL, logger="easymodel_nb"):
        reply = rpc.reply(HANDLERS, {"id": 5, "method": method, "params": params})
    assert (reply["id"], reply["ok"], reply["error"]["code"]) == (5, False, code)
    assert says in reply["error"]["message"]


def test_an_error_carries_its_problems_or_its_data():
    refused = rpc.reply(HANDLERS, {"id": 1, "method": "train"})["error"]
    assert (refused["problems"][0]["node"], refused["problems"][0]["field"]) == ("f1", "epochs")
    params = {"project_id": "p", "client": "c", "base_rev": 1, "document": {}}
    said = rpc.reply(HANDLERS, {"id": 1, "method": "commit", "params": params})["error"]
    assert (said["code"], said["data"]) == ("conflict", {"rev": 7})


def test_an_answer_never_holds_what_json_does_not_have():
    reply = rpc.reply(HANDLERS, {"id": 1, "method": "run_details", "params": {"run": "r"}})
    assert reply["result"]["plan"] == {"loss": None}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_whatever_is_sent_something_is_answered(message: Any):
    reply = rpc.reply(HANDLERS, message)
    assert reply["ok"] is False
    assert reply["error"]["message"]


def test_bytes_come_with_their_command_and_with_no_other():
    seen: list[bytes] = []
    handlers: dict[str, rpc.Handler] = {
        "upload_chunk": lambda params: seen.append(bytes(params.buffer)),
        "pull": lambda _params: None,
    }
    message = {"id": 1, "method": "upload_chunk", "params": {"id": "u", "offset": 0}}
    assert rpc.reply(handlers, message, [memoryview(b"abc")])["ok"]
    assert rpc.reply(handlers, message)["ok"]
    assert seen == [b"abc", b""]
    assert rpc.reply(handlers, {"id": 2, "method": "pull"}, [b"abc"])["ok"]


def test_python_gets_the_error_itself():
    params = {"project_id": "p", "client": "c", "base_rev": 1, "document": {}}
    with pytest.raises(RpcError, match="Changed elsewhere"):
        rpc.call(HANDLERS, "commit", params)
    assert rpc.call({"commit": lambda _p: CommitResult(rev=2)}, "commit", params) == {"rev": 2}


def test_the_table_in_the_documentation_is_the_vocabulary():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    found = re.search(r"<!-- rpc:begin -->\n(.*?)\n<!-- rpc:end -->", text, re.DOTALL)
    assert found is not None
    assert found.group(1).strip() == methods.table(), "paste methods.table() between the markers"
