"""Files that are whole or not there, whoever reads them while they are replaced."""

import uuid
from pathlib import Path


def replace(path: Path, content: str | bytes, *, shared: bool = False) -> None:
    """Put the file there in one piece; its folder is there. Text is written as UTF-8.

    `shared`: others may write the same one meanwhile. What a killed writer leaves of a file that
    is not is overwritten by the next. It is not flushed to the disk.

    Raises
    ------
    OSError
        When the disk refuses it; the file is then what it was.

    """
    own = f"{uuid.uuid4().hex}." if shared else ""
    part = path.with_name(f"{path.name}.{own}part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
