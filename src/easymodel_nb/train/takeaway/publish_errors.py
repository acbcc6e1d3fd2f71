"""Why a push was refused or broke off, in words, on the field it concerns."""

from typing import Any

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.secrets import redact
from easymodel_nb.train.hub.refusals import transport_errors

_TOKENS = "https://huggingface.co/settings/tokens"
OFFLINE = "push.offline"
_SENTENCES = {
    "push.no_token": (
        "Sending a model needs a Hugging Face token that may write. Make one at "
        f"{_TOKENS} and give it in the token line of the node."
    ),
    "push.token": (
        f"The Hub does not accept this token. Check it at {_TOKENS}, or give another one."
    ),
    "push.read_only": (
        f"This token can only read. Make one with write access at {_TOKENS} and give that one."
    ),
    "push.forbidden": (
        "This token may not write to {repo}. Give one that may (a fine-grained token needs "
        "write access to it), or choose another name."
    ),
    "push.owner": (
        "{owner} is neither your account ({name}) nor an organisation you belong to. Name the "
        "repository {name}/..., or give the token of another account."
    ),
    "push.public": (
        "{repo} exists and is public, and this push is to be private: nothing was sent. Choose "
        "another name, or make it private on its page, under Settings."
    ),
    "push.public_after": (
        "{repo} became public while it was filled. Make it private on its page, under Settings."
    ),
    "push.taken": (
        "{repo} exists and holds {count} files that this run did not put there, or that were "
        "changed since: nothing was sent, so that nothing is overwritten. Choose another name."
    ),
    "push.hidden": (
        "{repo} exists already and this token may not see it. Choose another name, or give a "
        "token that may."
    ),
    "push.room": (
        "Your account on the Hub has no room left for {repo} (it answered {status}). Make room "
        "there, or send it somewhere else."
    ),
    "push.changed": (
        "{repo} was changed by someone else meanwhile, so nothing was put there. Look at it, "
        "then send again."
    ),
    "push.unverified": (
        "{repo} was filled, but the Hub does not have these files as they are here: {names}. Do "
        "not rely on it; send it again or delete it on its page."
    ),
    "push.card": "The Hub refuses the model card of {repo}: {why}.",
    OFFLINE: (
        "The Hugging Face Hub cannot be reached, or the connection to it was lost. Check the "
        "network and send again."
    ),
    "push.limit": "The Hub answers that this is too often. Wait a few minutes and send again.",
    "push.hub": "The Hub answered {status} for {repo}. Try again in a minute.",
}
_ON_TOKEN = {"push.token", "push.forbidden"}


class Cancelled(Exception):  # noqa: N818  a request, not an error
    """The push was asked to end; the text says what is on the Hub, once that is known."""


def refused(code: str, field: str | None, **values: Any) -> StudioError:
    """The refusal of that code."""
    return problem_error(code, _SENTENCES[code].format(**values), field=field)


def check_name(repo: str) -> None:
    """Refuse what the Hub takes for no name.

    Raises
    ------
    StudioError
        On `repo`.

    """
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # noqa: PLC0415

    if not repo.strip():
        raise problem_error(
            "push.no_name", "Name the repository: a name, or owner/name.", field="repo"
        )
    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise problem_error(
            "push.name",
            f"{repo!r} is no name for the Hub: up to 96 letters, digits, '-', '_' and '.', as a "
            "name or owner/name; '-' and '.' not twice in a row, nor at the begin or the end; not "
            "ending in .git.",
            field="repo",
        ) from None


def told(error: BaseException, repo: str, token: str | None) -> Problem | None:
    """The problem behind an error of the Hub's client; None for one that is none of it.

    The client wraps what went wrong in an upload in an error of its own.
    """
    found, here = _code(error), error
    while not found[0] and here.__cause__ is not None:
        here = here.__cause__
        found = _code(here)
    code, more = found
    if not code:
        return None
    said = _SENTENCES[code].format(repo=repo, **more)
    hidden = said.replace(token, "[redacted]") if token else said
    field = "token" if code in _ON_TOKEN else None
    return Problem(code=code, message=redact(hidden), field=field)


def _code(error: BaseException) -> tuple[str, dict[str, Any]]:
    from huggingface_hub import errors  # noqa: PLC0415

    code, more = "", dict[str, Any]()
    if isinstance(error, errors.HfHubHTTPError):
        code, more = _answered(error)
    elif isinstance(
        error,
        (ConnectionError, TimeoutError, errors.OfflineModeIsEnabled, *transport_errors()),
    ):
        code = OFFLINE
    elif isinstance(error, ValueError) and "README.md" in str(error):
        code, more = "push.card", {"why": " ".join(str(error).split()[4:]).rstrip(".")}
    return code, more


def _answered(error: Any) -> tuple[str, dict[str, Any]]:
    status = int(getattr(error.response, "status_code", 0))
    known = {401: "push.token", 402: "push.room", 403: "push.forbidden", 404: "push.forbidden",
             409: "push.changed", 412: "push.changed", 413: "push.room",
             429: "push.limit"}  # fmt: skip
    return known.get(status, "push.hub"), {"status": status}
