"""A dataset node's source as tables, wherever it lies."""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from easymodel_nb import builtin, environment
from easymodel_nb.train.addresses import (
    BUILTIN,
    VARIABLE,
    WEB,
    bad_source,
    builtin_path,
    local_path,
    short_name,
)
from easymodel_nb.train.control import Control
from easymodel_nb.train.data import url, variables
from easymodel_nb.train.data.files import SUFFIXES, read_file
from easymodel_nb.train.data.folders import read_folder
from easymodel_nb.train.data.inside import everything
from easymodel_nb.train.data.raw import PACKED
from easymodel_nb.train.data.reading import DatasetTables, Guess, Reading, refusal
from easymodel_nb.train.hub.dataset_splits import Loaded, Wanted, load_dataset
from easymodel_nb.train.hub.repository import Repo, parse_repo
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.workflow.document import DatasetData, FinetuneData

DATA_ENDINGS = tuple(SUFFIXES) + tuple(s + p for s in SUFFIXES for p in PACKED)


def open_dataset(
    data: DatasetData,
    token: str | None,
    control: Control,
    reporter: Reporter,
    finetune: FinetuneData | None = None,
    *,
    limit: int | None = None,
) -> DatasetTables:
    """The dataset's splits as tables.

    Of a large Hub dataset only what `finetune` asks for (subset_size, eval_size, seed) is read.

    Raises
    ------
    TooLarge
        When more than `limit` bytes would have to be downloaded.
    StudioError
        With the field to mend, when there is no such data or it cannot be read.

    """
    source = data.source.strip()
    reading = Reading(data.format, reporter.home / "cache" / "data", control.check)
    if source.startswith(VARIABLE):
        reporter.stage("loading", f"Reading the variable {short_name(source)}")
        return control.interruptible(
            lambda: variables.frozen(reporter.folder, source), tick=reporter.heartbeat
        )
    if is_local(source):
        reporter.stage("loading", f"Reading {short_name(source)}")
        return control.interruptible(lambda: read_local(data, reading), tick=reporter.heartbeat)
    repo = parse_repo(source, "dataset", data.revision)
    if repo is not None:
        wanted = _wanted(data, finetune)
        found = load_dataset(repo, data.config, token, control, reporter, wanted, limit=limit)
        return _from_hub(repo, found)
    if not source.startswith(WEB):
        raise bad_source("dataset", source)
    path = url.fetch(source, control, reporter, limit=limit)
    reporter.stage("loading", f"Reading {path.name}")
    splits = control.interruptible(lambda: read_file(path, reading), tick=reporter.heartbeat)
    return reading.tables(splits, path.name, "url")


def _wanted(data: DatasetData, finetune: FinetuneData | None) -> Wanted | None:
    if finetune is None or finetune.subset_size is None:
        return None
    return Wanted(
        finetune.subset_size,
        finetune.eval_size,
        finetune.seed,
        data.train_split,
        data.eval_split,
    )


def _from_hub(repo: Repo, found: Loaded) -> DatasetTables:
    guesses = (Guess("streaming", value=True, reason=found.streamed),) if found.streamed else ()
    return DatasetTables(
        found.splits, repo.id, "hub", found.sha, guesses, complete=not found.streamed
    )


def is_local(source: str) -> bool:
    """Whether the rows are on this machine, in a file or folder or built in."""
    return source.startswith(BUILTIN) or data_path(source) is not None


def data_path(source: str) -> Path | None:
    """The file or folder a dataset's source names, when it looks like one or is one."""
    return local_path(source, DATA_ENDINGS)


def read_local(data: DatasetData, reading: Reading) -> DatasetTables:
    """A file, a folder or a built-in dataset."""
    source = data.source.strip()
    if source.startswith(BUILTIN):
        folder = builtin_path(source, builtin.datasets())
        splits = read_folder(folder, reading, besides=frozenset({builtin.CARD}))
        return reading.tables(splits, short_name(source), "builtin")
    path = data_path(source)
    if path is None:
        raise bad_source("dataset", source)
    if PureWindowsPath(path).drive and os.name != "nt" and not path.exists():
        raise refusal(
            "file.missing",
            f"{path} is a path of a Windows computer, and this notebook runs on another machine. "
            "Upload the file (drop it on the canvas), or give its path on that machine.",
        )
    path = path.absolute()
    splits = read_folder(path, reading, data.config) if path.is_dir() else read_file(path, reading)
    return reading.tables(splits, path.name, "local")


def peek(
    data: DatasetData, home: Path | None = None, check: Callable[[], None] | None = None
) -> DatasetTables | None:
    """The dataset as it can be shown before training; None for one that is on the network.

    Of a large file these are the first rows (`complete` is False then), unless it was read before.
    """
    source = data.source.strip()
    home = home or environment.default_home()
    reading = Reading(data.format, home / "cache" / "data", preview=True)
    if check is not None:
        reading.check = check
    if source.startswith(VARIABLE):
        name = short_name(source)
        return reading.tables(variables.take(name, reading), name, "variable")
    if is_local(source):
        return _peeked(data, reading)
    if parse_repo(source, "dataset", data.revision) is None and not source.startswith(WEB):
        raise bad_source("dataset", source)
    return None


_recent: OrderedDict[str, DatasetTables] = OrderedDict()
_REMEMBERED = 2


def _peeked(data: DatasetData, reading: Reading) -> DatasetTables:
    """A local dataset; one that was looked at just now and has not changed is not read again."""
    path = data_path(data.source.strip())
    files = everything(path, reading) if path is not None and path.is_dir() else [path]
    states = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f and f.exists()]
    key = repr((data.source, data.config, data.format.model_dump(), str(reading.cache), states))
    found = _recent.get(key)
    if found is None or not found.complete:  # it may lie in the cache by now
        found = _recent[key] = read_local(data, reading)
        while len(_recent) > _REMEMBERED:
            _recent.popitem(last=False)
    return found
