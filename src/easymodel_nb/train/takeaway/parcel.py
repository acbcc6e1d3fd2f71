"""What leaves the machine with a model: its files, its card, and the licence texts."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb.errors import problem_error
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.takeaway import card as cards
from easymodel_nb.train.takeaway.origins import Origin, origins

CARD = "README.md"
_UNFIT = re.compile(r"[^\w.-]+")
_BASE = "base_model_name_or_path"
_PATHS = (_BASE, "_name_or_path", "name_or_path")
_WHY_NOT = {
    "queued": "has not started yet",
    "running": "is still training",
    "failed": "has failed",
    "interrupted": "was interrupted",
    "stopped": "was stopped before its end",
}


@dataclass(frozen=True)
class Item:
    """One file: its name with slashes, and where it lies or what it holds."""

    name: str
    source: Path | bytes

    @property
    def bytes(self) -> int:
        """Its size."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


@dataclass(frozen=True)
class Parcel:
    """A model ready to go, the card first; `name` is a folder's."""

    name: str
    items: tuple[Item, ...]
    card: str
    licence: str

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(item.bytes for item in self.items)


def refuse_unfinished(run: Run) -> None:
    """Let only a finished run go to other people.

    Raises
    ------
    StudioError
        When the run was stopped, has failed, was interrupted or goes on.

    """
    status = run.status
    if status != "finished":
        raise problem_error(
            "push.unfinished",
            f"Only the model of a finished run is sent to the Hub; this one {_WHY_NOT[status]}. "
            "Its model folder and the zip are for you.",
        )


def model_folder(run: Run) -> Path:
    """The folder of the run's model.

    Raises
    ------
    StudioError
        When it has none, or somebody removed it.

    """
    path = run.model_path
    if path is None:
        raise problem_error(
            "run.no_model", f"Run {run.id} has no model to take away: it is {run.status}."
        )
    if not path.is_dir():
        raise problem_error("run.model_gone", f"The model's folder {path} is not there any more.")
    return path


def parcel(
    run: Run, *, folder: Path | None = None, repo: str | None = None, api: Any = None
) -> Parcel:
    """Everything that goes along; `folder` holds the merged model where that is meant.

    Raises
    ------
    StudioError
        When the run has no model.

    """
    model = folder or model_folder(run)
    found = origins(run, api)
    facts = cards.facts(run, found, folder=model, repo=repo)
    text = cards.card(facts)
    items = [Item(CARD, text.encode())]
    items += [
        Item(path.relative_to(model).as_posix(), _clean(path, found.model))
        for path in sorted(model.rglob("*"))
        if path.is_file() and path.relative_to(model).as_posix() != CARD
    ]
    for origin in (found.model, *found.datasets):
        items += [Item(_place(origin, notice), notice) for notice in origin.notices]
    name = _UNFIT.sub("-", facts.name).strip(".-") or "model"
    return Parcel(name, tuple(items), text, found.model.licence_line)


def _clean(path: Path, base: Origin) -> Path | bytes:
    """The file, or its content without the path of this machine that libraries write into it."""
    if not path.name.endswith("config.json"):
        return path
    content = json.loads(path.read_text(encoding="utf-8"))
    known = base.hub or base.name
    wrong = {key: known for key in _PATHS if content.get(key, known) not in {known, "", None}}
    if not wrong:
        return path
    content |= wrong
    if _BASE in wrong and base.hub and base.revision:
        content["revision"] = base.revision
    return (json.dumps(content, indent=2) + "\n").encode()


def _place(origin: Origin, notice: Path) -> str:
    owner = origin.name.removeprefix("builtin:").replace("/", "--")
    return f"licences/{origin.what}-{owner}/{notice.name}"


def same(item: Item, sibling: Any) -> bool:
    """Whether the Hub has the file as it is here, by its size and the Hub's own checksum."""
    if sibling is None or sibling.size != item.bytes:
        return False
    if sibling.lfs is not None:
        return bool(sibling.lfs.sha256 == _digest(item, hashlib.sha256()))
    blob = hashlib.sha1(b"blob %d\0" % item.bytes, usedforsecurity=False)
    return bool(sibling.blob_id == _digest(item, blob))


def _digest(item: Item, digest: Any) -> str:
    if isinstance(item.source, bytes):
        digest.update(item.source)
    else:
        with item.source.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return str(digest.hexdigest())
