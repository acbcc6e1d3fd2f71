"""Where a push would go, as the Hub says it is now, and what this run put there before."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from easymodel_nb import whole
from easymodel_nb.errors import Problem
from easymodel_nb.runlog.events import now
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.takeaway.parcel import Parcel
from easymodel_nb.train.takeaway.publish_errors import refused

RECORD = "pushed.json"  # in the run's folder: what was sent where
ALWAYS_THERE = frozenset({".gitattributes"})  # what the Hub puts into a new repository
TIMEOUT = 20.0  # seconds for a question
EMPTY = "empty"  # the head of a repository without any commit


@dataclass(frozen=True)
class Target:
    """Where a push goes, as the Hub says it is now."""

    repo: str
    private: bool
    head: str | None = None  # its last commit; None: it is to be made
    files: frozenset[str] = frozenset()
    notes: tuple[Problem, ...] = ()


def target_of(api: Any, run: Run, repo: str, *, private: bool) -> Target:
    """Ask the Hub where a push to `repo` would go; nothing is made there.

    Raises
    ------
    StudioError
        On `repo` or `token`, when it cannot go there.

    """
    from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415

    who = api.whoami()
    owner = str(who["name"])
    repo = repo if "/" in repo else f"{owner}/{repo}"
    _check_rights(who, repo)
    try:
        info = api.repo_info(repo, timeout=TIMEOUT, files_metadata=True)
    except RepositoryNotFoundError:
        return Target(repo, private)
    repo = str(info.id)
    files = frozenset(s.rfilename for s in info.siblings or [])
    if private and not info.private:
        raise refused("push.public", "repo", repo=repo)
    if not _ours(run, repo, str(info.sha)) and files - ALWAYS_THERE:
        raise refused("push.taken", "repo", repo=repo, count=len(files - ALWAYS_THERE))
    notes = []
    if info.private and not private:
        said = f"{repo} is private and stays so. Make it public on its page, under Settings."
        notes.append(
            Problem(code="push.stays_private", severity="note", message=said, field="repo")
        )
    return Target(repo, bool(info.private), info.sha or EMPTY, files, tuple(notes))


def _check_rights(who: dict[str, Any], repo: str) -> None:
    """Refuse a token that can only read, and a name of other people's."""
    role = ((who.get("auth") or {}).get("accessToken") or {}).get("role")
    if role == "read":
        raise refused("push.read_only", "token")
    owner = repo.split("/", 1)[0]
    mine = {str(who["name"]), *(str(org.get("name")) for org in who.get("orgs") or [])}
    if owner.lower() not in {name.lower() for name in mine}:
        raise refused("push.owner", "repo", owner=owner, name=who["name"])


def _ours(run: Run, repo: str, head: str) -> bool:
    """Whether the repository holds just what this run put there."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        record = json.loads((run.folder / RECORD).read_text(encoding="utf-8"))
        return any(p["repo"] == repo and p["commit"] == head for p in record["pushes"])
    return False


def remember(run: Run, repo: str, commit: str, sent: Parcel) -> None:
    """Keep what was put where, so that this run may replace it later."""
    path = run.folder / RECORD
    known: list[dict[str, Any]] = []
    with suppress(OSError, ValueError, LookupError, TypeError):
        known = list(json.loads(path.read_text(encoding="utf-8"))["pushes"])
    files = [{"name": item.name, "bytes": item.bytes} for item in sent.items]
    known.append({"repo": repo, "commit": commit, "time": now(), "files": files})
    with suppress(OSError):  # the model is there; a later push is then refused, not this one
        whole.replace(path, json.dumps({"pushes": known}, indent=1) + "\n")
