"""A link to a file of this machine, where the notebook's own server hands it out."""

import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote


def link_to(path: Path) -> str | None:
    """The address of a file on the Jupyter server this kernel belongs to; None without one.

    The server serves what lies under its root and is not hidden; who its browser is logged
    in as it knows itself, so that the link holds no token.
    """
    server = _server()
    root = Path(str(server.get("root_dir") or "\0"))
    with suppress(ValueError, OSError):
        inside = path.resolve().relative_to(root.resolve())
        if not any(part.startswith(".") for part in inside.parts):
            return f"{server.get('base_url', '/')}files/{quote(inside.as_posix())}?download=1"
    return None


def _server() -> dict[str, object]:
    """What the server that started this kernel wrote down of itself."""
    with suppress(ImportError, OSError, ValueError):
        from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415

        parent = int(os.environ.get("JPY_PARENT_PID", ""))
        file = Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json"
        found = json.loads(file.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
