"""Where a model and a dataset come from: built in, local, on the Hub, behind a URL, or a run."""

import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.train import fields, hub
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.splits import (  # the engine knows two of them by this address
    choose_splits,
    eval_split,  # noqa: F401
    train_split,  # noqa: F401
)
from easymodel_nb.train.tables import READERS, read_file, read_folder
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

_BUILTIN = "builtin:"
_VARIABLE = "variable:"
_CHUNK = 1 << 18
_URL_TIMEOUT = 20
PREVIEW_ROWS = 20
_CELL = 200


@dataclass(frozen=True)
class ModelFolder:
    """A model on this machine."""

    path: Path
    name: str
    kind: str  # builtin, local, hub, run
    revision: str | None = None


@dataclass(frozen=True)
class DatasetTables:
    """A dataset on this machine, split by split."""

    splits: dict[str, pa.Table]
    name: str
    kind: str  # builtin, local, hub, url
    revision: str | None = None


@dataclass(frozen=True)
class Described:
    """What can be said of a source before training."""

    lines: list[str]
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    total_rows: int | None = None
    roles: dict[str, str] = field(default_factory=dict)


def short_name(source: str) -> str:
    """What a sentence calls a source."""
    text = source.strip().rstrip("/")
    if text.startswith(_BUILTIN):
        return text.removeprefix(_BUILTIN)
    if text.startswith(("http://", "https://")) or Path(text).is_absolute():
        return text.rsplit("/", 1)[-1]
    return text


def local_path(source: str) -> Path | None:
    """The file or folder a source names, when it looks like a path or is one."""
    text = source.strip()
    if text.startswith(("http://", "https://", _BUILTIN, _VARIABLE)):
        return None
    path = Path(text).expanduser()
    looks = text.startswith(("/", ".", "~")) or "\\" in text or path.suffix.lower() in READERS
    return path if looks or path.exists() else None


# ---------------------------------------------------------------- models


def open_model(
    data: ModelData, token: str | None, control: Control, reporter: Reporter
) -> ModelFolder:
    """The model's folder, downloaded when it is on the Hub.

    Raises
    ------
    StudioError
        With the field `source`, when there is no such model or it cannot be had.

    """
    source = data.source.strip()
    if source.startswith(_BUILTIN):
        reporter.stage("loading", f"Opening {source}")
        return ModelFolder(_builtin(source, builtin.models()), short_name(source), "builtin")
    path = local_path(source)
    if path is not None:
        reporter.stage("loading", f"Opening {path.name}")
        return ModelFolder(_model_folder(path), path.name, "local")
    repo = hub.parse_repo(source, "model", data.revision)
    if repo is None:
        raise _bad_source("model", source)
    folder, sha = hub.download_model(repo, token, control, reporter)
    return ModelFolder(_model_folder(folder), repo.id, "hub", sha)


def _model_folder(path: Path) -> Path:
    if not path.exists():
        raise _at_source("file.missing", f"There is no model folder at {path}. Check the path.")
    if not (path / "config.json").exists():
        raise _at_source(
            "model.folder",
            f"{path} is no model folder: it has no config.json. Choose the folder that "
            "save_pretrained wrote.",
        )
    return path.absolute()


