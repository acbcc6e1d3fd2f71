"""The lines that read the data with `datasets` alone, the simplest way first.

Several ways are offered: the proof takes the first that gives the rows of the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.train.addresses import BUILTIN, VARIABLE, short_name
from easymodel_nb.train.data import cards, saved, variables
from easymodel_nb.train.data.names import split_named
from easymodel_nb.train.data.open import data_path
from easymodel_nb.train.data.raw import stem_of, suffix_of
from easymodel_nb.train.export.literals import Expression, literal
from easymodel_nb.train.hub.repository import parse_repo
from easymodel_nb.train.preparation import Preparation

_BUILDERS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".json": "json", ".jsonl": "json",
    ".ndjson": "json", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow",
    ".feather": "arrow", ".ipc": "arrow", ".txt": "text", ".text": "text",
}  # fmt: skip
PACKAGE = 'Path(importlib.util.find_spec("easymodel_nb").origin).parent / "builtin"'
BUILT_IN = "comes with EasyModel, which must be installed for it; or put a path of yours"
_TAKEN = {
    "DataFrame": "Dataset.from_pandas({}, preserve_index=False)",
    "polars DataFrame": "Dataset.from_polars({})",
    "Arrow table": "Dataset({})",
    "list of dicts": "Dataset.from_list({})",
    "Dataset": "{}",
}
_MOST_FILES = 50

Constant = tuple[str, Any, str | None]  # name, value, comment


@dataclass(frozen=True)
class Loading:
    """Constants and the lines that load the splits into `train_split` and `eval_split`."""

    constants: list[Constant]
    code: list[str]
    words: str = "Every row of the splits, as `datasets` reads them."
    tagged: dict[str, Any] | None = None  # how the lines of a file of words and tags lie


def ways(ready: Preparation, *, notebook: bool) -> Iterator[Loading]:
    """How the data can be read, the simplest way first.

    Raises
    ------
    StudioError
        On the dataset's node, where plain code cannot read it.

    """
    source = ready.dataset.source.strip()
    if any(choice.field == "streaming" for choice in ready.chooser.choices):
        raise refused(
            ready,
            "Of this large dataset only a part was read, row by row, and plain code would draw "
            "other rows. Name a slice as the train split, such as train[:10000], and export again.",
        )
    if source.startswith(VARIABLE):
        yield _variable(ready, short_name(source), notebook=notebook)
    elif source.startswith(BUILTIN):
        name = short_name(source)
        where = Expression(f"{PACKAGE} / {literal(name)}")
        yield from _local(ready, builtin.path(name), where, BUILT_IN)
    elif (path := data_path(source)) is not None:
        yield from _local(ready, path, source, None)
    elif (repo := parse_repo(source, "dataset", ready.dataset.revision)) is not None:
        yield _hub(ready, repo.id)
    else:
        yield from _files(ready, [("train", [source])], Path(source), source, None)


def refused(ready: Preparation, message: str) -> StudioError:
    """What cannot be written, on the dataset's node."""
    return problem_error("export.data", message, node=ready.dataset_node, field="source")


# ---------------------------------------------------------------- on this machine


def _local(ready: Preparation, path: Path, where: Any, why: str | None) -> Iterator[Loading]:
    if not path.is_dir():
        yield from _files(ready, [("train", [""])], path, where, why)
        return
    if saved.is_saved(path):
        yield _saved(ready, where, why)
        return
    by_split: dict[str, list[str]] = {}
    for file in sorted(path.rglob("*")):
        if suffix_of(file) in _BUILDERS and file.is_file() and file.name != builtin.CARD:
            inner = file.relative_to(path)
            names = [stem_of(file), *reversed(inner.parts[:-1])]
            split = next((s for name in names if (s := split_named(name))), None)
            if split is not None:
                by_split.setdefault(split, []).append(f"/{inner.as_posix()}")
    card = cards.read_card(path, ready.dataset.config)
    if by_split and not (card and card.files):
        wanted = {n: f for n, f in by_split.items() if _asked(ready, n)}
        if all(len(files) <= _MOST_FILES for files in wanted.values()):
            first = path / next(iter(wanted.values()))[0].lstrip("/")
            yield from _files(ready, list(wanted.items()), first, where, why)
    config = [literal(ready.dataset.config)] if ready.dataset.config else []
    yield _calls(ready, [("DATA", where, why)], ["str(DATA)" if why else "DATA", *config])


