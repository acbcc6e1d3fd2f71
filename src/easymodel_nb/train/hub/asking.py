"""Asking for a repository: the Hub, and without it what an earlier run left in the cache."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.refusals import guarded
from easymodel_nb.train.hub.repository import Repo


@dataclass(frozen=True)
class Fetched:
    """The local folder of a model repository, the commit it is at, and what is not there yet."""

    path: Path
    sha: str
    missing_bytes: int = 0


def ask(repo: Repo, token: str | None, control: Control) -> Any:
    """What the Hub says of a repository, with the sizes of its files."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(token=token or False)

    def ask() -> Any:
        return api.repo_info(
            repo.id, repo_type=repo.type, revision=repo.revision, files_metadata=True
        )

    return guarded(lambda: control.interruptible(ask), repo, token)


def from_cache(repo: Repo, error: StudioError) -> Fetched:
    """Without network, what an earlier run downloaded; else the error as it was."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = snapshot_download(
            repo.id, repo_type=repo.type, revision=repo.revision, local_files_only=True
        )
    except LocalEntryNotFoundError:
        raise error from None
    return Fetched(Path(folder), Path(folder).name)


def remember(repo: Repo, token: str | None) -> None:
    """Let the cache know which commit the revision is, once all of it has arrived.

    Asking for any file by the revision's name does; it need not be there.
    """
    from huggingface_hub import hf_hub_download  # noqa: PLC0415
    from huggingface_hub.errors import EntryNotFoundError  # noqa: PLC0415

    with contextlib.suppress(EntryNotFoundError):
        hf_hub_download(
            repo.id,
            "README.md",
            repo_type=repo.type,
            revision=repo.revision,
            token=token or False,
        )
