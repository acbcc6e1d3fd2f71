"""The panels of a run as data: what each shows, what is missing of it, and what it may claim."""

import math
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.measured import Measured
from easymodel_nb.report.cells import cells
from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import BarFigure, Empty, LineFigure, RadarFigure, ScatterFigure
from easymodel_nb.report.finding import finding
from easymodel_nb.report.gains import gain_html
from easymodel_nb.report.grid import Kind, panels_of
from easymodel_nb.report.paired import apart, comparing, direction, since_base
from easymodel_nb.report.story import facts
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import EpochPoint, RunView
from tests.unit import panel_views as made
from tests.unit.panel_views import ABSENT, JUDGE, m, null, point

MINUS = "\u2212"


def seq2seq(view: RunView) -> RunView:
    return view.model_copy(update={"plan": {**(view.plan or {}), "finetune": {"task": "seq2seq"}}})


def without(view: RunView, **groups: object) -> RunView:
    """The same with other groups at every point."""
    points = [
        p.model_copy(update={"analytics": p.analytics.model_copy(update=groups)})
        for p in view.points
    ]
    return view.model_copy(update={"points": points})


FEW = null("too few samples: 9 of 16", n=9)
VIEWS: dict[str, Callable[[], RunView]] = {
    "generation": made.generation,
    "no clear change": lambda: made.generation(clear=False),
    "seq2seq": lambda: seq2seq(made.generation()),
    "classification": made.labels,
    "token_classification": lambda: made.labels("token_classification"),
    "nothing yet": made.waiting,
    "nothing yet, labels": lambda: made.waiting("classification"),
    "nothing at all": lambda: made.run("generation", []),
    "base alone": lambda: made.generation(0),
    "one epoch": lambda: made.generation(1),
    "sixty epochs": lambda: made.generation(60),
    "running": lambda: made.generation(1, status="running", epochs=3, seconds_left=60.0),
    "failed": lambda: made.generation(1, status="failed"),
    "resumed": lambda: made.generation(attempt=2, resumed=[{"attempt": 2, "step": 12}]),
    "kept": lambda: made.generation(summary={"kept_epoch": 2, "stopped_early": True}),
    "no judge": lambda: without(
        made.generation(),
        quality=made.quality(
            50, overall=null(ABSENT), coherence=null(ABSENT), grammar=null(ABSENT)
        ),
    ),
    "nothing judged": lambda: without(
        made.generation(),
        quality=made.quality(0, 64, **dict.fromkeys(("overall", *made.AXES), null(ABSENT))),
    ),
    "too few": lambda: without(
        made.generation(),
        quality=made.quality(0, 64, **dict.fromkeys(("overall", *made.AXES), FEW)),
    ),
    "NaN": lambda: without(made.generation(), perplexity={"validation": null("NaN logits.")}),
}
EVERY = pytest.mark.parametrize("name", VIEWS)


def contents(view: RunView) -> dict[str, PanelContent]:
    return {panel.name: panel.content for panel in panels_of(view)}


def plain(markup: str) -> str:
    return re.sub(r"<[^>]+>", " ", markup).replace("\xa0", " ")


# ---------------------------------------------------------------- every panel of every run


@EVERY
def test_every_panel_says_what_it_is_and_how_it_is_computed(name: str) -> None:
    panels = panels_of(VIEWS[name]())
    assert len({panel.name for panel in panels}) == len(panels)
    for panel in panels:
        content = panel.content
        assert content.title
        assert content.caption
        assert len(content.how) > 60
        assert content.figures or content.table, f"{panel.name} is nothing but a title"


@EVERY
def test_every_figure_has_an_accessible_table_of_its_numbers(name: str) -> None:
    for panel in panels_of(VIEWS[name]()):
        content = panel.content
        if any(not isinstance(figure, Empty) for figure in content.figures):
            shown = content.table + content.details
            assert "<caption" in shown, f"{panel.name} has no table"
            assert content.data is not None, f"{panel.name} has no numbers to download"
            assert content.data.rows


