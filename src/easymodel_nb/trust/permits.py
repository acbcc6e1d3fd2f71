"""What the user allowed one model folder, as `loading` is told it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb.errors import problem_error
from easymodel_nb.trust import code, consents, pickles
from easymodel_nb.trust.code import Origin


@dataclass(frozen=True)
class Permit:
    """What may be done to open a model; as it stands nothing but reading its numbers."""

    code: Mapping[str, str] | None = None  # the Python files that may run, with their SHA-256
    pickled: bool = False  # whether weights that are a pickle are opened, for their numbers alone
    origin: Origin | None = None  # whose code it is


NOTHING = Permit()


def origin_of(folder: Path, repo: str | None, commit: str | None) -> Origin:
    """Whose code lies in a folder: the repository it was downloaded from, else the folder."""
    if repo is not None and commit is not None:
        return Origin(repo, commit)
    return Origin(str(folder.absolute()), code.digest(code.files_of(folder)))


def permit(home: Path, folder: Path, repo: str | None = None, commit: str | None = None) -> Permit:
    """What the user of this home allowed the model in a folder; no code where none is needed."""
    pickled = pickles_allowed(home, folder, repo, commit)
    if not code.is_needed(folder):
        return Permit(pickled=pickled)
    origin = origin_of(folder, repo, commit)
    return Permit(files_allowed(home, folder, origin), pickled, origin)


def pickles_allowed(home: Path, folder: Path, repo: str | None, commit: str | None) -> bool:
    """Whether weights that are a pickle may be opened: of a commit, or as they lie in a folder."""
    if repo is not None and commit is not None:
        return consents.given(home, "pickled", repo, commit)
    names = [path.name for path in folder.iterdir()]
    if not pickles.pickles_alone(names):
        return False
    return consents.given(home, "pickled", str(folder.absolute()), pickles.stamp(folder))


def files_allowed(home: Path, folder: Path, origin: Origin) -> Mapping[str, str] | None:
    """The consent's files, where those of the folder are the same; None: nothing may run."""
    consent = consents.find(home, "code", origin.repo, origin.commit)
    if consent is None or not consent.files or not same(folder, consent.files):
        return None
    return consent.files


def same(folder: Path, allowed: Mapping[str, str]) -> bool:
    """Whether each Python file of a folder is, byte by byte, one that was allowed."""
    return all(allowed.get(file.name) == file.sha256 for file in code.files_of(folder))


def permit_of_run(run_folder: Path, folder: Path, plan: Mapping[str, Any] | None) -> Permit:
    """What may run of a model folder that a run wrote or began with: what its base was allowed.

    The plan only names whose code it was: what is allowed stands in the home that the run is in.

    Raises
    ------
    StudioError
        When the model needs code that was not allowed here.

    """
    known = (plan or {}).get("model") or {}
    home = run_folder.parent.parent
    hub = known.get("kind") == "hub"
    repo, commit = (known.get("name"), known.get("revision")) if hub else (None, None)
    pickled = folder.is_dir() and pickles_allowed(home, folder, repo, commit)
    if not code.is_needed(folder):
        return Permit(pickled=pickled)
    named = known.get("code")
    named = named if isinstance(named, Mapping) else {}
    origin = Origin(str(named.get("repo") or folder), str(named.get("commit") or ""))
    files = files_allowed(home, folder, origin)
    if files is None:
        raise problem_error(
            "model.code_of_run",
            f"This model works only with the Python code of {origin.named}, and that is not "
            "allowed to run here. Choose it as the source of a Model node, look at its code "
            "and allow it there.",
        )
    return Permit(files, pickled, origin)
