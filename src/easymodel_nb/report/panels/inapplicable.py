"""What the panels of written text mean for a task of labels: does not apply, because."""

from html import escape

from easymodel_nb.report.answers import sentence
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.html import Row, table, tag, text
from easymodel_nb.report.points import values
from easymodel_nb.runlog.headline import PERPLEXITY, details, task_of
from easymodel_nb.runlog.view import RunView

_UNDEFINED = (
    "The task chooses among labels: there is no text whose tokens could be scored, and "
    "exp(loss) over labels is no perplexity of language."
)
# Test hook, name, why it does not apply, what takes its place.
_ROWS = (
    ("chart-perplexity", "Perplexity", _UNDEFINED, "Loss, and the scores by epoch"),
    (
        "chart-quality",
        "GQS: fluency, coherence, grammar, relevance",
        "The model writes no text that could be judged.",
        "Scores by epoch and by {row}",
    ),
    (
        "chart-semantics",
        "Consistency and drift of meaning",
        "A label is right or wrong; it is not near to another one.",
        "Drift of the predictions",
    ),
    (
        "chart-efficiency",
        "Token efficiency",
        "No tokens are written that could be more or less to the point.",
        "Accuracy by group of the data",
    ),
    (
        "chart-compression",
        "Compression, length of the answers",
        "An answer is a label; it has no length.",
        "The confusion of labels",
    ),
    (
        "chart-forgetting",
        "Forgetting: perplexity on general text",
        "The head for words was replaced by one for labels.",
        "\u2013",
    ),
)
_NO_GROUPS = (
    "chart-groups",
    "Accuracy by group of the data",
    "No column of groups is named in the Finetuning node.",
    "Scores by {row}",
)
_HOW = (
    "A panel is left out where its number is not defined for the task; nothing is put in its "
    "place that only looks like it. What says the same of labels stands in the last column."
)


def inapplicable_content(view: RunView) -> PanelContent:
    """What the panel shows of a run whose task has labels."""
    named = any("by_group" in details(p.analytics) for p in view.points)
    row = "tag" if task_of(view) == "token_classification" else "class"
    said = [
        (hook, name, _told(view) if hook == "chart-perplexity" else why, instead.format(row=row))
        for hook, name, why, instead in (*_ROWS, *(() if named or view.active else (_NO_GROUPS,)))
    ]
    rows = [
        Row([tag("span", escape(name), data_testid=hook), text("span", why), escape(instead)])
        for hook, name, why, instead in said
    ]
    return PanelContent(
        title="What does not apply to labels, and why",
        caption="Not computed, and no default number in its place",
        how=_HOW,
        table=table(
            "Numbers of written text that do not apply to this task",
            ["number", "does not apply, because", "instead"],
            rows,
            words=True,
        ),
        data=DataTable(
            "not-applicable",
            ["number", "does not apply, because", "instead"],
            [(name, why, instead) for _, name, why, instead in said],
        ),
        layout="stack",
    )


def _told(view: RunView) -> str:
    """The reason the run itself gave, else the general one."""
    found = [v.measured.reason for v in values(view, PERPLEXITY.key)]
    return next((sentence(why) for why in reversed(found) if why), _UNDEFINED)
