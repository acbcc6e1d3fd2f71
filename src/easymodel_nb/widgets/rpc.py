"""Commands between the view and the kernel: custom messages that always get a reply.

A request is `{id, method, params}`, its reply `{id, ok, result | error}`. The table
`methods.METHODS` is the whole vocabulary; `studio.command()` speaks it as well.
"""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from easymodel_nb import refusals
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.redaction import redact, throughout
from easymodel_nb.runlog.events import finite
from easymodel_nb.widgets.methods import METHODS, Buffered, DownloadPartResult, Empty

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """An error with a code of its own and data for the view."""

    def __init__(self, code: str, message: str, data: dict[str, Any] | None = None) -> None:
        self.code = code
        self.data = data or {}
        super().__init__(message)


class ErrorReply(BaseModel):
    """What went wrong, for the view."""

    code: str
    message: str
    problems: list[Problem] = []
    data: dict[str, Any] = {}


Handler = Callable[[Any], BaseModel | None]


def call(
    handlers: Mapping[str, Handler],
    method: str,
    params: dict[str, Any],
    buffers: Sequence[Any] = (),
) -> dict[str, Any]:
    """Run one command; `buffers` are the bytes that came with it.

    Raises
    ------
    StudioError
        When the command is refused.
    RpcError
        When it is unknown, malformed, stale or in conflict.

    """
    return _dumped(_answer(handlers, method, params, buffers))


def _answer(
    handlers: Mapping[str, Handler],
    method: str,
    params: dict[str, Any],
    buffers: Sequence[Any] = (),
) -> BaseModel:
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise RpcError("unknown_method", f"There is no command {method!r}; there are {known}.")
    try:
        parsed = METHODS[method].params.model_validate(throughout(params, _text))
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'parameters'}: {e['msg']}" for e in error.errors()
        )
        raise RpcError("invalid_params", f"{method}: {details}.") from None
    if isinstance(parsed, Buffered) and buffers:
        parsed.attach(memoryview(buffers[0]).cast("B"))
    try:
        return handlers[method](parsed) or Empty()
    except OSError as error:
        if not refusals.is_refusal(error):
            raise
        said = f"{refusals.in_words(error)} {refusals.remedy(error)}, then try again."
        raise problem_error("disk.refused", said) from None


def _text(text: str) -> str:
    """Half an emoji, which JavaScript can make, is no text and could not be sent back."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _dumped(result: BaseModel) -> dict[str, Any]:
    return finite(result.model_dump(mode="json"))  # type: ignore[no-any-return]


def reply(
    handlers: Mapping[str, Handler], message: Any, buffers: Sequence[Any] = ()
) -> dict[str, Any]:
    """The reply to one message; never raises, so that the view always hears back.

    `buffers` in it are bytes to send beside the JSON.
    """
    request = message if isinstance(message, dict) else {}
    base = {"id": finite(request.get("id"))}
    try:
        method, params = request.get("method"), request.get("params") or {}
        if not isinstance(method, str) or not isinstance(params, dict):
            raise RpcError("invalid_request", "A request is {id, method, params}.")  # noqa: TRY301
        result = _answer(handlers, method, params, buffers)
        sent = {"buffers": [result.buffer]} if isinstance(result, DownloadPartResult) else {}
        return {**base, "ok": True, "result": _dumped(result), **sent}
    except StudioError as error:
        failure = ErrorReply(code="refused", message=str(error), problems=error.problems)
    except RpcError as error:
        failure = ErrorReply(code=error.code, message=str(error), data=error.data)
    except Exception as error:  # noqa: BLE001  the view must hear back
        # Not exception(): what is printed in the cell is saved in the notebook.
        _log.error("command failed\n%s", redact(traceback.format_exc()))
        failure = ErrorReply(
            code="internal",
            message=redact(
                f"Something went wrong inside EasyModel ({type(error).__name__}: {error})."
            ),
        )
    return {**base, "ok": False, "error": throughout(finite(failure.model_dump(mode="json")))}
