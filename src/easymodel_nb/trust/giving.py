"""Giving a consent: to exactly the files that were shown, or to a commit before it is here."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.trust import code, consents, pickles
from easymodel_nb.trust.code import Origin
from easymodel_nb.trust.consents import Kind

VARIABLE = "EASYMODEL_TRUST_CODE"  # what --trust-code says, apart by spaces
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REPO = re.compile(r"[\w.-]+(/[\w.-]+)?")


def allow(home: Path, kind: Kind, repo: str, commit: str, shown: str | None = None) -> None:
    """Remember what the user allowed; of code, `shown` is the digest of the files that were shown.

    Raises
    ------
    StudioError
        When it is no longer what was shown.

    """
    if kind == "pickled":
        if Path(repo).is_absolute() and pickles.stamp(Path(repo)) != commit:
            raise _changed(repo)
        consents.give(home, kind, repo, commit)
        return
    folder = _folder(repo, commit)
    files = code.files_of(folder) if folder is not None else []
    if not files or code.digest(files) != shown:
        raise _changed(repo)
    consents.give(home, kind, repo, commit, files)


def allow_named(home: Path, named: Iterable[str]) -> None:
    """Remember what a command line, a variable or a Python call allows, as REPO@COMMIT.

    A folder's path stands in place of a repository, the digest of its Python files in place of a
    commit: the refusal says both.

    Raises
    ------
    StudioError
        When one of them names no repository, or not exactly which commit.

    """
    for text in named:
        repo, _, commit = text.strip().rpartition("@")
        local = Path(repo).expanduser()
        if _COMMIT.fullmatch(commit) and repo and local.is_dir():
            origin = Origin(str(local.absolute()), commit)
            allow(home, "code", origin.repo, commit, commit)
        elif _COMMIT.fullmatch(commit) and _REPO.fullmatch(repo):
            if consents.find(home, "code", repo, commit) is None:
                consents.give(home, "code", repo, commit)  # its files are known once it is here
        else:
            raise problem_error(
                "trust.unclear",
                f"{text!r} does not say whose code may run: name a repository and the whole "
                "commit, as in owner/name@0123456789abcdef0123456789abcdef01234567. What a "
                "model needs is in the sentence that refuses it.",
            )


def from_environment() -> list[str]:
    """What the variable EASYMODEL_TRUST_CODE allows."""
    return os.environ.get(VARIABLE, "").split()


def _folder(repo: str, commit: str) -> Path | None:
    """Where the code that was shown lies: the folder itself, or the Hub client's cache."""
    if Path(repo).is_absolute():
        return Path(repo) if Path(repo).is_dir() else None
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

    found = try_to_load_from_cache(repo, code.CONFIG, revision=commit)
    return Path(found).parent if isinstance(found, str) else None


def _changed(repo: str) -> StudioError:
    return problem_error(
        "consent.changed",
        f"What {repo} holds is no longer what was shown. Look at it again, and decide then.",
    )
