"""A token is held, used, and never seen."""

import pickle
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb import secrets
from easymodel_nb.secrets import TokenHolder, redact

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrSt"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """The machine's own tokens, by origin, in the hands of the test."""
    known: dict[str, str | None] = {"environment": None, "login": None, "colab": None}

    def finder(name: str) -> Callable[[], str | None]:
        return lambda: known[name]

    found = tuple((name, finder(name)) for name in known)
    monkeypatch.setattr(secrets, "_SOURCES", found)
    return known


def test_a_typed_token_comes_first_and_can_be_forgotten(sources: dict[str, str | None]):
    holder = TokenHolder()
    assert (holder.token(), holder.origin()) == (None, "none")
    sources["login"] = "from-login"
    assert (holder.token(), holder.origin()) == ("from-login", "login")
    holder.type_in(f"  {TOKEN}\n")
    assert (holder.token(), holder.origin()) == (TOKEN, "typed")
    holder.type_in("  ")
    assert holder.origin() == "login"
    sources["environment"] = "from-environment"
    assert holder.origin() == "environment"


def test_colabs_secret_is_asked_for_on_the_main_thread_alone(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def get(name: str) -> str:
        asked.append(name)
        return TOKEN

    userdata = types.ModuleType("userdata")
    monkeypatch.setattr(userdata, "get", get, raising=False)
    colab = types.ModuleType("google.colab")
    monkeypatch.setattr(colab, "userdata", userdata, raising=False)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with ThreadPoolExecutor() as threads:
        assert threads.submit(secrets._from_colab).result() is None
        assert TokenHolder().origin() == "colab"
        assert threads.submit(TokenHolder().token).result() == TOKEN
    assert asked == ["HF_TOKEN"]
    monkeypatch.setattr(userdata, "get", lambda _name: 1 / 0)  # refused from now on
    assert secrets._from_colab() is None


def test_what_holds_a_token_does_not_show_it(sources: dict[str, str | None]):
    del sources
    holder = TokenHolder()
    holder.type_in("unshaped-secret-value")
    for text in (repr(holder), str(holder), repr(vars(holder)), f"{holder!r}"):
        assert "unshaped-secret-value" not in text
    assert holder.redact("a unshaped-secret-value b") == "a [redacted] b"
    with pytest.raises(TypeError):
        pickle.dumps(holder)  # a lock is in it, so it cannot slip into a file


@given(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40),
    st.sampled_from(["hf_{}", "api_org_{}", "Bearer {}", "authorization: bearer {}", "token={}"]),
    st.text(max_size=10),
)
def test_whatever_looks_like_a_token_is_masked(secret: str, shape: str, around: str):
    text = f"{around} {shape.format(secret)} {around}"
    assert shape.format(secret) not in redact(text)
    assert "[redacted]" in redact(text)


def test_ordinary_text_stays():
    text = "Model hf_gpt2, 3 epochs; the token count is 512. https://huggingface.co/gpt2"
    assert redact(text) == text
