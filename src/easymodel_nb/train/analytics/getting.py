"""The judge that is missing, downloaded because the user asked for it."""

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb.builtin.offline import EXTRA
from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.metrics import judges, obtainable
from easymodel_nb.metrics.obtainable import Obtainable
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Unlogged

Tell = Callable[[float | None, float | None, str], None]  # done and total in bytes, a sentence
_CHUNK = 1 << 22
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What helps here; what a run is told speaks of its model and its data.
_WHY = {
    "hub.offline": "the Hugging Face Hub cannot be reached, or was lost. Check the network and "
    "try again",
    "hub.gated": "it is gated there. Accept its terms on its page on the Hub, give EasyModel a "
    "token of that account, and try again",
    "hub.unauthorised": "the Hub does not accept the token. Give a valid one, or none",
    "hub.forbidden": "the Hub does not let this account read it",
    "hub.not_found": "the Hub, or the mirror in its place, does not have it",
    "model.folder": "the Hub, or the mirror in its place, does not have it whole",
}


def get_encoder(home: Path, token: str | None, control: Control, tell: Tell) -> None:
    """Download the text encoder, unless it is here; about 91 MB.

    Raises
    ------
    StudioError
        When the Hub cannot be reached, the disk is full, or what came is not what was published.
    Stopped
        When a stop was asked for.

    """
    if judges.local().encoder is not None:
        return
    judges.refresh()  # it may have been installed or downloaded meanwhile
    wanted = obtainable.ENCODER
    if wanted not in judges.missing() or judges.local().encoder is not None:
        return
    before = wanted.folder()
    weights = _download(wanted, home, token, control, tell) / "model.safetensors"
    tell(None, None, "Comparing what arrived with what was published")
    if wanted.sha256 and (not weights.is_file() or _sha256(weights) != wanted.sha256):
        if before is None:  # nobody else had use for it, and the next try gets another
            weights.resolve().unlink(missing_ok=True)
            weights.unlink(missing_ok=True)
        again = f"Remove {before}, then try" if before is not None else "Try"
        raise problem_error(
            "judge.changed",
            f"What came from {wanted.repo} is not the model that was published, so it does not "
            f"judge here. {again} again, or {_install()}",
        )
    judges.refresh()


def _download(
    wanted: Obtainable, home: Path, token: str | None, control: Control, tell: Tell
) -> Path:
    """The folder it is in now."""
    from easymodel_nb.train.hub.model_files import download_model  # noqa: PLC0415
    from easymodel_nb.train.hub.repository import Repo  # noqa: PLC0415

    repo = Repo(wanted.repo, "model", wanted.revision)
    try:
        return download_model(repo, token, control, _Heard(home, tell)).path
    except StudioError as error:
        (problem, *_) = error.problems
        why = _WHY.get(problem.code, problem.message.rstrip("."))
        code = problem.code
    except Exception as error:
        if not _is_full(error):
            raise
        code, why = "disk.full", _full(wanted)
    raise problem_error(code, f"{wanted.repo} was not fetched: {why}, or {_install()}")


def _is_full(error: Exception) -> bool:
    # The client's Rust part says it in words alone.
    number = error.errno if isinstance(error, OSError) else None
    return number in _FULL or "no space left on device" in str(error).lower()


def _full(wanted: Obtainable) -> str:
    from huggingface_hub import constants  # noqa: PLC0415

    place = Path(constants.HF_HUB_CACHE)
    free = shutil.disk_usage(place).free if place.is_dir() else 0
    return (
        f"the disk is full. It takes {wanted.megabytes} MB, and {free / 1e6:,.0f} MB are free at "
        f"{place}. Free some space and try again"
    )


def _install() -> str:
    return f'install it: pip install "easymodel-nb[{EXTRA}]"'


class _Heard(Unlogged):
    """Tells how far a download is."""

    def __init__(self, home: Path, tell: Tell) -> None:
        super().__init__(home, home / "cache")
        self._tell = tell

    def live(self, *, at_once: bool = False, **fields: Any) -> None:  # noqa: ARG002
        """Tell the stage as it is."""
        self._tell(self._stage.done, self._stage.total, self._stage.message)


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