@EVERY
def test_no_number_is_nan_and_none_stands_for_one_that_is_missing(name: str) -> None:
    for panel in panels_of(VIEWS[name]()):
        content = panel.content
        said = plain(f"{content.title} {content.caption} {content.table} {content.details}")
        assert not re.search(r"\b(nan|inf|None)\b", said), (panel.name, said)
        for row in content.data.rows if content.data else ():
            assert all(not isinstance(cell, float) or math.isfinite(cell) for cell in row)


@EVERY
def test_every_number_lies_on_its_axis(name: str) -> None:
    for panel in panels_of(VIEWS[name]()):
        for figure in panel.content.figures:
            if isinstance(figure, LineFigure):
                for line in figure.lines.values():
                    for value in (*line.y, *line.low, *line.high):
                        if math.isfinite(value):
                            assert -1e-6 <= figure.y.share(value) <= 1 + 1e-6, panel.name
                    assert all(-1e-6 <= figure.x.share(x) <= 1 + 1e-6 for x in line.x)
                    assert len(line.x) <= 500
            if isinstance(figure, ScatterFigure):
                for dots in figure.series.values():
                    assert all(-1e-6 <= figure.x.share(x) <= 1 + 1e-6 for x in dots.x)
                    assert all(-1e-6 <= figure.y.share(y) <= 1 + 1e-6 for y in dots.y)


@EVERY
def test_what_is_missing_says_why_or_when(name: str) -> None:
    for panel in panels_of(VIEWS[name]()):
        for figure in panel.content.figures:
            if isinstance(figure, Empty):
                assert figure.why.endswith((".", "!", "?", '"x"')), figure
                assert figure.why[:1] == figure.why[:1].upper()


# ---------------------------------------------------------------- the order, one list for all


def names(view: RunView) -> list[str]:
    return [panel.name for panel in panels_of(view)]


def test_the_panels_of_a_run_that_writes_text() -> None:
    assert names(made.generation()) == [
        "chart-perplexity",
        "chart-quality",
        "chart-semantics",
        "chart-efficiency",
        "chart-compression",
        "chart-forgetting",
        "chart-speed",
        "chart-loss",
    ]
    assert names(seq2seq(made.generation()))[:3] == [
        "chart-perplexity",
        "chart-task",
        "chart-quality",
    ]


def test_the_panels_of_a_run_that_labels() -> None:
    found = contents(made.labels())
    assert list(found) == [
        "chart-task",
        "confusion",
        "per-class",
        "chart-predictions",
        "chart-calibration",
        "chart-groups",
        "chart-speed",
        "chart-loss",
        "not-applicable",
    ]
    told = found["not-applicable"].table
    for hook in ("perplexity", "quality", "semantics", "efficiency", "compression"):
        assert f'data-testid="chart-{hook}"' in told
    assert "Perplexity is not defined for labels." in told


def test_a_panel_that_fails_costs_its_own_place() -> None:
    def broken(view: RunView, scores: Sequence[Scores]) -> PanelContent | None:
        raise ValueError(f"{view.id}, {len(scores)} scores")

    content = Kind("chart-speed", "half", "steps", broken).content(made.generation())
    assert content is not None
    assert content.title == "Speed"
    assert isinstance(content.figure, Empty)
    assert content.figure.failed
    assert "ValueError: r1, 0 scores" in content.figure.why


# ---------------------------------------------------------------- what may be claimed

CLAIMS = re.compile(
    r"\b(fell|rose|closer|further|harder|easier|better|worse|more relevant|less relevant"
    r"|falling|rising|lowest|highest)\b",
    re.IGNORECASE,
)
NOTHING = re.compile(r"no clear change|did not change|no change", re.IGNORECASE)
CHANGED = ("perplexity.validation", "quality.overall", "semantics.consistency")
JUDGED = ("chart-perplexity", "chart-quality", "chart-semantics", "chart-forgetting")


