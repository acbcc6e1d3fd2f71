"""Hears every connection that Python opens while a run is under way, and writes down where to.

The interpreter tells its audit hooks of each name that is looked up and each socket that is
connected, whatever library does it. Two things it cannot tell: connections that native code
opens (the Hub's own transfer library), and which of several looked-up names an address belongs
to; the last one looked up for the same port is taken.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from easymodel_nb.runlog import destinations
from easymodel_nb.runlog.destinations import Destination, Destinations, During, Kind
from easymodel_nb.runlog.events import now
from easymodel_nb.runlog.log import RunReader

_OURS = "easymodel-"
_NATIVE = {
    "hf_xet": "Large files of the Hub may have come or gone through its own transfer library "
    "(hf_xet), whose connections Python does not see. They go where the Hub sends it, such as "
    "*.xethub.hf.co.",
}
_OWN_CODE = (
    "The Python code of {} ran with this model. What it contacts in ways that Python does not see, "
    "or did when the model was looked at before the run began, is not in this list."
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class _Ear:
    """What one run contacts; called from whatever thread connects."""

    def __init__(self, folder: Path, during: During) -> None:
        self._folder, self._during = folder, during
        self._owner = threading.current_thread().name
        self._lock = threading.Lock()
        self._asked: dict[int | None, str] = {}
        before = destinations.read(folder) or Destinations()
        self._known = before
        self._kinds = _kinds(folder)
        self._write()

    def belongs(self, thread: str) -> bool:
        """Whether the thread works for this run: its own, its helpers, a library's."""
        if thread == self._owner or thread.startswith(f"{self._owner}-"):
            return True
        # Cells of the notebook and what else the studio does are not this run's.
        return not thread.startswith((_OURS, "MainThread", "IPy", "Control", "subshell", "Heart"))

    def asked(self, host: str, port: int | None) -> None:
        """A name is looked up."""
        with self._lock:
            self._asked[port] = host
            self._note(host, port, 0)

    def connected(self, address: str, port: int) -> None:
        """A socket is connected."""
        with self._lock:
            self._note(self._asked.get(port, self._asked.get(None, address)), port, 1)

    def end(self) -> None:
        """Say what could not be seen."""
        with self._lock:
            if (whose := _own_code(self._folder)) is not None:
                self._known.unseen = [*{*self._known.unseen, _OWN_CODE.format(whose)}]
            for module, said in _NATIVE.items():
                if module in sys.modules and said not in self._known.unseen and self._known.found:
                    self._known.unseen.append(said)
            self._write()

    def _note(self, host: str, port: int | None, times: int) -> None:
        for found in self._known.found:
            if (found.host, found.port, found.during) == (host, port, self._during):
                found.times += times
                return
        kind = self._kinds.get(host, "other")
        self._known.found.append(
            Destination(
                host=host, port=port, kind=kind, during=self._during, first=now(), times=times
            )
        )
        self._write()  # at once: what is killed later has told where it was

    def _write(self) -> None:
        with suppress(OSError):
            destinations.write(self._folder, self._known)


def _own_code(folder: Path) -> str | None:
    """Whose Python code ran with the model; None where none did."""
    with suppress(OSError, ValueError, AttributeError):
        plan = json.loads((folder / "plan.json").read_bytes())
        named = (plan.get("model") or {}).get("code") or {}
        return str(named["repo"]) if "repo" in named else None
    return None


def _kinds(folder: Path) -> dict[str, Kind]:
    """What the hosts are that this run has reason to contact."""
    known: dict[str, Kind] = {}
    for name in _PROXIES:
        value = os.environ.get(name) or os.environ.get(name.upper()) or ""
        if host := _host(value if "//" in value else f"//{value}"):
            known[host] = "proxy"
    request = RunReader(folder).folded().request
    source = (request.get("dataset") or {}).get("data", {}).get("source")
    if isinstance(source, str) and (host := _host(source)):
        known[host] = "source"
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    for url in (endpoint, "https://huggingface.co", "https://hf.co"):
        if host := _host(url):
            known[host] = "hub"
    return known


def _host(url: str) -> str | None:
    with suppress(ValueError):
        return urlsplit(url.strip()).hostname
    return None


_ears: tuple[_Ear, ...] = ()  # made anew at each change, so that no lock is needed to hear
_installed = False
_install_lock = threading.Lock()


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if not _ears or not event.startswith("socket."):
        return
    with suppress(Exception):  # what is raised here would keep the connection from being made
        name = threading.current_thread().name
        for ear in _ears:
            if ear.belongs(name):
                _tell(ear, event, args)


def _tell(ear: _Ear, event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        port = args[1]
        ear.asked(_text(args[0]), int(port) if str(port or "").isdigit() else None)
    elif event == "socket.connect" and isinstance(args[1], tuple):  # else a socket of this machine
        ear.connected(_text(args[1][0]), int(args[1][1]))


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")


@contextmanager
def recorded(folder: Path, during: During) -> Iterator[None]:
    """Record what this thread, its helpers and the libraries' threads contact meanwhile."""
    global _ears, _installed  # noqa: PLW0603  a hook cannot be taken out again, so there is one
    with _install_lock:
        if not _installed:
            sys.addaudithook(_hear)
            _installed = True
    ear = _Ear(folder, during)
    with _install_lock:
        _ears = (*_ears, ear)
    try:
        yield
    finally:
        with _install_lock:
            _ears = tuple(other for other in _ears if other is not ear)
        ear.end()
