"""A download that shows what has arrived, and ends when nobody waits for it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.refusals import guarded
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.reporter import Reporter

T = TypeVar("T")
_CHUNK = 1 << 18


def with_progress(
    work: Callable[[], T],
    repo: Repo,
    token: str | None,
    control: Control,
    reporter: Reporter,
    *,
    blobs: list[str] | None = None,
    counted: Callable[[], float] = lambda: 0,
) -> T:
    """Do a download and show its progress.

    It is what has arrived in the cache, of the named `blobs` or of anything, or what the
    client has `counted`: some transfers come to the disk late, others are counted late.
    """
    from huggingface_hub import constants  # noqa: PLC0415

    name = f"{repo.type}s--{repo.id.replace('/', '--')}"
    folder = Path(constants.HF_HUB_CACHE) / name / "blobs"
    there = {path.name for path in folder.glob("*")}
    # What an earlier download left unfinished is not gone on with.
    old = {n for n in there if blobs is None or n.endswith(".incomplete")}
    before = _arrived(folder, old, blobs)

    def tick() -> None:
        reporter.advance(max(_arrived(folder, old, blobs), before + counted()))

    with _small_chunks():
        return guarded(lambda: control.interruptible(work, tick=tick), repo, token)


@contextlib.contextmanager
def _small_chunks() -> Iterator[None]:
    """Let a plain HTTP download move, and look at a stop, more often than every 10 MB."""
    from huggingface_hub import constants  # noqa: PLC0415

    before = constants.DOWNLOAD_CHUNK_SIZE
    constants.DOWNLOAD_CHUNK_SIZE = min(before, _CHUNK)
    try:
        yield
    finally:
        constants.DOWNLOAD_CHUNK_SIZE = before


def _arrived(folder: Path, old: set[str], blobs: list[str] | None) -> int:
    total = 0
    for path in folder.glob("*"):
        if path.name in old or (blobs is not None and path.name.split(".")[0] not in blobs):
            continue
        with contextlib.suppress(OSError):  # renamed from .incomplete meanwhile
            total += path.stat().st_size
    return total
