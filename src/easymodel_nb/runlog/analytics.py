"""What is measured at one point of a run: the `analytics` of an `epoch` or `measured` event.

An absent group was not due there; a number that was due and could not be computed is a Measured
with its reason. Everything that is read from an old log is kept, also what this version does not
know.
"""

from pydantic import BaseModel, ConfigDict

from easymodel_nb.measured import Measured


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class QualityPoint(_Open):
    """The generation quality score (0 to 100) and its axes (0 to 1), means over the prompts."""

    overall: Measured
    fluency: Measured
    coherence: Measured
    grammar: Measured
    relevance: Measured


class SemanticsPoint(_Open):
    """Cosines of answers with references and with the base model's answers.

    `consistency`: to the references. `drift`: 1 - cosine to the base model's answer; `step`: to
    the answer of the fully measured point before. `segments`: consistency of the first to the
    last quarter of the answers. `mmd`: squared maximum mean discrepancy to the base model's
    answers. `forgetting`: perplexity on a slice of general text.
    """

    consistency: Measured
    drift: Measured
    step: Measured
    segments: list[Measured] = []
    mmd: Measured
    forgetting: Measured


class EfficiencyGroup(_Open):
    """One group of the data: relevance points (0 to 100) per 100 tokens, base and tuned.

    `ratio` is tuned over base with its paired interval.
    """

    name: str
    n: int
    base: Measured
    tuned: Measured
    ratio: Measured


class EfficiencyPoint(_Open):
    """How much is said with how many tokens.

    `token_efficiency`: relevance per token relative to the base model (1 is the same).
    `length_ratio`: geometric mean of answer tokens over reference tokens. `compression`: mean
    source tokens over answer tokens. `points`: [reference tokens, answer tokens] of each prompt.
    """

    token_efficiency: Measured
    length_ratio: Measured
    bytes_per_token: Measured
    compression: Measured
    points: list[tuple[int, int]] = []
    groups: list[EfficiencyGroup] = []


class Analytics(_Open):
    """Everything measured at one point of a run.

    `changes`: paired differences from the base model on the same texts, by the dotted name of
    the number that changed ("perplexity.validation" in percent, "quality.overall" in points,
    "semantics.consistency", "task.accuracy" ... in the number's own unit); what is better and
    what is worse is told by the interval alone.

    `details`: tables and what else a panel says, by name: `confusion`, `per_class` ... of the
    tasks; `judges`, `references`, `noise`, `budget`, `counts` of what is measured on answers
    (`train/analytics` says what each holds).
    """

    perplexity: dict[str, Measured] = {}
    task: dict[str, Measured] = {}
    quality: QualityPoint | None = None
    semantics: SemanticsPoint | None = None
    efficiency: EfficiencyPoint | None = None
    changes: dict[str, Measured] = {}

    def merged(self, other: "Analytics") -> "Analytics":
        """This point with what was measured on it later: the later groups win, tables join."""
        told = other.model_dump(exclude_unset=True, exclude_none=True)
        mine = self.model_dump(exclude_unset=True)
        for name, group in told.items():
            old = mine.get(name)
            joins = name in {"perplexity", "task", "changes", "details"}
            mine[name] = {**old, **group} if joins and isinstance(old, dict) else group
        return Analytics.model_validate(mine)
