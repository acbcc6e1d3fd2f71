"""What a `source` names: something built in, a path, a variable, or a place on the network."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError, problem_error

BUILTIN = "builtin:"
VARIABLE = "variable:"
WEB = ("http://", "https://")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+]+://")


def short_name(source: str) -> str:
    """What a sentence calls a source."""
    text = source.strip().rstrip("/")
    if text.startswith(BUILTIN):
        return text.removeprefix(BUILTIN)
    if text.startswith(VARIABLE):
        return text.removeprefix(VARIABLE).strip()
    if text.startswith(WEB) or Path(text).is_absolute():
        return text.split("?", 1)[0].rsplit("/", 1)[-1]
    return text


def local_path(source: str, suffixes: Iterable[str] = ()) -> Path | None:
    """The file or folder a source names, when it looks like a path or is one."""
    text = source.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':  # as Windows copies a path
        text = text[1:-1]
    if text.startswith("file://"):
        text = url2pathname(urlsplit(text).path)
    if text.startswith((BUILTIN, VARIABLE)) or _SCHEME.match(text):
        return None
    path = Path(text).expanduser()
    looks = (
        text.startswith(("/", ".", "~"))
        or "\\" in text
        or text.lower().endswith(tuple(suffixes) or ("\0",))
    )
    return path if looks or path.exists() else None


def builtin_path(source: str, known: tuple[Any, ...]) -> Path:
    """The folder of something built in.

    Raises
    ------
    StudioError
        When there is none of that name, or it comes with an extra that is not installed.

    """
    name = source.removeprefix(BUILTIN)
    names = [item.name for item in known]
    folder = None
    try:
        folder = builtin.path(name)
    except builtin.PackagedModelError as error:
        raise at_source("source.builtin", str(error)) from None
    except LookupError:
        pass
    if folder is None or name not in names:
        raise at_source(
            "source.builtin",
            f"There is no {source}; built in are {', '.join(BUILTIN + n for n in names)}.",
        )
    return folder


def bad_source(kind: str, source: str) -> StudioError:
    """A source that names nothing that can be understood."""
    return at_source(
        "source.unknown",
        f"{source!r} is neither a {kind} on the Hub (owner/name), nor a Hub URL, a path, "
        "or a builtin: name.",
    )


def at_source(code: str, message: str) -> StudioError:
    """A problem of the field `source`."""
    return problem_error(code, message, field="source")
