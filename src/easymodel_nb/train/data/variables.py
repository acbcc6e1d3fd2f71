"""Data that lies in a variable of the notebook: found, listed, and written down for a run.

A run has its rows as `data/<split>.parquet` in its own folder from `preparing` on, so that a
resume, another process and a later reader have them, whatever becomes of the variable.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb import whole
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.addresses import VARIABLE
from easymodel_nb.train.data.reading import DatasetTables, Reading, first_line, refusal

Resolver = Callable[[], Mapping[str, Any] | None]
_FACTS = "variable.json"
_LOOKED = 50  # items of a list that must be rows for it to be listed
_HIDDEN = frozenset({"In", "Out", "exit", "quit", "get_ipython"})


def _notebook() -> Mapping[str, Any] | None:
    """The user's variables in the running IPython; None in plain Python."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "user_ns", None)


_resolver: Resolver = _notebook


def look_in(resolver: Resolver | None) -> None:
    """Say where variables are found; None is the notebook again."""
    global _resolver  # noqa: PLW0603  one place for the process, as the notebook is one
    _resolver = resolver or _notebook


def space() -> Mapping[str, Any] | None:
    """The notebook's variables; None where there is no notebook."""
    return _resolver()


def listing() -> list[dict[str, Any]]:
    """The variables that can be trained on: name, kind, rows (of all splits), columns (names).

    Looks at types and lengths alone, so it is cheap; what fails to answer is left out.
    """
    found = []
    for name, value in list((_resolver() or {}).items()):
        if name.startswith("_") or name in _HIDDEN:
            continue
        with contextlib.suppress(Exception):  # whatever a user's object does when it is asked
            kind = _kind(value)
            if kind is not None:
                rows, columns = _size(value, kind)
                found.append({"name": name, "kind": kind, "rows": rows, "columns": columns})
    return sorted(found, key=lambda item: str(item["name"]).lower())


_KINDS = (
    ("pandas", "DataFrame", "DataFrame"),
    ("polars", "DataFrame", "polars DataFrame"),
    ("datasets", "DatasetDict", "DatasetDict"),
    ("datasets", "Dataset", "Dataset"),
    ("pyarrow", "Table", "Arrow table"),
)


def _kind(value: Any) -> str | None:
    """What a variable is; a library that was never imported has no values here."""
    for library, name, kind in _KINDS:
        known = getattr(sys.modules.get(library), name, None)
        if known is not None and isinstance(value, known):
            return kind
    if isinstance(value, list) and value and all(isinstance(r, dict) for r in value[:_LOOKED]):
        return "list of dicts"
    return None


def _size(value: Any, kind: str) -> tuple[int, list[str]]:
    if kind == "DatasetDict":
        first = next(iter(value.values()), None)
        return sum(len(part) for part in value.values()), list(first.column_names) if first else []
    if kind == "list of dicts":
        return len(value), [str(k) for k in dict.fromkeys(k for r in value[:_LOOKED] for k in r)]
    if kind in {"Dataset", "Arrow table"}:
        return len(value), list(value.column_names)
    return len(value), [str(name) for name in value.columns]


# ---------------------------------------------------------------- taking one


def take(name: str, reading: Reading) -> dict[str, pa.Table]:
    """The rows of a variable by split.

    Raises
    ------
    StudioError
        On `source`: no notebook, no such variable, or one that is no data.

    """
    space = _resolver()
    if space is None:
        raise refusal(
            "source.variable",
            f"The variable {name} cannot be had: a variable needs the notebook it lives in. Save "
            "the data to a .csv, .jsonl or .parquet file and name that file.",
        )
    if name not in space:
        there = [item["name"] for item in listing()]
        known = f" There are {', '.join(there[:8])}." if there else ""
        raise refusal(
            "source.variable",
            f"The notebook has no variable {name!r}.{known} Run the cell that makes it.",
        )
    value = space[name]
    kind = _kind(value)
    if kind is None:
        raise refusal(
            "source.variable",
            f"The variable {name} is a {type(value).__name__}. Use a DataFrame, a Dataset or "
            "DatasetDict of datasets, or a list of dicts.",
        )
    try:
        splits = _tables(value, kind, reading)
    except StudioError:
        raise
    except Exception as error:
        raise refusal(
            "source.variable",
            f"The {kind} {name} cannot be written as a table: {first_line(error)}. Turn what "
            "its cells hold into text, numbers or lists of them.",
        ) from error
    if not any(table.num_rows for table in splits.values()):
        raise refusal("file.empty", f"The variable {name} has no rows. Choose one with rows.")
    return splits


