"""Sources that a typed text may mean: what lies on this machine at once, then what the Hub finds.

A search takes up to seconds, so it is done on a thread of its own, and only for
what was typed last. Nothing is searched for twice, unless the Hub could not be asked.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from easymodel_nb.errors import StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.widgets.methods import SuggestParams, SuggestResult
from easymodel_nb.widgets.state import SourceOption
from easymodel_nb.widgets.worker import Worker

T = TypeVar("T")
_KEPT = 64
_SEARCHED = 2  # letters from which on the Hub is searched
_PAUSE_SECONDS = 15.0  # after the Hub could not be asked
_FRESH_SECONDS = 30.0  # for so long what lies here is not looked through again
_PATHS = ("/", ".", "~", "\\")
_SCHEMES = ("builtin:", "variable:", "http:", "https:", "file:")


class Found(NamedTuple):
    """What a search gave; `offline` is why the Hub gave nothing."""

    items: list[SourceOption]
    offline: str | None = None


Find = Callable[[SuggestParams], Found]


class Suggestions:
    """Answers at once with what is known, and searches on."""

    def __init__(self, local: Find, hub: Find) -> None:
        self._local, self._hub = local, hub
        self._lock = threading.Lock()
        self._here: OrderedDict[str, tuple[Found, float]] = OrderedDict()  # with when
        self._there: OrderedDict[str, Found] = OrderedDict()
        self._wanted: dict[str, str] = {}  # kind -> key of what was typed last
        self._under_way: set[str] = set()
        self._paused = ("", 0.0)  # why, and until when
        self._worker = Worker("easymodel-suggest", threads=2)

    def ask(self, params: SuggestParams) -> SuggestResult:
        """What is known now; returns at once."""
        key = params.model_dump_json()
        with self._lock:
            self._wanted[params.kind] = key
            here, looked = self._here.get(key, (None, 0.0))
            there = self._there.get(key)
            if there is None and not searched(params.text):
                there = Found([])
            if there is None and time.monotonic() < self._paused[1]:
                there = Found([], self._paused[0])
            fresh = here is not None and time.monotonic() - looked < _FRESH_SECONDS
            done = fresh and there is not None
            if not done and key not in self._under_way:
                self._under_way.add(key)
                self._worker.submit(lambda: self._work(key, params))
                self._worker.start()
        items = here.items if here else []
        known = {item.source for item in items}
        found = [item for item in (there.items if there else []) if item.source not in known]
        return SuggestResult(
            items=[*items, *found],
            checking=not done,
            offline=there.offline if there else None,
        )

    def forget(self) -> None:
        """Search anew for everything: the network or the token may have changed."""
        with self._lock:
            self._there.clear()
            self._here.clear()
            self._paused = ("", 0.0)

    def close(self) -> None:
        """End the threads."""
        self._worker.close()

    def _work(self, key: str, params: SuggestParams) -> None:
        try:
            with self._lock:
                wanted = self._wanted.get(params.kind) == key
                looked = self._here[key][1] if key in self._here else float("-inf")
                paused = time.monotonic() < self._paused[1]
                there = key in self._there or paused or not searched(params.text)
            if not wanted:  # something else has been typed since
                return
            if time.monotonic() - looked >= _FRESH_SECONDS:
                self._keep(self._here, key, (_quietly(self._local, params), time.monotonic()))
            if not there:
                found = _quietly(self._hub, params)
                if found.offline:
                    with self._lock:
                        self._paused = (found.offline, time.monotonic() + _PAUSE_SECONDS)
                else:
                    self._keep(self._there, key, found)
        finally:
            with self._lock:
                self._under_way.discard(key)

    def _keep(self, kept: OrderedDict[str, T], key: str, found: T) -> None:
        with self._lock:
            kept[key] = found
            while len(kept) > _KEPT:
                kept.popitem(last=False)


def searched(text: str) -> bool:
    """Whether a text may be a name on the Hub, which then is asked for it."""
    plain = text.strip()
    return len(plain) >= _SEARCHED and not plain.startswith((*_PATHS, *_SCHEMES))


def _quietly(find: Find, params: SuggestParams) -> Found:
    """A search whose failure is an empty list: nobody asked for it in so many words."""
    try:
        return find(params)
    except Exception as error:  # noqa: BLE001  whatever it is, typing goes on
        return Found([], redact(str(error)) or type(error).__name__)


def on_this_machine(params: SuggestParams) -> Found:
    """What lies on this machine: folders, files, the Hub client's cache."""
    from easymodel_nb.train.heavy import import_hub  # noqa: PLC0415
    from easymodel_nb.train.local_sources import cached, paths  # noqa: PLC0415

    import_hub()
    found = [*paths(params.kind, params.text), *cached(params.kind, params.text)]
    return Found([SourceOption.model_validate(item, from_attributes=True) for item in found])


def on_the_hub(token: Callable[[], str | None]) -> Find:
    """Finds names on the Hub."""

    def find(params: SuggestParams) -> Found:
        from easymodel_nb.train.heavy import import_hub  # noqa: PLC0415
        from easymodel_nb.train.hub.answers import why_local  # noqa: PLC0415
        from easymodel_nb.train.hub.search import search  # noqa: PLC0415

        import_hub()
        try:
            hits = search(params.kind, params.text.strip(), params.task, token())
        except StudioError as error:
            return Found([], why_local(error))
        return Found(
            [
                SourceOption(
                    source=hit.id,
                    title=hit.id,
                    detail=hit.detail,
                    tasks=list(hit.tasks),
                    origin="hub",
                    offline=False,
                    gated=hit.gated,
                )
                for hit in hits
            ]
        )

    return find
