"""Which runs are compared, and how: what the user chose, before anything is computed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Along = Literal["step", "epoch", "tokens", "minutes"]
FEWEST, MOST = 2, 8  # runs


class CompareView(BaseModel):
    """`runs` None are the latest ones of the run that is shown; `reference` None the oldest."""

    model_config = ConfigDict(frozen=True)

    open: bool = False
    runs: tuple[str, ...] | None = None
    reference: str | None = None
    along: Along = "epoch"
    metric: str = ""  # the dotted name of a number, or "loss"; empty: the headline
