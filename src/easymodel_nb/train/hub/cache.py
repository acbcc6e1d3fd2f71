"""What an earlier run left in the Hub client's cache: it can be trained on without a network."""

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.train.hub.asking import Fetched, from_cache
from easymodel_nb.train.hub.repository import Repo, RepoType
from easymodel_nb.train.tasks.abilities import tasks_of
from easymodel_nb.trust.pickles import is_weights

_FRESH_SECONDS = 30.0
_CARD = "README.md"


@dataclass(frozen=True)
class CachedRepo:
    """A repository in the cache; `whole` says that it can be trained on as it lies there."""

    id: str
    type: RepoType
    bytes: int
    folder: Path
    whole: bool
    tasks: tuple[str, ...] = ()


class Cache:
    """The repositories in the cache, looked through again after a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[CachedRepo] = []
        self._at: float | None = None

    def repos(self, kind: RepoType) -> list[CachedRepo]:
        """Those of a kind, the ones used last first."""
        with self._lock:
            if self._at is None or time.monotonic() - self._at > _FRESH_SECONDS:
                self._found, self._at = _scan(), time.monotonic()
            return [repo for repo in self._found if repo.type == kind]


CACHE = Cache()  # one for the process, as the client's own is


def _scan() -> list[CachedRepo]:
    from huggingface_hub import scan_cache_dir  # noqa: PLC0415
    from huggingface_hub.errors import CacheNotFound  # noqa: PLC0415

    try:
        known = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):
        return []
    found = []
    for repo in sorted(known, key=lambda repo: repo.last_accessed, reverse=True):
        if repo.repo_type not in {"model", "dataset"} or not repo.revisions:
            continue
        newest = max(repo.revisions, key=lambda revision: revision.last_modified)
        folder, kind = newest.snapshot_path, repo.repo_type
        whole = (model_whole if kind == "model" else _dataset_whole)(folder)
        tasks = tasks_of(config_of(folder)) if kind == "model" and config_of(folder) else ()
        found.append(CachedRepo(repo.repo_id, kind, newest.size_on_disk, folder, whole, tasks))
    return found


def model_whole(folder: Path) -> bool:
    """Whether a model's config and all of its weights are there."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if "config.json" not in names or not any(is_weights(name) for name in names):
        return False
    for name in names:
        if name.endswith(".index.json"):
            parts = (read_json(folder / name).get("weight_map") or {}).values()
            if not set(parts) <= names:
                return False
    return True


def _dataset_whole(folder: Path) -> bool:
    """Whether there are data files; which ones a run would want, their reader knows."""
    try:
        return any(
            path.is_file() and path.name != _CARD and not path.name.startswith(".")
            for path in folder.rglob("*")
        )
    except OSError:
        return False


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file; empty when there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def config_of(folder: Path) -> dict[str, Any]:
    """A model's config.json; empty when there is none."""
    return read_json(folder / "config.json")


def card_of(folder: Path) -> dict[str, Any]:
    """The metadata at the head of a repository's README.md."""
    from huggingface_hub.repocard import metadata_load  # noqa: PLC0415

    try:
        return metadata_load(folder / _CARD) or {}
    except (OSError, ValueError):
        return {}


def folder_of(repo: Repo, why: StudioError) -> Fetched | None:
    """Where a repository at its revision lies in the cache; None when it does not."""
    try:
        return from_cache(repo, why)
    except StudioError:
        return None