def _asked(ready: Preparation, split: str) -> bool:
    """Whether a split is trained on or measured."""
    named = (ready.splits.train_name, ready.splits.eval_name or "")
    return any(split == name.split("[")[0] or split in name for name in named)


def _files(
    ready: Preparation, files: list[tuple[str, list[str]]], path: Path, where: Any, why: str | None
) -> Iterator[Loading]:
    """Data files; `files` are their places below `where`, by split."""
    constants: list[Constant] = [("DATA", where, why)]
    tags = next((c.value for c in ready.chooser.choices if c.field == "format.tags"), None)
    if tags is not None:
        yield _words(ready, files, constants, universal="UPOS" in tags)
        return
    kind = _BUILDERS.get(suffix_of(path))
    if kind is None:
        return
    one = len(files) == 1 and files[0][0] == "train" and files[0][1] in ([""], [str(where)])
    as_text = "str(DATA)" if isinstance(where, Expression) else "DATA"
    lines, given = [], as_text
    if not one:
        lines = ["FILES = {"]
        for split, names in files:
            paths = ", ".join(f'f"{{DATA}}{name}"' for name in names)
            lines.append(f"    {literal(split)}: [{paths}],")
        lines.append("}")
        given = "FILES"
    for options in _options(ready, kind):
        yield _calls(ready, constants, [literal(kind), f"data_files={given}", *options], lines)
    if kind == "text" and one:
        yield _blocks(ready, constants)


def _options(ready: Preparation, kind: str) -> Iterator[list[str]]:
    """What a reader must be told, in the ways to try."""
    known = {c.field: c.value for c in ready.chooser.choices}
    form = ready.dataset.format
    encoding = form.encoding or known.get("format.encoding")
    options = [] if _is_utf8(encoding) else [f"encoding={literal(encoding)}"]
    if kind == "csv":
        delimiter = form.delimiter or known.get("format.delimiter") or ","
        options += [f"sep={literal(delimiter)}"] if delimiter != "," else []
        header = form.header if form.header is not None else known.get("format.header", True)
        if header is False:
            names = ready.splits.train.schema.names
            options += ["header=None", f"names={literal(names)}"]
        yield options
        yield [*options, "keep_default_na=False"]  # where NA or None is a word
        yield [*options, "keep_default_na=False", 'na_values=[""]']
    elif kind == "text":
        rows = known.get("format.rows")
        how = {"blocks": "paragraph", "files": "document"}.get(str(rows))
        yield [*options, *([f"sample_by={literal(how)}"] if how else [])]
    elif kind == "json":
        yield options
        yield [*options, 'field="data"']
    else:
        yield []


def _words(
    ready: Preparation,
    files: list[tuple[str, list[str]]],
    constants: list[Constant],
    *,
    universal: bool,
) -> Loading:
    """Files of words and tags, which `datasets` has no reader for."""
    label = str(ready.task.context.roles.label)
    place = 3 if universal else int(label.removeprefix("tags_")) - 1 if "_" in label else -1
    tagged = {
        "universal": universal,
        "token": 1 if universal else 0,
        "label": literal(label),
        "tag": place,
    }
    lines = []
    by_name = dict(files)
    named = [ready.splits.train_name, *filter(None, [ready.splits.eval_name])]
    for variable, name in zip(("train_split", "eval_split"), named, strict=False):
        places = by_name.get(name, [])
        if len(places) != 1:
            raise refused(ready, "Slices and parts of such files cannot be written as code yet.")
        where = "DATA" if places == [""] else f'f"{{DATA}}{places[0]}"'
        lines.append(f"{variable} = read_words({where})")
    told = "A word and its tags a line, a blank line between sentences."
    return Loading(constants, lines, told, tagged)


