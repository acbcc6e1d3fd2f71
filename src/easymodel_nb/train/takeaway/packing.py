"""A model as one zip file: stored, because weights do not compress, and whole or not at all."""

import os
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from easymodel_nb.errors import problem_error
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.takeaway.parcel import Parcel

_CHUNK = 1 << 20
_SPARE = 10 << 20  # bytes that stay free, and what the zip adds to the files


def pack(parcel: Parcel, target: Path, tick: Callable[[int], None] = lambda _: None) -> Path:
    """Write the parcel as `target`; `tick` hears the bytes done and may raise to end it.

    The file has its name only once it is complete: a pack that ends early leaves nothing.

    Raises
    ------
    StudioError
        When the disk has no room for it, or cannot be written.

    """
    part = target.with_name(target.name + ".part")
    free = shutil.disk_usage(target.parent).free
    if free < parcel.bytes + _SPARE:
        raise problem_error(
            "take.disk",
            f"The zip takes {megabytes(parcel.bytes)} and the disk of {target.parent} has "
            f"{megabytes(free)} left. Make room there; the model itself is safe.",
        )
    try:
        with part.open("wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
                _write(parcel, archive, tick)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(target)
    except OSError as error:
        raise problem_error(
            "take.unwritable",
            f"The zip could not be written ({error.strerror or error}). Make room on the disk of "
            f"{target.parent}; the model itself is safe.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def _write(parcel: Parcel, archive: zipfile.ZipFile, tick: Callable[[int], None]) -> None:
    done = 0
    tick(0)
    for item in parcel.items:
        name = f"{parcel.name}/{item.name}"
        if isinstance(item.source, bytes):
            archive.writestr(name, item.source)
            done += item.bytes
            tick(done)
            continue
        # Large enough for what it holds from the start: the size stands before the content.
        entry = zipfile.ZipInfo.from_file(item.source, name, strict_timestamps=False)
        with item.source.open("rb") as source, archive.open(entry, "w") as into:
            while chunk := source.read(_CHUNK):
                into.write(chunk)
                done += len(chunk)
                tick(done)
