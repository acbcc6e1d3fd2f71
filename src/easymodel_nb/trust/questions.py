"""What is asked before code or a pickle is opened; nothing is asked again once it was allowed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from easymodel_nb.errors import Fix, Problem, StudioError
from easymodel_nb.trust import code, consents, permits, pickles
from easymodel_nb.trust.code import CodeFile, Origin


@dataclass(frozen=True)
class CodeFacts:
    """The Python files that a model works only with, to be looked at before they run."""

    repo: str  # or the absolute path of a folder
    commit: str  # or a digest of the folder's Python files
    files: list[CodeFile]
    digest: str  # of all of them: what a consent is given to
    page: str = ""  # where they can be read on the Hub; empty of a folder
    classes: tuple[str, ...] = ()  # of Transformers, that it has a class for
    allowed: str | None = None  # ISO time; None: not allowed


def code_facts(
    home: Path,
    folder: Path,
    repo: str | None = None,
    commit: str | None = None,
    *,
    page: str = "",
) -> CodeFacts | None:
    """What a view shows of the code of a model; None where none is needed, or none is there."""
    if not code.is_needed(folder):
        return None
    found = code.files_of(folder)
    if not found:
        return None
    origin = permits.origin_of(folder, repo, commit)
    known = consents.find(home, "code", origin.repo, origin.commit)
    allowed = permits.files_allowed(home, folder, origin) is not None
    when = known.given if known is not None and allowed else None
    classes = tuple(sorted(code.classes(folder)))
    digest = code.digest(found)
    return CodeFacts(origin.repo, origin.commit, found, digest, page, classes, when)


def pickled(home: Path, repo: str, commit: str) -> Problem | None:
    """What is asked before weights are opened that are a pickle; None once it was allowed."""
    if consents.given(home, "pickled", repo, commit):
        return None
    return Problem(
        code="model.pickled",
        message=f"{repo} has its weights only as a pickle (pytorch_model.bin), a kind of file "
        "that can hold code. It would be opened for its numbers alone, with code refused. Allow "
        "it if you trust who made it, or choose a model with .safetensors.",
        field="source",
        fix=Fix(
            label="Allow it for this version",
            command="consent",
            params={"kind": "pickled", "repo": repo, "commit": commit},
        ),
    )


def pickled_folder(home: Path, folder: Path) -> Problem | None:
    """The same of a folder of this machine, whose weights are known by their names and times."""
    if not pickles.pickles_alone([path.name for path in folder.iterdir()]):
        return None
    return pickled(home, str(folder.absolute()), pickles.stamp(folder))


def of_code(
    home: Path, folder: Path, repo: str | None = None, commit: str | None = None
) -> Problem | None:
    """What is asked before the code of a model runs; None where none is needed, or it may run."""
    if (named := code.kernel(folder)) is not None:
        return of_kernel(repo or folder.name, named)
    if not code.is_needed(folder):
        return None
    found = code.files_of(folder)
    origin = permits.origin_of(folder, repo, commit)
    if (other := code.elsewhere(folder)) is not None:
        return Problem(
            code="model.code_elsewhere",
            message=f"{origin.repo} needs Python code that lies in another repository, {other}, "
            f"and is not followed there. Choose {other} itself, or a copy of this model with its "
            "code beside it.",
            field="source",
        )
    if not found:
        return Problem(
            code="model.code_missing",
            message=f"{origin.repo} needs Python code of its own, and its files are not there. "
            "Download the whole model again, or choose another.",
            field="source",
        )
    known = consents.find(home, "code", origin.repo, origin.commit)
    if known is not None and not known.files and repo is not None:
        # Allowed before it was here: whatever that commit holds.
        consents.give(home, "code", origin.repo, origin.commit, found)
    if permits.files_allowed(home, folder, origin) is not None:
        return None
    return _question(origin, found)


def of_kernel(model: str, named: str) -> Problem:
    """Compiled code of yet another repository cannot be looked at, so that nothing is asked."""
    return Problem(
        code="model.kernel",
        message=f"The config.json of {model} names compiled code of the repository {named!r} to "
        "compute with, and such code is never run here. Choose another model, or take "
        "'attn_implementation' out of its config.json.",
        field="source",
    )


def refuse_code(home: Path, folder: Path, repo: str | None, commit: str | None) -> None:
    """Ask, by refusing.

    Raises
    ------
    StudioError
        When the model needs code that the user has not allowed.

    """
    if (asked := of_code(home, folder, repo, commit)) is not None:
        raise StudioError(asked)


def _question(origin: Origin, files: Sequence[CodeFile]) -> Problem:
    count = "one file" if len(files) == 1 else f"{len(files)} files"
    whose = Path(origin.repo).name if origin.local else origin.repo
    return Problem(
        code="model.code",
        message=f"{whose} works only with Python code of its own ({count}). Code can "
        "do on this machine whatever you can: look at it before you let it run, or choose another "
        "model.",
        field="source",
        fix=Fix(
            label="Look at it and decide",
            command="decide",
            params={
                "kind": "code",
                "repo": origin.repo,
                "commit": origin.commit,
                "files": [f"{file.name} ({_size(file.bytes)})" for file in files],
            },
        ),
    )


def _size(count: int) -> str:
    return f"{count / 1000:.0f} kB" if count >= 1000 else f"{count} bytes"  # noqa: PLR2004
