"""Where a run's data went: the hosts its process reached, as `destinations.json` in its folder."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

NAME = "destinations.json"
Kind = Literal["hub", "source", "proxy", "other"]
During = Literal["training", "pushing", "measuring"]

_SAID: dict[Kind, str] = {
    "hub": "the Hugging Face Hub",
    "source": "the address of the dataset",
    "proxy": "the proxy this machine uses",
    "other": "another host, such as where the Hub keeps large files",
}


class Destination(BaseModel):
    """One host; `times` 0 is one whose name was looked up and that was not reached."""

    host: str
    port: int | None = None
    kind: Kind = "other"
    during: During = "training"
    first: str = ""
    times: int = 0

    @property
    def where(self) -> str:
        """Host and port; the usual port goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in {None, 443} else f"{host}:{self.port}"


class Destinations(BaseModel):
    """All of them, and in words what could not be seen."""

    found: list[Destination] = []
    unseen: list[str] = []

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        if not self.found:
            return "Nothing was contacted: everything happened on this machine."
        hosts = len({(d.host, d.port) for d in self.found})
        if {d.kind for d in self.found} == {"hub"}:
            return "Only the Hugging Face Hub was contacted."
        return f"{hosts} {'host was' if hosts == 1 else 'hosts were'} contacted."


def said(destination: Destination) -> str:
    """What a host is, and when and how often it was reached."""
    times = {0: "looked up, not reached", 1: "one connection"}
    how = times.get(destination.times, f"{destination.times:,} connections")
    return f"{_SAID[destination.kind]}; {how} while {destination.during}"


def read(folder: Path) -> Destinations | None:
    """What was recorded of a run; None where nobody recorded it."""
    with suppress(OSError, ValueError, RecursionError):
        return Destinations.model_validate_json((folder / NAME).read_bytes())
    return None


def write(folder: Path, known: Destinations) -> None:
    """Replace what is recorded of a run."""
    temporary = folder / f".{NAME}.tmp"
    text = json.dumps(known.model_dump(mode="json"), ensure_ascii=False, indent=1)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(folder / NAME)