def changed(change: Measured | None, ratio: Measured) -> RunView:
    """A run of one epoch whose every paired change is that one."""
    keys = (*CHANGED, *(f"quality.{axis}" for axis in made.AXES), "semantics.forgetting")
    groups = [made.group(name, 1.0, 2.0, ratio) for name in ("a", "b", "c")]
    base, tuned = made.generation(1).points
    analytics = tuned.analytics.model_copy(
        update={
            "changes": {} if change is None else dict.fromkeys(keys, change),
            "efficiency": made.efficiency(groups=groups, token_efficiency=ratio),
        }
    )
    return made.run("generation", [base, tuned.model_copy(update={"analytics": analytics})])


@settings(max_examples=60, deadline=None)
@given(st.floats(-30, 30), st.floats(0, 30), st.floats(0, 30))
def test_no_title_claims_a_change_whose_interval_holds_none(
    value: float, below: float, above: float
) -> None:
    change = Measured(value=value, low=value - below, high=value + above, n=64)
    ratio = Measured(value=1 + value / 100, low=1 + (value - below) / 100, high=9.0, n=9)
    ratio = ratio if direction(change) == "rose" else ratio.model_copy(update={"low": 0.5})
    view = changed(change, ratio)
    found = contents(view)
    titles = [finding(view), *(found[name].title for name in JUDGED)]
    if direction(change) == "unclear":
        assert not [title for title in titles if CLAIMS.search(title)]
        assert all(cell.mood == "none" for cell in cells(view))
        assert "emnb-good" not in found["chart-quality"].table
        assert "emnb-bad" not in found["chart-quality"].table
    else:
        assert not [title for title in titles if NOTHING.search(title)]
        way = "fell" if change.high is not None and change.high < 0 else "rose"
        assert finding(view).startswith(f"Validation perplexity {way} from")
    if direction(ratio, 1.0) == "unclear":
        assert not CLAIMS.search(found["chart-efficiency"].title)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(10, 60), min_size=2, max_size=6), st.floats(0.1, 20))
def test_without_pairs_overlapping_intervals_claim_neither_a_change_nor_none(
    levels: list[float], by: float
) -> None:
    points = [point(k, perplexity={"validation": m(v, by)}) for k, v in enumerate(levels)]
    view = made.run("generation", points, epochs=len(levels) - 1)
    titles = (finding(view), contents(view)["chart-perplexity"].title)
    assert not [title for title in titles if NOTHING.search(title)], "sameness needs pairs"
    if max(levels) - min(levels) < 2 * by:
        assert not [title for title in titles if CLAIMS.search(title)]


def test_the_paired_interval_prevails_over_two_that_overlap() -> None:
    points = [
        point(0, perplexity={"validation": m(24.6, 1.1)}),
        point(
            1,
            perplexity={"validation": m(24.0, 1.1)},
            changes={"perplexity.validation": m(-2.4, 0.5, unit="%")},
        ),
    ]
    view = made.run("generation", points, epochs=1)
    assert finding(view) == "Validation perplexity fell from 24.6 to 24.0 in 1 epoch"
    (first, *_) = cells(view)
    assert (first.aside, first.mood) == (f"{MINUS}2 %", "good")
    assert first.notes[0] == f"[{MINUS}3, {MINUS}2], base 24.6"


def nll(step: int, each: Sequence[float | None], digest: str = "d") -> Scores:
    values = list(each)
    return Scores(
        step, step / 10, "validation", digest, {"nll": values, "tokens": [10.0] * len(values)}
    )


def test_two_epochs_are_compared_text_by_text() -> None:
    texts: list[float] = [20.0 + k % 7 for k in range(40)]
    levels = {0: 3.0, 1: 2.0, 2: 1.9, 3: 1.9}
    points = [
        point(
            epoch,
            perplexity={"validation": m(math.exp(level), 3.0), "train": m(9.0 - 2 * epoch, 0.1)},
            changes={"perplexity.validation": m(-60.0, 20.0)} if epoch else {},
        )
        for epoch, level in levels.items()
    ]
    scores = [nll(0, texts), nll(10, [t - 10 for t in texts])]
    scores += [nll(20, [t - 11 for t in texts])]
    scores += [nll(30, [t - 11 + 0.1 * (-1) ** k for k, t in enumerate(texts)])]
    view = made.run("generation", points)
    compare = comparing(view, "perplexity.validation", scores)
    assert (compare(1, 2), compare(2, 1), compare(2, 3)) == ("fell", "rose", "unclear")
    title = panels_of(view, scores)[0].content.title
    told = "Validation perplexity did not change clearly after epoch 2, train kept falling"
    assert title == told
    assert "did not change" not in panels_of(view)[0].content.title, "not without the pairs"
    other = [*scores[:3], nll(30, texts, digest="other texts")]
    assert comparing(view, "perplexity.validation", other)(2, 3) == "unknown"