def describe_model(data: ModelData) -> Described | None:
    """Two facts of a model that is on this machine; None for one that is not looked at yet."""
    source = data.source.strip()
    if source.startswith(_BUILTIN):
        _builtin(source, builtin.models())
        card = next(m for m in builtin.models() if m.name == short_name(source))
        return Described([card.title, f"{card.licence}, built in, {hub.megabytes(card.bytes)}"])
    path = local_path(source)
    if path is None:
        if hub.parse_repo(source, "model", data.revision) is None:
            raise _bad_source("model", source)
        return None
    folder = _model_folder(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = sum(
        p.stat().st_size for p in folder.iterdir() if p.suffix in {".safetensors", ".bin"}
    )
    kind = (config.get("architectures") or [config.get("model_type", "model")])[0]
    return Described([str(kind), f"local folder, {hub.megabytes(weights)} of weights"])


# ---------------------------------------------------------------- datasets


def open_dataset(
    data: DatasetData, token: str | None, control: Control, reporter: Reporter
) -> DatasetTables:
    """The dataset's splits as tables.

    Raises
    ------
    StudioError
        With the field to mend, when there is no such data or it cannot be read.

    """
    source = data.source.strip()
    if source.startswith(("http://", "https://")):
        repo = hub.parse_repo(source, "dataset", data.revision)
        if repo is None:
            return _from_url(source, data, control, reporter)
    else:
        if source.startswith((_BUILTIN, _VARIABLE)) or local_path(source) is not None:
            reporter.stage("loading", f"Reading {short_name(source)}")
            return control.interruptible(lambda: _local_dataset(data), tick=reporter.heartbeat)
        repo = hub.parse_repo(source, "dataset", data.revision)
        if repo is None:
            raise _bad_source("dataset", source)
    splits, sha = hub.load_dataset(repo, data.config, token, control, reporter)
    return DatasetTables(splits, repo.id, "hub", sha)


def _local_dataset(data: DatasetData) -> DatasetTables:
    source = data.source.strip()
    if source.startswith(_VARIABLE):
        raise _at_source(
            "source.variable",
            "Variables of the notebook cannot be trained on in this version yet. Save the data "
            "to a .csv, .jsonl or .parquet file and name that file.",
        )
    if source.startswith(_BUILTIN):
        folder = _builtin(source, builtin.datasets())
        return DatasetTables(read_folder(folder, data.format), short_name(source), "builtin")
    path = local_path(source)
    if path is None:
        raise _bad_source("dataset", source)
    path = path.absolute()
    if path.is_dir():
        return DatasetTables(read_folder(path, data.format), path.name, "local")
    return DatasetTables({"train": read_file(path, data.format)}, path.name, "local")


def _from_url(url: str, data: DatasetData, control: Control, reporter: Reporter) -> DatasetTables:
    """A data file behind a URL, kept in the run's own folder."""
    name = url.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    if Path(name).suffix.lower() not in READERS:
        raise _at_source(
            "source.url",
            f"{url} names no data file that can be read; it should end in {', '.join(READERS)}.",
        )
    path = reporter.folder / "data" / name
    path.parent.mkdir(exist_ok=True)
    reporter.stage("loading", f"Downloading {name}", unit="bytes")
    arrived = _Arrived()

    def tick() -> None:
        reporter.advance(arrived.bytes, total=arrived.total)

    control.interruptible(lambda: _fetch(url, path, arrived, control), tick=tick)
    return DatasetTables({"train": read_file(path, data.format)}, name, "url")


@dataclass
class _Arrived:
    bytes: float = 0
    total: float | None = None


def _fetch(url: str, path: Path, arrived: _Arrived, control: Control) -> None:
    try:
        with (
            urllib.request.urlopen(url, timeout=_URL_TIMEOUT) as answer,  # noqa: S310  http(s) only
            path.open("wb") as file,
        ):
            arrived.total = float(answer.headers.get("Content-Length") or 0) or None
            while chunk := answer.read1(_CHUNK):  # what is there, not all that is asked for
                control.check()
                file.write(chunk)
                arrived.bytes += len(chunk)
        if arrived.total and arrived.bytes < arrived.total:
            raise ConnectionError("the connection was cut")  # noqa: TRY301  told as its kin are
    except urllib.error.HTTPError as error:
        raise _at_source(
            "source.url", f"{url} answered {error.code} {error.reason}. Check the address."
        ) from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        why = getattr(error, "reason", error)
        raise _at_source(
            "hub.offline", f"{url} cannot be reached ({why}). Check the network and the address."
        ) from None


def describe_dataset(data: DatasetData, finetune: FinetuneData | None) -> Described | None:
    """Facts, first rows and the roles that would be chosen; None for data not on this machine."""
    source = data.source.strip()
    if source.startswith(("http://", "https://")):
        return None
    if not source.startswith((_BUILTIN, _VARIABLE)) and local_path(source) is None:
        if hub.parse_repo(source, "dataset", data.revision) is None:
            raise _bad_source("dataset", source)
        return None
    tables = _local_dataset(data)
    splits = choose_splits(tables, data)
    table, measured = splits.train, splits.evaluation
    held = (
        f"{measured.num_rows:,} held out"
        if measured is not None
        else f"{data.eval_fraction:.0%} held out".replace("%", " %")
    )
    where = "local file"
    if tables.kind == "builtin":
        card = next(d for d in builtin.datasets() if d.name == tables.name)
        where = f"{card.licence}, built in"
    roles = _described_roles(table, finetune or FinetuneData())
    shown = table.slice(0, PREVIEW_ROWS).to_pylist()
    return Described(
        [f"{table.num_rows:,} rows, {held}", f"{where}, {len(table.column_names)} columns"],
        list(table.column_names),
        [[_cell(row[name]) for name in table.column_names] for row in shown],
        table.num_rows,
        roles,
    )


def _described_roles(table: pa.Table, finetune: FinetuneData) -> dict[str, str]:
    try:
        chosen = fields.choose(table, finetune)
    except StudioError:
        return {}
    return chosen.fields


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def fingerprint(table: pa.Table) -> str:
    """A digest of the rows and their columns."""
    digest = hashlib.sha256()
    digest.update(json.dumps(table.column_names).encode())
    for batch in table.to_batches(max_chunksize=10_000):
        digest.update(json.dumps(batch.to_pylist(), default=str, ensure_ascii=False).encode())
    return digest.hexdigest()[:16]


# ---------------------------------------------------------------- problems


def _builtin(source: str, known: tuple[Any, ...]) -> Path:
    name = source.removeprefix(_BUILTIN)
    names = [item.name for item in known]
    if name not in names:
        raise _at_source(
            "source.builtin",
            f"There is no {source}; built in are {', '.join(_BUILTIN + n for n in names)}.",
        )
    return builtin.path(name)


def _bad_source(kind: str, source: str) -> StudioError:
    return _at_source(
        "source.unknown",
        f"{source!r} is neither a {kind} on the Hub (owner/name), nor a Hub URL, a path, "
        "or a builtin: name.",
    )


def _at_source(code: str, message: str) -> StudioError:
    return problem_error(code, message, field="source")
