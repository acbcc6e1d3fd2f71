"""What signs in stays on this machine: a pure function of a line, so that copies compare."""

import re
from typing import Any

_MASK = "[redacted]"
_TOKEN = re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{8,}")
_LOGIN = re.compile(r"(?i)\b(https?://)[^/\s\"'?#\\]*@")
_SIGNED = re.compile(
    r"(?i)([?&][^=&\s\"'\\]*(?:token|secret|signature|credential|passw|api_?key|(?<![a-z])sig)"
    r"[^=&\s\"'\\]*=)[^&\s\"'\\#]+"
)


def hidden(text: str) -> str:
    """`text` without Hub tokens and without what signs in at an address."""
    text = _TOKEN.sub(_MASK, text)
    return _SIGNED.sub(rf"\1{_MASK}", _LOGIN.sub(r"\1", text))


def hidden_in(value: Any) -> Any:
    """The same JSON value with every text in it so."""
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {key: hidden_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden_in(item) for item in value]
    return value