def _tables(value: Any, kind: str, reading: Reading) -> dict[str, pa.Table]:
    match kind:
        case "DataFrame":
            return {"train": _from_frame(value, reading)}
        case "polars DataFrame":
            return {"train": value.to_arrow()}
        case "DatasetDict":
            return {str(name): _from_dataset(part) for name, part in value.items()}
        case "Dataset":
            return {str(value.split or "train"): _from_dataset(value)}
        case "Arrow table":
            return {"train": value}
    from easymodel_nb.train.data.json_files import table_of  # noqa: PLC0415

    if not all(isinstance(row, dict) for row in value):
        raise refusal("source.variable", "The list does not hold dicts alone. Make each row one.")
    table = table_of([{str(k): v for k, v in row.items()} for row in value], reading)
    return {"train": table if table is not None else pa.table({})}


def _from_frame(frame: Any, reading: Reading) -> pa.Table:
    """A DataFrame; a column of mixed kinds goes the way of JSON rows."""
    frame = frame.copy(deep=False)
    frame.columns = [
        ".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns
    ]
    named = [name for name in frame.index.names if name is not None]
    if named:
        frame = frame.reset_index()
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        from easymodel_nb.train.data.json_files import table_of  # noqa: PLC0415

        table = table_of(frame.to_dict("records"), reading)
        assert table is not None  # noqa: S101  from_pandas does not fail on no rows
        return table


def _from_dataset(dataset: Any) -> pa.Table:
    """A `datasets.Dataset` with its rows in their order, selected and shuffled ones too."""
    if dataset._indices is not None:  # noqa: SLF001  the public ways copy what needs no copy
        dataset = dataset.flatten_indices()
    table = dataset.data.table
    return table.replace_schema_metadata(dataset.features.arrow_schema.metadata)


# ---------------------------------------------------------------- a run's own copy


def freeze(source: str, folder: Path) -> None:
    """Write the variable of a source into `data/` of a run; one that is there already stays.

    Why it cannot be had is written as well, for the process that would need it.
    """
    data = folder / "data"
    if not source.strip().startswith(VARIABLE) or (data / _FACTS).exists():
        return
    name = source.strip().removeprefix(VARIABLE).strip()
    data.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {"name": name}
    reading = Reading(cache=data)
    try:
        facts |= _write(take(name, reading), data)
    except StudioError as error:
        facts["problem"] = error.problems[0].model_dump(mode="json")
    except (OSError, pa.ArrowException) as error:
        told = refusal(
            "source.variable",
            f"The variable {name} could not be written into the run's folder: "
            f"{first_line(error)}. Free some space, or save it to a file and name that.",
        )
        facts["problem"] = told.problems[0].model_dump(mode="json")
    facts["notes"] = [note.model_dump(mode="json") for note in reading.notes]
    whole.replace(data / _FACTS, json.dumps(facts, indent=1) + "\n")  # last: the copy is whole


def _write(splits: dict[str, pa.Table], data: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    from easymodel_nb.train.data.fingerprint import fingerprint  # noqa: PLC0415

    files, prints = {}, {}
    for number, (split, table) in enumerate(splits.items()):
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in split) or f"split-{number}"
        pq.write_table(table, data / f"{safe}.parquet")
        files[split], prints[split] = f"{safe}.parquet", fingerprint(table)
    return {"splits": files, "fingerprints": prints}


def frozen(folder: Path, source: str) -> DatasetTables:
    """The run's own copy of its variable.

    Raises
    ------
    StudioError
        Why there is none.

    """
    freeze(source, folder)
    data = folder / "data"
    facts = json.loads((data / _FACTS).read_text(encoding="utf-8"))
    if "problem" in facts:
        raise StudioError(Problem.model_validate(facts["problem"]))
    splits = {split: _opened(data / name) for split, name in facts["splits"].items()}
    notes = tuple(Problem.model_validate(note) for note in facts["notes"])
    return DatasetTables(splits, facts["name"], "variable", notes=notes)


def _opened(path: Path) -> pa.Table:
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(path) as file:
        return file.read()
