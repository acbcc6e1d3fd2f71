"""The Hub token's holder.

The token is a plain Python attribute: it is in no trait, document, log,
exception, argument, environment variable or file.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from easymodel_nb.redaction import hide, outgoing, redact, remember

__all__ = ["TokenHolder", "TokenOrigin", "hide", "outgoing", "redact", "without_tokens"]

TokenOrigin = Literal["typed", "colab", "login", "environment", "none"]
_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


@dataclass(repr=False)
class _Secret:
    value: str | None = None

    def __repr__(self) -> str:
        return "_Secret(set)" if self.value else "_Secret(empty)"


class TokenHolder:
    """Holds one typed token and finds the ones the machine already has."""

    def __init__(self) -> None:
        self._typed = _Secret()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"TokenHolder(origin={self.origin()!r})"

    def type_in(self, token: str | None) -> None:
        """Keep a token the user typed, or forget it when empty."""
        with self._lock:
            self._typed.value = (token or "").strip() or None
            remember(self._typed.value or "")

    def token(self) -> str | None:
        """The token to use, the typed one first; None when there is none."""
        return self._find()[0]

    def origin(self) -> TokenOrigin:
        """Where the token came from, which is all the interface may show."""
        return self._find()[1]

    def _find(self) -> tuple[str | None, TokenOrigin]:
        with self._lock:
            if self._typed.value:
                return self._typed.value, "typed"
        for origin, find in _SOURCES:
            if found := find():
                remember(found)
                return found, origin
        return None, "none"

    def redact(self, text: str) -> str:
        """`text` without this token and without anything shaped like one."""
        self._find()  # one that came by the machine since then is known as well
        return redact(text)


_colab = _Secret()


def _from_colab() -> str | None:
    """Colab's secret; asked for on the main thread alone, because the page has to answer.

    A thread that trains gets what was found last.
    """
    if threading.current_thread() is threading.main_thread():
        try:
            from google.colab import userdata  # type: ignore[import-not-found]  # noqa: PLC0415

            _colab.value = str(userdata.get("HF_TOKEN")) or None
        except Exception:  # noqa: BLE001  not in Colab, or the secret is absent or refused
            _colab.value = None
    return _colab.value


def _from_environment() -> str | None:
    return os.environ.get("HF_TOKEN") or None


def without_tokens() -> dict[str, str]:
    """This process's environment for a child, which is told the token by its input instead."""
    return {name: value for name, value in os.environ.items() if name not in _VARIABLES}


def _from_login() -> str | None:
    try:
        from huggingface_hub import get_token  # noqa: PLC0415
    except ImportError:
        return None
    return get_token()


_SOURCES: tuple[tuple[TokenOrigin, Callable[[], str | None]], ...] = (
    ("environment", _from_environment),
    ("colab", _from_colab),  # before login, which finds Colab's secret too and cannot say so
    ("login", _from_login),
)
