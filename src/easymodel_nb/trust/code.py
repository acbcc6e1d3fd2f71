"""The Python files that come with a model: whether it needs them, and exactly what they are.

Transformers runs them where `auto_map` of config.json or tokenizer_config.json names a class in
them and it knows no architecture (or tokenizer) of that name itself. Nothing here runs anything.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb.errors import Problem, StudioError

CONFIG, TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"
GENERATE = "custom_generate"  # a folder whose generate.py runs with the model's code
_IMPLEMENTATION = ("implementation", "implementation_internal")  # attn_, experts_ and such
_FILES, _BYTES = 64, 5_000_000  # as many and as much as somebody could still look at


@dataclass(frozen=True)
class CodeFile:
    """One Python file; `sha256` of its bytes, in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Whose code it is: a repository on the Hub at a commit, or a folder and a digest of it."""

    repo: str  # "owner/name", or the absolute path of a folder
    commit: str

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return Path(self.repo).is_absolute()

    @property
    def named(self) -> str:
        """As sentences name it: "owner/name at 1a2b3c4"."""
        return f"the folder {self.repo}" if self.local else f"{self.repo} at {self.commit[:7]}"


def is_code(name: str) -> bool:
    """Whether a file of a model, by its path in the repository, could be run with it."""
    folder, _, file = name.rpartition("/")
    return file.endswith(".py") and folder in {"", GENERATE}


def files_of(folder: Path) -> list[CodeFile]:
    """The Python files of a model folder that could be run with it, by name.

    Raises
    ------
    StudioError
        When they are too many or too large to be looked at.

    """
    paths = [*folder.glob("*.py"), *(folder / GENERATE).glob("*.py")]
    found = [path for path in sorted(paths) if path.is_file()]
    _refuse_large(len(found), sum(path.stat().st_size for path in found))
    return [
        CodeFile(path.relative_to(folder).as_posix(), len(body), hashlib.sha256(body).hexdigest())
        for path in found
        for body in (path.read_bytes(),)
    ]


def wanted(files: Iterable[tuple[str, int]]) -> list[str]:
    """The Python files among those of a repository (name, bytes).

    Raises
    ------
    StudioError
        When they are too many or too large to be looked at.

    """
    found = [(name, size) for name, size in files if is_code(name)]
    _refuse_large(len(found), sum(size for _, size in found))
    return [name for name, _ in found]


def _refuse_large(count: int, size: int) -> None:
    if count > _FILES or size > _BYTES:
        raise StudioError(
            Problem(
                code="model.code_large",
                message=f"This model comes with {count} Python files ({size / 1e6:.1f} MB). That "
                f"is more than somebody could look at (at most {_FILES} files and "
                f"{_BYTES / 1e6:.0f} MB), so none of it is run. Choose another model.",
                field="source",
            )
        )


def digest(files: Iterable[CodeFile]) -> str:
    """One hex digest of all of them: another byte, or another name, is another digest."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_needed(folder: Path) -> bool:
    """Whether Transformers can open this model only with code that comes with it."""
    config = _read(folder / CONFIG)
    return _config_needs(config) or _tokenizer_needs(config, _read(folder / TOKENIZER_CONFIG))


def classes(folder: Path) -> set[str]:
    """The auto classes of Transformers that the model's own code has a class for."""
    named = _read(folder / CONFIG).get("auto_map")
    return {str(name) for name in named} if isinstance(named, Mapping) else set()


def elsewhere(folder: Path) -> str | None:
    """The other repository that the model's code lies in, where it says so."""
    return next((ref.split("--")[0] for ref in _references(folder) if "--" in ref), None)


def kernel(place: Path) -> str | None:
    """The repository of compiled code that a config names, in a model folder or as a file.

    Transformers would download and run it ("owner/name" as the way attention is computed) without
    asking, where the package `kernels` is installed.
    """
    path = place / CONFIG if place.is_dir() else place
    return next(_kernels(_read(path)), None)


def _kernels(value: Any, named: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _kernels(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _kernels(inner, named)
    elif isinstance(value, str) and "/" in value and named.endswith(_IMPLEMENTATION):
        yield value


def _references(folder: Path) -> list[str]:
    """The classes that config and tokenizer name: "module.Class", "owner/name--module.Class"."""
    found = []
    for name in (CONFIG, TOKENIZER_CONFIG):
        named = _read(folder / name).get("auto_map")
        values = named.values() if isinstance(named, Mapping) else named or []
        for value in values:
            several = value if isinstance(value, list | tuple) else [value]
            found += [ref for ref in several if isinstance(ref, str)]
    return found


def _config_needs(config: Mapping[str, Any]) -> bool:
    if not config.get("auto_map"):
        return False
    from transformers import CONFIG_MAPPING  # noqa: PLC0415  it takes a second

    return config.get("model_type") not in CONFIG_MAPPING


def _tokenizer_needs(config: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    if not known.get("auto_map"):
        return False
    from transformers.models.auto import tokenization_auto as auto  # noqa: PLC0415

    if config.get("model_type") in auto.TOKENIZER_MAPPING_NAMES:
        return False
    name = str(known.get("tokenizer_class") or "")
    names = (name, f"{name}Fast") if name else ()
    return all(auto.tokenizer_class_from_name(each) is None for each in names)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
