"""Models and data on this machine that can be chosen: in the Hub client's cache, in folders."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from easymodel_nb.train.data.open import DATA_ENDINGS
from easymodel_nb.train.hub import cache
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.repository import RepoType
from easymodel_nb.train.tasks.abilities import tasks_of

_PATH = ("/", "./", "../", "~")
_LOOKED_AT = 2_000  # entries of a folder
_SHOWN = 8


@dataclass(frozen=True)
class LocalSource:
    """A source as a list of choices tells it."""

    source: str
    title: str
    detail: str
    origin: str  # cache, folder
    tasks: list[str] = field(default_factory=list)
    offline: bool = True  # trains without a network


def cached(kind: RepoType, text: str) -> Iterator[LocalSource]:
    """Repositories in the Hub client's cache whose name has the text, those that train offline."""
    needle = text.strip().lower()
    # Of others no more than a config may be here, from a look at them.
    here = (repo for repo in cache.CACHE.repos(kind) if repo.whole)
    found = (repo for repo in here if needle in repo.id.lower())
    for repo in islice(found, _SHOWN):
        size = megabytes(repo.bytes)
        yield LocalSource(repo.id, repo.id, f"{size}, trains offline", "cache", list(repo.tasks))


def paths(kind: RepoType, text: str) -> Iterator[LocalSource]:
    """What a path that is being typed may become; else what lies in the notebook's folder."""
    typed = text.strip()
    is_path = typed.startswith(_PATH) or "\\" in typed
    if not is_path and typed.startswith("."):
        return
    folder, _, start = typed.rpartition("/") if is_path else (".", "", typed)
    shown = f"{folder}/"
    root = Path(shown).expanduser()
    kinds = _models if kind == "model" else _data
    yield from islice(kinds(root, shown, start.lower(), is_path), _SHOWN)


def _entries(root: Path, start: str, *, typed: bool) -> list[Path]:
    try:
        known = sorted(islice(root.iterdir(), _LOOKED_AT), key=lambda path: path.name.lower())
    except OSError:
        return []
    return [
        path
        for path in known
        if not path.name.startswith(".")
        and (path.name.lower().startswith(start) if typed else start in path.name.lower())
    ]


def _models(root: Path, shown: str, start: str, typed: bool) -> Iterator[LocalSource]:  # noqa: FBT001
    onward = []
    for path in _entries(root, start, typed=typed):
        if not path.is_dir():
            continue
        config = cache.config_of(path)
        source = f"{shown}{path.name}"
        if config.get("model_type") or config.get("architectures"):
            tasks = list(tasks_of(config))
            yield LocalSource(source, path.name, "model folder", "folder", tasks)
        elif typed:
            onward.append(LocalSource(f"{source}/", f"{path.name}/", "folder", "folder"))
    yield from onward


def _data(root: Path, shown: str, start: str, typed: bool) -> Iterator[LocalSource]:  # noqa: FBT001
    onward = []
    for path in _entries(root, start, typed=typed):
        source = f"{shown}{path.name}"
        if path.is_dir():
            if typed:
                onward.append(LocalSource(f"{source}/", f"{path.name}/", "folder", "folder"))
        elif path.name.lower().endswith(DATA_ENDINGS):
            size = megabytes(path.stat().st_size)
            yield LocalSource(source, path.name, f"file, {size}", "folder")
    yield from onward
