"""The box through which a run that trains is asked: three small files in its folder.

It works from the process that trains as from another. The one who asks writes `try.json` and
reads `try-answer.json`; the run looks between two steps.
"""

import json
import time
import uuid
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from easymodel_nb import whole
from easymodel_nb.runlog.tried import Answer

_ASKED, _ANSWERED, _STOP = "try.json", "try-answer.json", "try-stop"
_OLD_SECONDS = 600.0  # nobody waits that long


class Question(BaseModel):
    """A text, of pairs two, and the name its answer goes by."""

    id: str
    text: str
    pair: str = ""


class _Reply(BaseModel):
    id: str
    answer: Answer


def ask(folder: Path, text: str, pair: str) -> str:
    """Put a question into the box; what was in it before is replaced."""
    question = Question(id=uuid.uuid4().hex, text=text, pair=pair)
    for name in (_ANSWERED, _STOP):
        (folder / name).unlink(missing_ok=True)
    whole.replace(folder / _ASKED, question.model_dump_json(), shared=True)
    return question.id


def withdraw(folder: Path) -> None:
    """Take the question back, or end the answer that is being written."""
    (folder / _ASKED).unlink(missing_ok=True)
    with suppress(OSError):
        (folder / _STOP).touch()


def is_withdrawn(folder: Path) -> bool:
    """Whether nobody waits for the answer any more."""
    return (folder / _STOP).exists()


def answer_to(folder: Path, question: str) -> Answer | None:
    """What was answered so far; None while nothing was."""
    try:
        reply = _Reply.model_validate_json((folder / _ANSWERED).read_bytes())
    except (OSError, ValueError):
        return None
    return reply.answer if reply.id == question else None


def take(folder: Path) -> Question | None:
    """The question in the box, if there is one that somebody may still wait for."""
    path = folder / _ASKED
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    try:
        question = Question.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        question = None
    path.unlink(missing_ok=True)
    return question if age < _OLD_SECONDS else None


def reply(folder: Path, question: Question, answer: Answer) -> None:
    """Answer a question, or say how far its answer is."""
    whole.replace(
        folder / _ANSWERED, json.dumps({"id": question.id, "answer": answer.model_dump()})
    )


def clear(folder: Path) -> None:
    """Leave nothing behind."""
    for name in (_ASKED, _ANSWERED, _STOP):
        (folder / name).unlink(missing_ok=True)
