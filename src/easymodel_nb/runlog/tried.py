"""What base and tuned answer to a text of the user's: the state of the prompt box as data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Side = Literal["base", "tuned"]


class Answer(BaseModel):
    """What one of the two models has answered so far.

    `labels` are (label, probability), the likeliest first; `words` are (word, tag). `reason` says
    why there is no answer, as a sentence.
    """

    model_config = ConfigDict(frozen=True)

    text: str = ""
    labels: tuple[tuple[str, float], ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    tokens: int | None = None
    ended: Literal["", "eos", "limit", "stopped"] = ""
    done: bool = False
    reason: str | None = None


class Tried(BaseModel):
    """One text (of pairs, two), and what both models make of it."""

    model_config = ConfigDict(frozen=True)

    run: str
    text: str
    pair: str = ""
    state: Literal["waiting", "loading", "answering", "done", "failed", "stopped"] = "waiting"
    message: str = ""
    task: str = "generation"
    limit: int | None = None  # tokens of an answer at most
    base: Answer = Answer()
    tuned: Answer = Answer()

    @property
    def active(self) -> bool:
        """Whether an answer is still to come."""
        return self.state in {"waiting", "loading", "answering"}