def test_an_epoch_is_the_lowest_only_where_the_last_one_is_clearly_higher() -> None:
    def view(last: float) -> RunView:
        changes = {0: 0.0, 1: -40.0, 2: -50.0, 3: last}
        points = [
            point(
                epoch,
                perplexity={"validation": m(60 * (1 + by / 100), 30.0)},
                changes={"perplexity.validation": m(by, 2.0, unit="%")} if epoch else {},
            )
            for epoch, by in changes.items()
        ]
        return made.run("generation", points)

    assert finding(view(-40)) == (
        "Validation perplexity fell from 60.0 to 36.0 in 3 epochs, lowest at epoch 2"
    )
    assert finding(view(-48)).endswith("to 31.2 in 3 epochs")
    kept = view(-40).model_copy(update={"summary": {"kept_epoch": 2}})
    assert finding(kept).endswith("from 60.0 to 30.0 in 3 epochs, lowest at epoch 2")


def test_a_change_is_read_from_its_interval_alone() -> None:
    assert direction(m(-1, 0.5)) == "fell"
    assert direction(m(0.5, 0.5)) == "unclear", "an end at 0 holds 0"
    assert direction(Measured(value=0.0, low=0.0, high=0.0)) == "unclear"
    assert direction(Measured(value=3.0)) == "unknown"
    assert direction(null()) == "unknown"
    assert apart(m(1, 0.5), m(3, 0.5)) == "rose"
    assert since_base(made.run("generation", []), "quality.overall", 1).says == "unknown"


@pytest.mark.parametrize(
    ("change", "better", "mood"),
    [
        (m(5, 2), "rose", "good"),
        (m(-5, 2), "rose", "bad"),
        (m(-5, 2), "fell", "good"),
        (m(1, 2), "rose", "none"),
        (Measured(value=5.0), "rose", "none"),
    ],
)
def test_a_gain_is_coloured_only_where_it_is_clear(
    change: Measured, better: str, mood: str
) -> None:
    assert f"emnb-{mood}" in gain_html(change, better=better)  # type: ignore[arg-type]


# ---------------------------------------------------------------- quality


def test_the_radar_has_base_tuned_and_human_with_gain_and_interval() -> None:
    content = contents(made.generation())["chart-quality"]
    figure = content.figure
    assert isinstance(figure, RadarFigure)
    assert list(figure.axes) == ["Fluency", "Coherence", "Well-formed", "Relevance"]
    assert figure.shapes["base"].values == [40.0] * 4
    assert figure.shapes["human"].values == [80.0] * 4
    assert not figure.shapes["epoch 1"].kept
    assert content.title == "GQS rose by 15.0 points, to 55.0 at epoch 3"
    assert "64 prompts, greedy, judged by minilm, probe" in content.caption
    assert JUDGE in content.how
    rows = plain(content.table)
    assert "+15.0 [13.0, 17.0]" in rows
    assert "79.0" in rows


def test_a_null_axis_is_a_gap_with_its_reason_and_the_remedy() -> None:
    content = contents(VIEWS["no judge"]())["chart-quality"]
    figure = content.figure
    assert isinstance(figure, RadarFigure)
    assert list(figure.axes)[1:3] == ["Coherence n/a", "Well-formed n/a"]
    assert [math.isnan(v) for v in figure.shapes["tuned"].values] == [False, True, True, False]
    assert content.title == "GQS is not computed; some of its axes are"
    assert "not on this machine" in content.table
    assert content.action is not None
    assert (content.action.command, dict(content.action.params)) == ("measure", {"run": "r1"})
    assert re.fullmatch(r"Get the judge, \d+ MB", content.action.label)


