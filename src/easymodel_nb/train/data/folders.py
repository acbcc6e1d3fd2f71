"""A folder as splits: named files, a `datasets` folder, a saved dataset, or texts."""

from pathlib import Path

import pyarrow as pa

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data import cards, saved
from easymodel_nb.train.data.files import SHOWN, is_data_file, read_file
from easymodel_nb.train.data.inside import everything, inside
from easymodel_nb.train.data.joining import joined
from easymodel_nb.train.data.names import split_named
from easymodel_nb.train.data.raw import head_of, refuse_kinds, stem_of, suffix_of
from easymodel_nb.train.data.reading import Reading, plural, refusal
from easymodel_nb.train.data.text_files import whole_text

_NO_DATA = frozenset({"dataset_info", "dataset_infos", "dataset_dict", "state", "metadata"})
_TEXTS = frozenset({".txt", ".text"})
_PAPERS = frozenset({"readme", "license", "licence", "changelog", "requirements"})
_SHOWN = 5


def read_folder(
    folder: Path,
    reading: Reading,
    config: str | None = None,
    *,
    besides: frozenset[str] = frozenset(),
) -> dict[str, pa.Table]:
    """The tables of a folder by split; files named `besides` hold no rows.

    Raises
    ------
    StudioError
        When it holds no data, no training file can be told from the others, a script would
        have to be run, or a file leads out of the folder.

    """
    if saved.is_saved(folder):
        return saved.read_saved(folder, reading)
    _refuse_script(folder)
    files = [
        path
        for path in everything(folder, reading)
        if is_data_file(path)
        and path.is_file()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        and not (suffix_of(path) == ".json" and stem_of(path) in _NO_DATA)
        and path.name not in besides
    ]
    for path in files:
        inside(folder, path)
    card = cards.read_card(folder, config)
    if card is not None and card.files:
        splits = _by_card(folder, card, reading)
    else:
        splits = _by_name(folder, files, reading)
    if card is not None:
        splits = cards.with_features(folder, card, splits, reading)
    return splits


def _refuse_script(folder: Path) -> None:
    script = folder / f"{folder.resolve().name}.py"
    if script.exists():
        raise _script(folder, script)


def _script(folder: Path, script: Path) -> StudioError:
    return refusal(
        "source.script",
        f"{folder.name} is a dataset with a loading script ({script.name}), which would have "
        "to be run to get the rows; code that comes with data is never run here. Choose its "
        "data files themselves, or save its rows as .parquet or .jsonl.",
    )


def _by_card(folder: Path, card: cards.Card, reading: Reading) -> dict[str, pa.Table]:
    splits: dict[str, pa.Table] = {}
    for split, patterns in card.files.items():
        paths = [path for pattern in patterns for path in cards.matching(folder, pattern)]
        if not paths:
            raise refusal(
                "file.missing",
                f"README.md of {folder.name} names {', '.join(patterns)} for the split {split!r}, "
                "and there is no such file. Download the folder again, with all its files.",
            )
        splits[split] = _shards(paths, reading)
    return splits


def _by_name(folder: Path, files: list[Path], reading: Reading) -> dict[str, pa.Table]:
    if not files:
        _say_why_none(folder)
    by_split: dict[str, list[Path]] = {}
    for file in files:
        split = _split_of(file, folder)
        if split is not None:
            by_split.setdefault(split, []).append(file)
    if by_split:
        reading.guess("splits", ", ".join(by_split), "of the names of its files")
        _tell_left(folder, [f for f in files if _split_of(f, folder) is None], reading)
        return {split: _rows(folder, paths, reading) for split, paths in by_split.items()}
    files = [f for f in files if stem_of(f).lower() not in _PAPERS] or files
    if len(files) > 1 and all(suffix_of(file) in _TEXTS for file in files):
        return {"train": _texts(folder, files, reading)}
    if len(files) > 1 and not _are_shards(files):
        names = ", ".join(file.name for file in files[:_SHOWN])
        raise refusal(
            "file.splits",
            f"{folder.name} holds {len(files)} files ({names}{', ...' * (len(files) > _SHOWN)}) "
            "and none is named train. Name the training file, or rename it to start with train.",
        )
    if len(files) > 1:
        return {"train": _shards(files, reading)}
    return read_file(files[0], reading)


def _tell_left(folder: Path, files: list[Path], reading: Reading) -> None:
    left = [file.name for file in files if stem_of(file).lower() not in _PAPERS]
    if left:
        names = ", ".join(left[:_SHOWN]) + ", ..." * (len(left) > _SHOWN)
        reading.note(
            "files.left_out",
            f"{plural(len(left), 'file')} of {folder.name} not read, because no split is in the "
            f"name: {names}.",
        )


def _rows(folder: Path, paths: list[Path], reading: Reading) -> pa.Table:
    """The rows of one split; texts in the folders of their classes are a row each."""
    if _classes(folder, paths):
        return _texts(folder, paths, reading)
    return _shards(paths, reading)


def _classes(folder: Path, files: list[Path]) -> list[str] | None:
    """The class of each text, where each lies in the folder of one, such as train/pos/1.txt."""
    if any(suffix_of(file) not in _TEXTS or file.parent == folder for file in files):
        return None
    names = [file.parent.name for file in files]
    above = {file.parent.parent for file in files}
    several = 1 < len(set(names)) < len(names) and len(above) == 1
    return names if several and not any(split_named(name) for name in set(names)) else None


def _say_why_none(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".py":
            raise _script(folder, path)
        if path.is_file() and path.stat().st_size:
            refuse_kinds(path, head_of(path))
    raise refusal("file.missing", f"{folder} holds no data file; use {SHOWN}.")


def _split_of(path: Path, folder: Path) -> str | None:
    """The split a file's own name or a folder on the way to it speaks of."""
    named = split_named(stem_of(path))
    above = path.relative_to(folder).parts[:-1]
    return named or next((s for part in reversed(above) if (s := split_named(part))), None)


def _are_shards(files: list[Path]) -> bool:
    """Whether the names differ in numbers alone, such as 00000-of-00002."""
    return len({"".join(c for c in file.name if not c.isdigit()) for file in files}) == 1


def _shards(paths: list[Path], reading: Reading) -> pa.Table:
    """The files of one split as one table."""
    stems: dict[tuple[Path, str], Path] = {}
    for path in paths:
        twin = stems.setdefault((path.parent, stem_of(path)), path)
        if twin != path:
            raise refusal(
                "file.splits",
                f"{twin.name} and {path.name} look like the same rows twice. Remove one of them, "
                "or choose one by its own path.",
            )
    tables = []
    for path in paths:
        splits = read_file(path, reading)
        tables += [table for table in splits.values() if table.num_rows]
    return joined(tables, reading)


def _texts(folder: Path, files: list[Path], reading: Reading) -> pa.Table:
    """A row a file; with the name of the folder it lies in as its label, where that is a class."""
    files = [file for file in files if file.stat().st_size]
    classes = _classes(folder, files)
    if classes is None:
        reading.guess("format.rows", "files", "it is a folder of text files without split names")
    else:
        reading.guess("format.rows", "files", "each text lies in a folder that names its class")
    rows = []
    for file in files:
        reading.check()
        rows.append(whole_text(file, reading))
    if not any(row.strip() for row in rows):
        raise refusal("file.empty", "The text files in the folder are all empty.")
    columns = {"text": rows} if classes is None else {"text": rows, "label": classes}
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))
