"""A project as one file that means the same on another machine, and read from such a file.

The file is the workflow document itself. What is left out of it: everything that signs in
(tokens, passwords, signed addresses) always, and paths of this machine unless they are asked
for; in the place of a local source stands its name, to be chosen again.
"""

import json
import re
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from easymodel_nb.errors import problem_error
from easymodel_nb.redaction import SIGNS_IN, redact
from easymodel_nb.store.projects import Project
from easymodel_nb.train.addresses import WEB, local_path
from easymodel_nb.workflow.document import FORMAT, Workflow
from easymodel_nb.workflow.placeholders import placeholder, to_choose

SUFFIX = ".easymodel.json"
LARGEST = 1_000_000  # bytes, as of any document
# What a data file's name ends with; the trainer's own list costs a second to import.
_DATA = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".md", ".parquet", ".arrow", ".xlsx")
_HOMES = re.compile(r"(?:/home/|/Users/|(?<![A-Za-z])[A-Za-z]:\\Users\\)[^/\\\s\"']+|/root(?=/)")


class Parcel(NamedTuple):
    """A project's file, and in words what is not in it."""

    name: str
    text: str
    left_out: list[str]


class _Cleaner:
    """Makes a document of what may leave the machine; `left_out` says what could not."""

    def __init__(self, *, paths: bool) -> None:
        self._paths = paths
        self.left_out: list[str] = []

    def document(self, workflow: Workflow) -> dict[str, Any]:
        raw = workflow.dump()
        for node, drawn in zip(raw["nodes"], workflow.nodes, strict=True):
            source = node["data"].get("source")
            if drawn.type in {"model", "dataset"} and isinstance(source, str):
                node["data"]["source"] = self._source(source, drawn.type, drawn.title)
        cleaned: dict[str, Any] = self._value(raw, "the project")
        return cleaned

    def _source(self, source: str, kind: str, title: str) -> str:
        if source.strip().startswith(WEB):
            return self._address(source.strip(), title)
        path = local_path(source, _DATA if kind == "dataset" else ()) if source.strip() else None
        if path is None or self._paths:
            return source
        name = PureWindowsPath(str(path)).name or str(path)  # splits at both kinds of slashes
        self._leave_out(f"the path of {name} ({title})")
        return placeholder(name)

    def _address(self, address: str, title: str) -> str:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        query = [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not SIGNS_IN.search(name)
        ]
        if host == parts.netloc and len(query) == len(
            parse_qsl(parts.query, keep_blank_values=True)
        ):
            return address
        self._leave_out(f"what signs in at {host} ({title})")
        return urlunsplit(parts._replace(netloc=host, query=urlencode(query)))

    def _value(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: self._value(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._value(inner, key) for inner in value]
        if not isinstance(value, str) or not value:
            return value
        if SIGNS_IN.search(key):
            self._leave_out(f"the value of {key}")
            return ""
        text = redact(value)
        if text != value:
            self._leave_out("a token")
        if self._paths:
            return text
        for home in {str(Path.home()), str(Path.home().resolve())} - {"/"}:
            text = re.sub(rf"{re.escape(home)}(?=[/\\]|$)", "~", text)
        return _HOMES.sub("~", text)

    def _leave_out(self, what: str) -> None:
        if what not in self.left_out:
            self.left_out.append(what)


def pack(project: Project, *, paths: bool = False) -> Parcel:
    """The project's file; with `paths`, local sources are written as they are."""
    cleaner = _Cleaner(paths=paths)
    document = cleaner.document(project.workflow)
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return Parcel(file_name(project.name), text, cleaner.left_out)


def file_name(name: str) -> str:
    """A file's name that every system takes."""
    plain = re.sub(r"[^\w\- ]+", "", name).strip().replace(" ", "-")
    return f"{plain[:80] or 'project'}{SUFFIX}"


def unpack(text: str) -> Workflow:
    """The workflow of a project's file.

    Raises
    ------
    StudioError
        When it is no such file, is too large, or comes from a newer version.

    """
    size = len(text.encode("utf-8", "replace"))
    if size > LARGEST:
        raise problem_error(
            "import.large",
            f"This file takes {size / 1e6:.1f} MB, and a project at most {LARGEST / 1e6:.0f} MB. "
            f"Choose a file that ends in {SUFFIX}.",
        )
    try:
        raw = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise _no_project("it is no JSON") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise _no_project("it does not say that it is a workflow")
    if not isinstance(raw.get("nodes", []), list):
        raise _no_project("its nodes are no list")
    return Workflow.read(raw)


def missing(workflow: Workflow) -> list[str]:
    """In words, what has to be chosen again in a workflow from another machine."""
    found = []
    for node in (*workflow.of_type("model"), *workflow.of_type("dataset")):
        name = to_choose(str(node.data.get("source") or ""))
        if name is not None:
            found.append(f"{name} ({node.title})")
    return found


def _no_project(why: str) -> Exception:
    return problem_error(
        "import.format",
        f"This is no EasyModel project: {why}. Choose a file that was exported from the studio; "
        f"its name ends in {SUFFIX}.",
    )