def test_scores_over_other_axes_are_told_apart() -> None:
    base, *_, last = made.generation().points
    lost = made.quality(55, coherence=null("Every answer is one sentence."))
    analytics = last.analytics.model_copy(update={"quality": lost})
    view = made.run("generation", [base, last.model_copy(update={"analytics": analytics})])
    content = contents(view)["chart-quality"]
    title = "GQS rose by 15.0 points, to 55.0 at epoch 3; coherence left out of it"
    assert content.title == title
    (coherence,) = re.findall(r"Coherence.*?</tr>", content.table)
    assert "15" not in plain(coherence)  # the gain of the few texts that have it is no gain of it


def test_a_clear_gain_is_never_written_as_if_its_interval_ended_at_0() -> None:
    base, *_, last = made.generation().points
    near = {**last.analytics.changes, "quality.fluency": made.m(-0.09, 0.088)}
    analytics = last.analytics.model_copy(update={"changes": near})
    view = made.run("generation", [base, last.model_copy(update={"analytics": analytics})])
    table = plain(contents(view)["chart-quality"].table)
    assert "\u22129.0 [\u221217.8, \u22120.2]" in table.replace("\u00a0", " ")


def test_a_missing_judge_has_one_button_and_none_while_it_trains() -> None:
    view = VIEWS["nothing judged"]()
    place = contents(view)["chart-quality"].figure
    assert isinstance(place, Empty)
    assert place.action is not None
    running = contents(view.model_copy(update={"status": "running"}))["chart-quality"].figure
    assert isinstance(running, Empty)
    assert running.action is None


def test_below_16_prompts_there_is_no_score_and_below_32_it_is_indicative() -> None:
    place = contents(VIEWS["too few"]())["chart-quality"].figure
    assert isinstance(place, Empty)
    assert "Too few samples: 9 of 16." in place.why
    assert place.action is None
    assert not place.failed
    some = contents(made.generation(n=20))["chart-quality"]
    assert some.title.endswith(", which is indicative only")
    assert "20 prompts (indicative)" in some.caption


def test_the_third_axis_is_grammar_only_with_a_judge_of_grammar() -> None:
    points = made.generation().points
    told = {**made.DETAILS, "judges": {"grammar": "textattack/roberta-base-CoLA@1234"}}
    first = points[0].model_copy(
        update={"analytics": points[0].analytics.model_copy(update={"details": told})}
    )
    figure = contents(made.run("generation", [first, *points[1:]]))["chart-quality"].figure
    assert isinstance(figure, RadarFigure)
    assert figure.axes[2] == "Grammar"


def test_a_failed_metric_costs_its_own_panel_and_says_so() -> None:
    why = "What the answers mean could not be measured (ValueError: no)."
    none = null(why)
    lost = made.semantics().model_copy(
        update={"consistency": none, "drift": none, "segments": [], "mmd": none, "forgetting": none}
    )
    found = contents(without(made.generation(), semantics=lost))
    place = found["chart-semantics"].figure
    assert isinstance(place, Empty)
    assert place.failed
    assert place.why == why
    assert isinstance(found["chart-quality"].figure, RadarFigure)
    assert isinstance(found["chart-forgetting"].figure, Empty)


def test_sixty_epochs_stay_readable() -> None:
    content = contents(made.generation(60))["chart-quality"]
    assert isinstance(content.figure, RadarFigure)
    assert len(content.figure.shapes) <= 6
    assert content.data is not None
    assert len(content.data.rows) == 61 * 5 + 5


# ---------------------------------------------------------------- semantics, forgetting


