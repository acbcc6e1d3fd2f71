"""What it means that the disk refuses, in a sentence a user can act on."""

import errno
import os
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


def is_refusal(error: OSError) -> bool:
    """Whether it is the disk that refuses, and not a network or a program."""
    return error.errno in _FULL | _FORBIDDEN | {errno.EROFS}


def in_words(error: OSError, place: Path | None = None) -> str:
    """Why, in a sentence such as: The disk of /home/ada/easymodel is full."""
    where = str(place or error.filename or "the disk")
    if error.errno in _FULL:
        return f"The disk of {where} is full."
    if error.errno == errno.EROFS:
        return f"{where} is on a disk that can only be read."
    if error.errno in _FORBIDDEN:
        return f"This notebook has no permission to write in {where}."
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{where} cannot be written ({reason})."


def remedy(error: OSError) -> str:
    """What a user can do about it."""
    if error.errno in _FULL:
        return "Delete what you do not need there"
    return "Allow writing there, or open the studio with another folder: studio(home=...)"


def kept_in_memory(error: OSError, home: Path) -> str:
    """Why projects are in memory alone, and what becomes of them."""
    return (
        f"{in_words(error, home)} You can go on: your projects are in the memory of this kernel "
        "and saved by themselves as soon as that is possible. "
        f"{remedy(error)}, or export what you need before you stop the kernel."
    )