def _is_utf8(encoding: Any) -> bool:
    return encoding is None or str(encoding).lower().replace("-", "_") in {
        "utf_8", "utf8", "utf_8_sig", "ascii",
    }  # fmt: skip


def _blocks(ready: Preparation, constants: list[Constant]) -> Loading:
    known = {c.field: c.value for c in ready.chooser.choices}
    encoding = ready.dataset.format.encoding or known.get("format.encoding") or "utf-8-sig"
    code = [
        f"text = Path(DATA).read_text(encoding={literal(encoding)})",
        r'blocks = [block.strip("\n") for block in re.split(r"\n[ \t]*(?=\n)", text)]',
        'train_split = Dataset.from_dict({"text": [block for block in blocks if block.strip()]})',
    ]
    return Loading(constants, code, "A row is a block between blank lines.")


# ---------------------------------------------------------------- elsewhere


def _hub(ready: Preparation, name: str) -> Loading:
    constants: list[Constant] = [
        ("DATA", name, None),
        ("DATA_REVISION", ready.tables.revision, "the version that was read for this"),
    ]
    config = [literal(ready.dataset.config)] if ready.dataset.config else []
    return _calls(ready, constants, ["DATA", *config, "revision=DATA_REVISION"])


def _saved(ready: Preparation, where: Any, why: str | None) -> Loading:
    names = [ready.splits.train_name, *filter(None, [ready.splits.eval_name])]
    if any(mark in name for name in names for mark in "[+"):
        raise refused(ready, "A slice of a saved dataset cannot be written as plain code yet.")
    code = ["saved = load_from_disk(DATA)"]
    several = len(ready.tables.splits) > 1
    for variable, name in zip(("train_split", "eval_split"), names, strict=False):
        code.append(f"{variable} = saved[{literal(name)}]" if several else f"{variable} = saved")
    return Loading([("DATA", where, why)], code)


def _variable(ready: Preparation, name: str, *, notebook: bool) -> Loading:
    if not notebook:
        raise refused(
            ready,
            f"A script cannot see the variable {name} of a notebook. Save it to a .parquet or "
            ".jsonl file and name that file, or export a notebook.",
        )
    kind = next((v["kind"] for v in variables.listing() if v["name"] == name), None)
    code = [f"# The variable {name} must be there: run the cell that makes it first."]
    if kind == "DatasetDict":
        names = [ready.splits.train_name, *filter(None, [ready.splits.eval_name])]
        code += [
            f"{variable} = {name}[{literal(split)}]"
            for variable, split in zip(("train_split", "eval_split"), names, strict=False)
        ]
    elif kind in _TAKEN:
        code.append(f"train_split = {_TAKEN[kind].format(name)}")
    else:
        raise refused(ready, f"The notebook has no variable {name!r} that holds data.")
    return Loading([], code)


def _calls(
    ready: Preparation,
    constants: list[Constant],
    arguments: list[str],
    before: list[str] | None = None,
) -> Loading:
    """One call of load_dataset a split."""
    named = [("train_split", "TRAIN_SPLIT", ready.splits.train_name, "train_split")]
    if ready.splits.eval_name is not None:
        named.append(("eval_split", "EVAL_SPLIT", ready.splits.eval_name, "eval_split"))
    why = {c.field: c.reason for c in ready.chooser.choices}
    constants = [*constants, *((name, value, why.get(field)) for _, name, value, field in named)]
    code = [*(before or [])]
    for variable, name, _, _ in named:
        inner = ", ".join([*arguments, f"split={name}"])
        code.append(f"{variable} = load_dataset({inner})")
    return Loading(constants, code)
