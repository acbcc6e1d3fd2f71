"""What may not be shown or written: secrets of this process, and whatever looks like one.

Three strengths, each with what the one before it masks:

- `hide`: secrets this process knows, in any encoding, Hub tokens, and who signs in before the
  host of an address. It takes nothing that works, so that it stands where documents and logs
  are written.
- `outgoing`: also what signs in in an address (`?token=`, `?X-Amz-Signature=`), which a run may
  need and nobody else may have. It stands where something leaves the machine or is shown.
- `redact`: also anything said to be a token or sent as one; for what libraries say.
"""

import base64
import json
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

MASK = "[redacted]"
HELD = "[held]"  # the same of an address that is whole in memory
_SHORTEST = 8  # what is shorter would be found in ordinary words
_TOKEN = re.compile(r"(?:hf|api_org)_[A-Za-z0-9]{30,}")
_LIKE_A_TOKEN = re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{8,}")
_USER = re.compile(
    r"(?i)(\b[a-z][a-z0-9+.-]*:/{2})(?!\[redacted\]@)[^/\s@'\"<>\\?#]*:[^/\s@'\"<>\\?#]*@"
)
SIGNS_IN = re.compile(
    r"(?i)token|secret|passw|credential|api_?key|access_?key|^key$|^auth|^sig$|signature|^x-amz-"
)
_PARAMETER = re.compile(r"([?&;])([\w.~%-]{1,60})=([^&\s#'\"<>\\]+)")
_SAID = re.compile(r"(?i)(bearer\s+|basic\s+|token[=:]\s*)[A-Za-z0-9_\-.+/=]{8,}")

_ADDRESS = re.compile(r"\s*https?://\S+\s*")

_held: dict[str, str] = {}
_known: dict[str, tuple[str, ...]] = {}
_lock = threading.Lock()


def remember(secret: str) -> None:
    """Know a secret from now on, in memory alone."""
    if len(secret) >= _SHORTEST and secret not in _known:
        with _lock:
            _known[secret] = forms(secret)


def forms(secret: str) -> tuple[str, ...]:
    """The ways in which text holds a secret, the longest first."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex(), raw.hex().upper()}
    for before in range(3):  # base64 of a text that the secret is within
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # Only the letters that no neighbour has a part in.
            text = encode(b"\0" * before + raw).decode().rstrip("=")
            end = len(text) - (1 if (before + len(raw)) % 3 else 0)
            found.add(text[(0, 2, 3)[before] : end])
    return tuple(sorted(found, key=len, reverse=True))


def hide(text: str) -> str:
    """`text` without secrets; what works goes on working."""
    for known in list(_known.values()):
        for form in known:
            if form in text:
                text = text.replace(form, MASK)
    if "_" in text:
        text = _TOKEN.sub(MASK, text)
    return _USER.sub(rf"\1{MASK}@", text) if "@" in text else text


def outgoing(text: str) -> str:
    """`text` as it may be shown and taken elsewhere."""
    return _PARAMETER.sub(_parameter, hide(text))


def kept(text: str) -> str:
    """`text` as a document holds it; what signs in in an address is held in memory instead.

    The same process reads the address with it (`whole`); another one has to be told again.
    """
    if not _ADDRESS.fullmatch(text):
        return hide(text)
    signing = [value for _, name, value in _PARAMETER.findall(text) if SIGNS_IN.search(name)]
    if not signing or HELD in signing:
        return hide(text)  # nothing to hold, or a page sends back what is held
    # A Hub token is sent to the Hub alone, and what stands before a host works nowhere here.
    if MASK in text or _TOKEN.search(text) or _USER.search(text):
        return outgoing(text)
    for value in signing:
        remember(value)
        remember(unquote(value))
    masked = outgoing(text).replace(f"={MASK}", f"={HELD}")
    _held[masked.strip()] = text.strip()
    return masked


def whole(address: str) -> str:
    """The address with what signs in at it, where this process was told."""
    return _held.get(address.strip(), address)


def held() -> dict[str, str]:
    """What is held, for a child of this process, by its input and in no other way."""
    return dict(_held)


def hold(addresses: dict[str, str]) -> None:
    """Hold what the parent was told."""
    for address in addresses.values():
        kept(address)


def redact(text: str) -> str:
    """`text` with everything masked that may be a secret."""
    return _SAID.sub(lambda m: m.group(1) + MASK, _LIKE_A_TOKEN.sub(MASK, outgoing(text)))


def throughout(value: Any, mask: Callable[[str], str] = hide) -> Any:
    """The same JSON value with every text in it masked, names included."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(k) if isinstance(k, str) else k: throughout(v, mask) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [throughout(inner, mask) for inner in value]
    return value


def _parameter(found: re.Match[str]) -> str:
    before, name, _ = found.groups()
    return f"{before}{name}={MASK}" if SIGNS_IN.search(name) else found.group()
