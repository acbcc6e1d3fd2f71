"""What `save_to_disk` of `datasets` wrote: Arrow files, mapped into memory as they are."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb.train.data.inside import inside
from easymodel_nb.train.data.large import mapped
from easymodel_nb.train.data.reading import Reading, refusal

_DICT, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def is_saved(folder: Path) -> bool:
    """Whether the folder is one that `Dataset` or `DatasetDict` saved."""
    return (folder / _DICT).is_file() or _is_one(folder)


def _is_one(folder: Path) -> bool:
    return (folder / _STATE).is_file() and (folder / _INFO).is_file()


def read_saved(folder: Path, reading: Reading) -> dict[str, pa.Table]:
    """The saved splits; a single dataset is `train`, unless it was saved as another split."""
    if not (folder / _DICT).is_file():
        return {str(_json(folder / _STATE).get("_split") or "train"): _one(folder, reading)}
    names = _json(folder / _DICT).get("splits")
    if not isinstance(names, list) or not names:
        raise _broken(folder, f"{_DICT} names no splits")
    splits = {}
    for name in names:
        part = inside(folder, folder / str(name))
        if not _is_one(part):
            raise _broken(folder, f"the split {name!r} is not there")
        splits[str(name)] = _one(part, reading)
    return splits


def _one(folder: Path, reading: Reading) -> pa.Table:
    files = [item.get("filename", "") for item in _json(folder / _STATE).get("_data_files") or []]
    if not files:
        raise _broken(folder, f"{_STATE} names no data files")
    tables = []
    for name in files:
        reading.check()
        path = inside(folder, folder / name)
        if not path.is_file():
            raise _broken(folder, f"{name} is not there")
        try:
            tables.append(mapped(path))
        except (OSError, pa.ArrowException) as error:
            raise _broken(folder, f"{name} cannot be read ({error})") from None
    table = pa.concat_tables(tables)
    if table.num_rows == 0:
        raise refusal("file.empty", f"{folder.name} has no rows. Choose data with rows.")
    return table


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(path.parent, f"{path.name} cannot be read ({error})") from None
    return content if isinstance(content, dict) else {}


def _broken(folder: Path, why: str) -> Exception:
    return refusal(
        "file.unreadable",
        f"{folder.name} looks like a saved dataset, but {why}. Save it again with save_to_disk.",
    )
