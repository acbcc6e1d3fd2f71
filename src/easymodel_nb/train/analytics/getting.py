"""The judge that is missing, downloaded because the user asked for it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from easymodel_nb.errors import problem_error
from easymodel_nb.metrics import judges, obtainable
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Unlogged

_CHUNK = 1 << 22


def get_encoder(
    home: Path, token: str | None, control: Control, tell: Callable[[str], None]
) -> None:
    """Download the text encoder, unless it is here; about 91 MB.

    Raises
    ------
    StudioError
        When the Hub cannot be reached, or what came is not what was published.
    Stopped
        When a stop was asked for.

    """
    from easymodel_nb.train import hub  # noqa: PLC0415

    wanted = obtainable.ENCODER
    if wanted.here() or judges.local().encoder is not None:
        return
    repo = hub.Repo(wanted.repo, "model", wanted.revision)
    reporter = Unlogged(home, home / "cache", on_stage=tell)
    fetched = hub.download_model(repo, token, control, reporter)
    weights = fetched.path / "model.safetensors"
    if wanted.sha256 and _sha256(weights) != wanted.sha256:
        raise problem_error(
            "judge.changed",
            f"What came from {wanted.repo} is not the model that was published, so it does not "
            "judge here. Remove it from the Hub's cache and try again.",
        )
    judges.refresh()


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
