"""From pieces of code to one script, or one notebook."""

import ast
import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_IMPORT_WIDTH = 88  # ruff's own, by which it sorts imports
# What the pieces may use, in the order in which it is imported.
_IMPORTS = (
    ("importlib", "import importlib.util"),
    ("itertools", "import itertools"),
    ("math", "import math"),
    ("os", "import os"),
    ("re", "import re"),
    ("Counter", "from collections import Counter"),
    ("Path", "from pathlib import Path"),
    ("np", "import numpy as np"),
    ("torch", "import torch"),
    ("F", "import torch.nn.functional as F"),
)
_FROM = {
    "datasets": ("Dataset", "load_dataset", "load_from_disk"),
    "peft": ("LoraConfig", "get_peft_model", "prepare_model_for_kbit_training"),
    "tokenizers": ("normalizers",),
    "torch.utils.data": ("DataLoader",),
    "transformers": (
        "AutoModelForCausalLM",
        "AutoModelForSeq2SeqLM",
        "AutoModelForSequenceClassification",
        "AutoModelForTokenClassification",
        "AutoTokenizer",
        "BitsAndBytesConfig",
        "get_scheduler",
    ),
}


@dataclass(frozen=True)
class Section:
    """A part of the program with a title and a sentence or two."""

    title: str
    words: str
    code: str


def _environment() -> Environment:
    return Environment(  # noqa: S701  what is written is Python, not HTML
        loader=PackageLoader("easymodel_nb.train.export", "pieces"),
        line_statement_prefix="%%",
        variable_start_string="<<",
        variable_end_string=">>",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )


def sections(names: Iterable[str], facts: dict[str, Any]) -> list[Section]:
    """The pieces of those names, filled in."""
    environment = _environment()
    return [_section(environment.get_template(f"{name}.jinja").render(facts)) for name in names]


def _section(text: str) -> Section:
    head, _, code = text.partition("\n---\n")
    title, _, words = head.partition("\n")
    return Section(title.strip(), " ".join(words.split()), _tidy(code))


def _tidy(code: str) -> str:
    """Two blank lines around functions, one at most elsewhere, none at the ends.

    The lines of the template language swallow the blank lines beside them.
    """
    out: list[str] = []
    inside = False  # a function
    for line in map(str.rstrip, code.splitlines()):
        top = line[:1] not in {"", " ", ")", "]", "}"}
        begins = line.startswith(("def ", "@"))
        if top and (begins or inside):
            while out and not out[-1]:
                out.pop()
            if out and not out[-1].startswith("@"):
                out += ["", ""]
        if top:
            inside = line.startswith("def ")
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip("\n") + "\n"


def imports(parts: Sequence[Section]) -> Section:
    """What the pieces use, and nothing else."""
    code = "\n".join(part.code for part in parts)
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    plain = [line for name, line in _IMPORTS[:7] if name in used]
    foreign = [line for name, line in _IMPORTS[7:] if name in used]
    for module, names in _FROM.items():
        found = [name for name in names if name in used]
        if found:
            line = f"from {module} import {', '.join(found)}"
            if len(line) > _IMPORT_WIDTH:
                line = f"from {module} import (\n    " + ",\n    ".join(found) + ",\n)"
            foreign.append(line)
    text = "\n".join(plain) + ("\n\n" if plain else "") + "\n".join(foreign)
    return Section("Imports", "", text + "\n")


def script(docstring: str, parts: Sequence[Section]) -> str:
    """One file, top to bottom."""
    pieces = [f'"""{docstring}"""', imports(parts).code]
    for part in parts:
        line = f"# {'-' * 16} {part.title}"
        words = textwrap.fill(part.words, 99, initial_indent="# ", subsequent_indent="# ")
        pieces.append("\n".join(filter(None, [line, words])) + "\n" + _spaced(part.code))
    begun, rest = pieces[:3], pieces[3:]  # one blank line after the imports, else two
    return "\n\n\n".join(["\n\n".join(map(_ended, begun)), *map(_ended, rest)]) + "\n"


def _ended(piece: str) -> str:
    return piece.rstrip("\n")


def _spaced(code: str) -> str:
    """A blank line after the comment; two where a function begins."""
    return ("\n\n" if code.startswith(("def ", "@")) else "\n") + code


def notebook(docstring: str, parts: Sequence[Section]) -> str:
    """The same in cells, with the titles and sentences between them, without outputs."""
    title, _, rest = docstring.partition("\n")
    cells = [_cell("markdown", f"# {title}\n{rest}")]
    for part in (imports(parts), *parts):
        words = f"## {part.title}\n\n{part.words}".rstrip()
        cells += [_cell("markdown", words), _cell("code", part.code)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": "",
        "metadata": {},
        "source": source.strip("\n").splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