def test_meaning_by_epoch_and_by_quarter_with_the_noise_floor() -> None:
    content = contents(made.generation())["chart-semantics"]
    by_epoch, by_quarter = content.figures
    assert isinstance(by_epoch, LineFigure)
    assert isinstance(by_quarter, LineFigure)
    assert by_epoch.lines["floor"].high == (0.07, 0.07)
    assert by_epoch.lines["floor"].label == "drift noise"
    assert by_epoch.styles["floor"].width == 0
    assert list(by_quarter.lines) == ["base", "tuned"]
    assert list(by_quarter.lines["tuned"].x) == [1.0, 2.0, 3.0, 4.0]
    assert "quarter 2" in by_quarter.lines["tuned"].tips[1]
    assert content.title == "Closer to the references from epoch 1 on"
    assert "p 0.002" in content.details
    assert "+0.100 [0.0500, 0.150]" in plain(content.details)


def test_a_drift_within_the_noise_is_told_so() -> None:
    assert "within the noise floor" not in contents(made.generation())["chart-semantics"].caption
    still = without(made.generation(), semantics=made.semantics(drift=0.04))
    base = {"details": made.DETAILS}
    first = still.points[0].analytics.model_copy(update=base)
    points = [still.points[0].model_copy(update={"analytics": first}), *still.points[1:]]
    found = contents(still.model_copy(update={"points": points}))["chart-semantics"]
    assert "drift within the noise floor" in found.caption


def test_what_has_no_stored_answers_offers_no_measuring() -> None:
    base = made.generation(0)
    place = contents(base)["chart-efficiency"].figure
    assert isinstance(place, Empty)
    assert place.action is None, "only the base model's answers are stored"
    stored = [{"step": 0, "epoch": 0, "rows": 4}, {"step": 10, "epoch": 1, "rows": 4}]
    later = contents(base.model_copy(update={"samples": stored}))["chart-efficiency"].figure
    assert isinstance(later, Empty)
    assert later.action is not None


def test_short_answers_have_no_quarters_and_say_so() -> None:
    view = without(made.generation(), semantics=made.semantics(segments=()))
    first, second = contents(view)["chart-semantics"].figures
    assert isinstance(first, LineFigure)
    assert isinstance(second, Empty)
    assert "40 words" in second.why


def test_quarters_of_a_few_answers_are_no_curve() -> None:
    few = made.semantics().model_copy(update={"segments": [m(0.5, n=3)] * 4})
    _, second = contents(without(made.generation(), semantics=few))["chart-semantics"].figures
    assert isinstance(second, Empty)
    assert second.why == "Only 3 answers of 40 words or more: too few for a curve."


def test_forgetting_stands_beside_the_task() -> None:
    content = contents(made.generation())["chart-forgetting"]
    assert isinstance(content.figure, LineFigure)
    assert set(content.figure.lines) == {"general", "task"}
    assert content.title.startswith("No clear forgetting")
    assert f"{MINUS}48 % [{MINUS}50, {MINUS}46]" in plain(content.table)


# ---------------------------------------------------------------- efficiency, lengths


def test_groups_are_sorted_and_say_the_ratio_or_that_nothing_changed() -> None:
    content = contents(made.generation())["chart-efficiency"]
    figure = content.figure
    assert isinstance(figure, BarFigure)
    assert [(row.name, row.note, row.quiet) for row in figure.rows] == [
        ("closed QA", "2.6\u00d7", False),
        ("summarise", "1.9\u00d7", False),
        ("classify", "no change", True),
    ]
    assert content.title == "More relevant per token in 2 of 3 groups"
    assert content.caption.startswith("Groups from the column category")
    assert figure.x.low == 0


def test_a_group_is_never_html() -> None:
    evil = "<img src=x onerror=alert(1)>"
    groups = [made.group(evil, 1, 2, m(2, 0.5)), made.group("b", 1, 2, null("one text"))]
    view = without(made.generation(), efficiency=made.efficiency(groups=groups))
    content = contents(view)["chart-efficiency"]
    assert evil not in content.details
    assert "one text" in content.details


@pytest.mark.parametrize(
    ("lengths", "log"),
    [
        ([(10, 12), (20, 18), (30, 25)], False),
        ([(2, 3), (5, 8), (20, 18), (300, 190)], True),
        ([(10, 0), (20, 18)], False),
        ([(0, 0)], False),
    ],
)
def test_lengths_are_logarithmic_when_they_span_far(
    lengths: list[tuple[int, int]], *, log: bool
) -> None:
    view = without(made.generation(), efficiency=made.efficiency(lengths))
    figure = contents(view)["chart-compression"].figure
    assert isinstance(figure, ScatterFigure)
    assert (figure.x.log, figure.y.log) == (log, log)
    assert figure.x_name.endswith("log") == log
    assert figure.limit == 192
    assert figure.diagonal


