"""Where a model comes from: built in, local, on the Hub, or a run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError
from easymodel_nb.train.addresses import (
    BUILTIN,
    at_source,
    bad_source,
    builtin_path,
    local_path,
    short_name,
)
from easymodel_nb.train.control import Control
from easymodel_nb.train.described import Described, Detail
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.model_files import download_model
from easymodel_nb.train.hub.models import folder_facts
from easymodel_nb.train.hub.repository import parse_repo
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.abilities import tasks_of, tasks_of_code
from easymodel_nb.trust import questions
from easymodel_nb.trust.permits import NOTHING, Permit
from easymodel_nb.workflow.document import ModelData


@dataclass(frozen=True)
class ModelFolder:
    """A model on this machine."""

    path: Path
    name: str
    kind: str  # builtin, local, hub, run
    revision: str | None = None
    missing_bytes: int = 0  # of the weights, still to be downloaded
    permit: Permit = NOTHING  # what the user allowed it


def open_model(
    data: ModelData,
    token: str | None,
    control: Control,
    reporter: Reporter,
    *,
    weights: bool = True,
) -> ModelFolder:
    """The model's folder, downloaded when it is on the Hub; config and tokenizer without `weights`.

    Raises
    ------
    StudioError
        With the field `source`, when there is no such model or it cannot be had.

    """
    source = data.source.strip()
    if source.startswith(BUILTIN):
        reporter.stage("loading", f"Opening {source}")
        return ModelFolder(builtin_path(source, builtin.models()), short_name(source), "builtin")
    path = local_path(source)
    if path is not None:
        reporter.stage("loading", f"Opening {path.name}")
        folder = _model_folder(path)
        if weights and (asked := questions.pickled_folder(reporter.home, folder)) is not None:
            raise StudioError(asked)
        return ModelFolder(folder, path.name, "local")
    repo = parse_repo(source, "model", data.revision)
    if repo is None:
        raise bad_source("model", source)
    found = download_model(repo, token, control, reporter, weights=weights)
    return ModelFolder(_model_folder(found.path), repo.id, "hub", found.sha, found.missing_bytes)


def _model_folder(path: Path) -> Path:
    if not path.exists():
        raise at_source("file.missing", f"There is no model folder at {path}. Check the path.")
    if not (path / "config.json").exists():
        raise at_source(
            "model.folder",
            f"{path} is no model folder: it has no config.json. Choose the folder that "
            "save_pretrained wrote.",
        )
    return path.absolute()


def describe_model(data: ModelData, home: Path | None = None) -> Described | None:
    """Two facts of a model that is on this machine; None for one that is not looked at yet.

    `home` knows what the user allowed it: without one, nothing is asked.
    """
    source = data.source.strip()
    if source.startswith(BUILTIN):
        folder = builtin_path(source, builtin.models())
        card = next(m for m in builtin.models() if m.name == short_name(source))
        where = f"{card.licence}, built in, {megabytes(card.bytes)}"
        told = [*folder_facts(folder).details, Detail("Licence", card.licence)]
        return Described([card.title, where], tasks=list(tasks_of(_config(folder))), details=told)
    path = local_path(source)
    if path is None:
        if parse_repo(source, "model", data.revision) is None:
            raise bad_source("model", source)
        return None
    folder = _model_folder(path)
    config = _config(folder)
    weights = sum(
        p.stat().st_size for p in folder.iterdir() if p.suffix in {".safetensors", ".bin"}
    )
    kind = (config.get("architectures") or [config.get("model_type", "model")])[0]
    lines = [str(kind), f"local folder, {megabytes(weights)} of weights"]
    details = folder_facts(folder).details
    if home is None:
        return Described(lines, tasks=list(tasks_of(config)), details=details)
    asked = questions.pickled_folder(home, folder) or questions.of_code(home, folder)
    own = questions.code_facts(home, folder)
    return Described(
        lines,
        tasks=list(tasks_of(config) if own is None else tasks_of_code(own.classes)),
        details=details,
        code=own,
        problem=asked,
    )


def _config(folder: Path) -> dict[str, Any]:
    """A model's config.json.

    Raises
    ------
    StudioError
        When it is no JSON object.

    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise at_source(
            "model.config",
            f"The config.json in {folder} is damaged: it is no JSON object. Download or save the "
            "model again.",
        )
    return config
