"""The README.md of a `datasets` folder: which files are which split, and the names of classes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb.train.data.files import is_data_file
from easymodel_nb.train.data.inside import inside
from easymodel_nb.train.data.reading import Reading, first_line, refusal

_DEFAULT = "default"


@dataclass(frozen=True)
class Card:
    """What a README says of one config."""

    config: str
    files: dict[str, list[str]] = field(default_factory=dict)  # patterns by split
    features: Any = None  # `datasets.Features`


def read_card(folder: Path, config: str | None) -> Card | None:
    """The card of a folder, of its named config or of the one that stands for the whole.

    Raises
    ------
    StudioError
        On `config`, when it has no such config, or several and none was named.

    """
    path = folder / "README.md"
    about = _yaml(path) if path.is_file() else {}
    configs = {
        str(c["config_name"]): c for c in _dicts(about.get("configs")) if c.get("config_name")
    }
    infos = {str(i.get("config_name") or _DEFAULT): i for i in _dicts(about.get("dataset_info"))}
    names = list(configs or infos)
    if config is not None and names and config not in names:
        raise refusal(
            "config.missing",
            f"{folder.name} has no config {config!r}; it has {', '.join(names)}.",
            "config",
        )
    chosen = config or _the_one(folder, configs, names)
    if chosen is None:
        return None
    files = _patterns(configs.get(chosen, {}))
    features = None
    if chosen in infos and infos[chosen].get("features"):
        features = _features(folder, infos[chosen])
    return Card(chosen, files, features) if files or features is not None else None


def _the_one(folder: Path, configs: dict[str, Any], names: list[str]) -> str | None:
    if len(names) <= 1:
        return names[0] if names else None
    marked = [name for name, c in configs.items() if c.get("default")]
    if marked or _DEFAULT in names:
        return marked[0] if marked else _DEFAULT
    raise refusal(
        "config.unclear",
        f"{folder.name} has the configs {', '.join(names)}. Choose one.",
        "config",
    )


def _yaml(path: Path) -> dict[str, Any]:
    from huggingface_hub import metadata_load  # noqa: PLC0415

    try:
        found = metadata_load(path)
    except Exception as error:  # noqa: BLE001  whatever is wrong, it is the file's
        raise refusal(
            "file.unreadable",
            f"The YAML at the start of README.md in {path.parent.name} cannot be read: "
            f"{first_line(error)}. Fix or remove it.",
        ) from None
    return found if isinstance(found, dict) else {}


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, dict)]


def _patterns(config: dict[str, Any]) -> dict[str, list[str]]:
    named = config.get("data_files")
    if isinstance(named, dict):
        named = [{"split": split, "path": path} for split, path in named.items()]
    if isinstance(named, str) or (
        isinstance(named, list) and named and all(isinstance(item, str) for item in named)
    ):
        named = [{"split": "train", "path": named}]
    files: dict[str, list[str]] = {}
    base = str(config.get("data_dir") or "")
    for item in _dicts(named):
        paths = item.get("path")
        for path in paths if isinstance(paths, list) else [paths]:
            if path:
                files.setdefault(str(item.get("split") or "train"), []).append(
                    f"{base.rstrip('/')}/{path}" if base else str(path)
                )
    return files


def matching(folder: Path, pattern: str) -> list[Path]:
    """The data files of a pattern; none may lie outside the folder."""
    if "://" in pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise refusal(
            "source.outside",
            f"README.md of {folder.name} names {pattern}, which lies outside the folder, so it "
            "was not read. Put the file into the folder.",
        )
    found = sorted(folder.glob(pattern))
    return [inside(folder, path) for path in found if path.is_file() and is_data_file(path)]


# ---------------------------------------------------------------- features


def _features(folder: Path, info: dict[str, Any]) -> Any:
    from datasets.info import DatasetInfosDict  # noqa: PLC0415  takes a second
    from huggingface_hub import DatasetCardData  # noqa: PLC0415

    card = DatasetCardData(dataset_info={"features": info["features"]})
    try:
        (known,) = DatasetInfosDict.from_dataset_card_data(card).values()
    except Exception as error:
        raise refusal(
            "file.unreadable",
            f"The features in README.md of {folder.name} cannot be read: "
            f"{first_line(error)}. Fix or remove them.",
        ) from error
    return known.features


def with_features(
    folder: Path, card: Card, splits: dict[str, pa.Table], reading: Reading
) -> dict[str, pa.Table]:
    """The tables with the card's features in their metadata, and values as it says."""
    if card.features is None:
        return splits
    from datasets.table import table_cast  # noqa: PLC0415

    done = {}
    for name, table in splits.items():
        if set(table.column_names) != set(card.features):
            reading.note(
                "card.columns",
                f"README.md of {folder.name} describes other columns than its files have; the "
                "files hold.",
            )
            return splits
        ordered = table.select(list(card.features))
        try:
            done[name] = table_cast(ordered, card.features.arrow_schema)
        except (pa.ArrowException, TypeError, ValueError, KeyError) as error:
            reading.note(
                "card.features",
                f"The values in {folder.name} are not what its README.md says "
                f"({first_line(error)}); the files hold.",
            )
            return splits
    return done
