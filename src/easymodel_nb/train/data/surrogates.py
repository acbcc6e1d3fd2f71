r"""Half an emoji in JSON: text that was cut inside `\ud83d\ude00` is no Unicode any more.

Tweets and comments that were shortened by length have it. It is read as the replacement
character, because neither Arrow nor a tokenizer takes it, and one letter is no reason to refuse
a file.
"""

import re
from typing import Any

_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


def mended(value: Any, text: str) -> Any:
    """The value that `text` says, without halves of characters."""
    return _whole(value) if _ESCAPED.search(text) else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(inner) for name, inner in value.items()}
    return value