def test_the_share_at_the_limit_is_the_one_that_was_counted() -> None:
    caption = contents(made.generation())["chart-compression"].caption
    assert "At the 192-token limit: base 25 %, tuned 25 %" in caption
    assert "slope base" in caption


# ---------------------------------------------------------------- by step


def test_10000_steps_stay_smooth_and_keep_their_spikes() -> None:
    curve = [
        {"step": k, "epoch": 0.0, "loss": 3.0 + 5 * (k == 7000), "grad_norm": 1.0 + (k == 4321)}
        for k in range(1, 10_001)
    ]
    view = RunView.model_validate(
        {**made.run("generation", []).model_dump(), "curve": curve, "max_steps": 10_000}
    )
    content = contents(view)["chart-loss"]
    loss, rate, norm = content.figures
    assert isinstance(loss, LineFigure)
    assert isinstance(norm, LineFigure)
    assert isinstance(rate, Empty)
    assert len(loss.lines["loss"].x) <= 500
    assert max(loss.lines["loss"].y) == 8.0
    assert max(norm.lines["grad_norm"].y) == 2.0
    assert content.data is not None
    assert len(content.data.rows) == 10_000


def test_a_resumed_run_says_from_where() -> None:
    assert "resumed from step 12" in contents(VIEWS["resumed"]())["chart-loss"].caption


def test_memory_and_speed_by_step() -> None:
    content = contents(made.generation())["chart-speed"]
    speed, memory = content.figures
    assert isinstance(memory, LineFigure)
    assert isinstance(speed, LineFigure)
    assert memory.lines["memory_bytes"].label == "0.6 GB"
    assert "GB" in memory.y.texts[-1]
    assert "0.6 GB at most" in content.title


# ---------------------------------------------------------------- while it waits


def test_before_the_first_point_every_panel_says_when_it_comes() -> None:
    found = contents(made.waiting())
    for name in ("chart-perplexity", "chart-quality", "chart-semantics", "chart-compression"):
        place = found[name].figure
        assert isinstance(place, Empty)
        assert place.why == (
            "Of the base model before training, then after epoch 1, in about 40 s."
        )


def test_the_next_measured_epoch_is_the_one_the_budget_names() -> None:
    base = made.generation(0).points[0]
    told = {**made.DETAILS, "budget": {"epochs": [2], "reason": None}}
    groups = {"details": told, "efficiency": None, "semantics": None}
    first = EpochPoint(step=0, epoch=0, analytics=base.analytics.model_copy(update=groups))
    view = made.run("generation", [first], status="running", step=0, seconds_left=120.0)
    place = contents(view)["chart-efficiency"].figure
    assert isinstance(place, Empty)
    assert place.why == "After epoch 2, in about 1 min."


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ({"budget": {"reason": "16 prompts would take 3 min: raise it."}}, "16 prompts would"),
        ({}, "Only the base model was measured"),
    ],
)
def test_a_budget_that_left_no_time_says_so_with_the_remedy(
    details: dict[str, object], says: str
) -> None:
    view = made.run(
        "generation", [point(0, details=details, semantics=made.semantics(segments=()))]
    )
    place = contents(view)["chart-efficiency"].figure
    assert isinstance(place, Empty)
    semantic = contents(view)["chart-semantics"]
    assert semantic.title.endswith("before training")
    if details:
        assert says in place.why
        assert place.action is not None
        assert place.action.command == "measure"


# ---------------------------------------------------------------- labels


def test_a_bin_whose_interval_lies_below_the_line_is_too_sure() -> None:
    content = contents(made.labels())["chart-calibration"]
    assert content.title == "Too sure in 1 of 2 bins"
    assert content.caption.startswith("ECE 0.08 (0.07 to 0.09)")


