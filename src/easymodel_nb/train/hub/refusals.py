"""What the Hub or the way to it refuses, as sentences on the source field."""

import sys
from collections.abc import Callable
from typing import TypeVar

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.hub.repository import Repo

T = TypeVar("T")
# The Hub could not be asked, or would not say: what is on this machine still works.
NO_ANSWER = frozenset({"hub.offline", "hub.error", "hub.busy"})


class NoAnswer(StudioError):  # noqa: N818  it says what came of asking
    """The Hub could not be asked, or would not say."""


def guarded(work: Callable[[], T], repo: Repo, token: str | None) -> T:
    """Do Hub work; its errors become problems on the source field."""
    try:
        return work()
    except Exception as error:
        told = _told(_reason(error), repo, token)
        if told is None:
            raise
        code, message = told
        kind = NoAnswer if code in NO_ANSWER else StudioError
        raise kind(Problem(code=code, message=message, field="source")) from error


def _reason(error: BaseException) -> BaseException:
    """What was in the way; the client first says that a file is not in its cache."""
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _told(  # noqa: PLR0911  one case a kind of error
    error: BaseException, repo: Repo, token: str | None
) -> tuple[str, str] | None:
    """The code and the sentence for an error; None for one that is none of the Hub's."""
    from huggingface_hub import errors  # noqa: PLC0415

    kind, name = repo.type, repo.id
    match error:
        case errors.GatedRepoError():
            remedy = "train again" if token else "give EasyModel a token of that account"
            return "hub.gated", (
                f"{name} is gated: accept its terms on its page on the Hub with your account, "
                f"then {remedy}."
            )
        case errors.RepositoryNotFoundError():
            why = "this token may not read it" if token else "needs a token"
            return "hub.not_found", (
                f"There is no {kind} {name!r} on the Hub, or it is private and {why}. "
                "Check the spelling."
            )
        case errors.RevisionNotFoundError():
            return "hub.revision", (
                f"{name} has no revision {repo.revision!r}. Leave it empty for the newest."
            )
        case (  # the last is what a proxy's or a hotel's page in place of the Hub looks like
            errors.LocalEntryNotFoundError()
            | errors.OfflineModeIsEnabled()
            | errors.FileMetadataError()
        ):
            return _offline(name)
        case errors.HfHubHTTPError():
            return _answered(getattr(error.response, "status_code", None), repo)
    if isinstance(error, (ConnectionError, TimeoutError, *transport_errors())):
        return _offline(name)
    if isinstance(error, (FileNotFoundError, ValueError)) and kind == "dataset":
        return "hub.dataset", (
            f"{name} could not be read as a dataset: {str(error).strip().rstrip('.')}. "
            "Choose another dataset, or one of its configs."
        )
    return None


def _offline(name: str) -> tuple[str, str]:
    return "hub.offline", (
        f"{name} could not be fetched: the Hugging Face Hub cannot be reached. Check the "
        "network, or use a local folder or a builtin: source."
    )


def _answered(status: int | None, repo: Repo) -> tuple[str, str]:
    name = repo.id
    match status:
        case 429:
            return "hub.busy", (
                f"The Hub asks to wait before it answers for {name}. Try again in a minute."
            )
        case 401:
            said = f"The Hub does not accept the token for {name}. Give a valid one."
            return "hub.unauthorised", said
        case 403:
            return "hub.forbidden", f"The Hub does not let this account read {name}."
        case 404:
            said = f"There is no {repo.type} {name!r} on the Hub. Check the spelling."
            return "hub.not_found", said
    return "hub.error", f"The Hub answered {status} for {name}. Try again in a minute."


def transport_errors() -> list[type[Exception]]:
    """What no network looks like: httpx2's errors since huggingface_hub 2, httpx's before."""
    loaded = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return [library.TransportError for library in loaded]