def test_a_judge_that_judged_nothing_is_not_named() -> None:
    none = {"grammar": made.null("The answers are not in English.", n=64)}
    points = [
        made.point(epoch, quality=made.quality(40, **none), details=None if epoch else made.DETAILS)
        for epoch in (0, 1)
    ]
    caption = contents(made.run("generation", points))["chart-quality"].caption
    assert "judged by minilm" in caption
    assert "probe" not in caption


def test_of_ten_bins_one_may_be_off_by_chance() -> None:
    view = made.labels()
    for at in view.points:
        if tables := (at.analytics.model_extra or {}).get("details"):
            tables["calibration"]["overconfidence"] = made.m(0.02, 0.04).model_dump()
    assert contents(view)["chart-calibration"].title == "Expected calibration error 0.08"


def test_predictions_that_changed_are_counted_from_the_scores_too() -> None:
    view = made.labels()
    points = [
        p.model_copy(update={"analytics": p.analytics.model_copy(update={"details": {}})})
        for p in view.points
    ]
    ones: dict[int, list[float | None]] = {k: [float(i < k) for i in range(40)] for k in (10, 20)}
    scores = [Scores(k, k / 10, "validation", "d", {"label": ones[k]}) for k in ones]
    view = view.model_copy(update={"points": points})
    by_name = {panel.name: panel.content for panel in panels_of(view, scores)}
    assert by_name["chart-predictions"].title == (
        "25 % of the predictions changed from epoch 1 to epoch 2"
    )
    assert "chart-predictions" not in names(view)


def test_accuracy_by_group_is_of_the_column_that_was_named() -> None:
    content = contents(made.labels())["chart-groups"]
    assert content.title == "Accuracy from 0.70 (news) to 0.80 (web)"
    assert "column source" in content.caption
    figure = content.figure
    assert isinstance(figure, BarFigure)
    assert list(figure.series) == ["tuned"]


def test_headline_values_are_those_of_the_task() -> None:
    assert [cell.label for cell in cells(made.generation())] == [
        "Validation perplexity",
        "GQS, of 100",
        "Consistency",
        "Token efficiency",
    ]
    first, gqs, near, much = cells(made.generation())
    assert (gqs.value, gqs.aside, gqs.mood) == ("55.0", "+15.0", "good")
    assert gqs.notes == ("[13.0, 17.0]", "64 prompts")
    assert near.notes[0] == "[0.13, 0.17], drift 0.30"
    assert (much.value, much.aside) == ("1.8\u00d7", "of base")
    assert first.aside == f"{MINUS}48 %"
    assert [cell.label for cell in cells(made.labels())] == ["Macro-F1", "Accuracy", "MCC", "Loss"]


def test_the_facts_say_what_the_budget_allowed_and_where_the_base_is_from() -> None:
    assert facts(made.generation()).endswith("Answers judged: 64 prompts.")
    told = {"budget": {"sentence": "The budget is 0.", "reason": "The budget is 0."}}
    again = {**told, "baseline": {"from": "r0"}}
    assert facts(made.run("generation", [point(0, details=told)])) == "The budget is 0."
    said = facts(made.run("generation", [point(0, details=again)]))
    assert said == "The budget is 0. The base model was measured by an earlier run."


def test_a_missing_column_of_groups_is_among_what_is_not_there() -> None:
    bare = [point(1, task={"macro_f1": m(0.5)})]
    told = contents(made.run("classification", bare))["not-applicable"].table
    assert "No column of groups is named" in told
    assert "No column of groups is named" not in contents(made.labels())["not-applicable"].table


def test_the_task_panel_has_the_paired_change_of_its_first_number() -> None:
    points = [
        point(0, task={"chrf": m(30, 2)}),
        point(1, task={"chrf": m(59, 2)}, changes={"task.chrf": m(28.4, 5)}),
    ]
    content = contents(seq2seq(made.run("seq2seq", points)))["chart-task"]
    assert "chrF from the base +28.4 [23.4, 33.4]" in content.caption
    assert content.data is not None
    assert content.data.rows[1][7:10] == (28.4, 23.4, 33.4)
