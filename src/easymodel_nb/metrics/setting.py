"""What is done once for a set of prompts, before any answer is scored: models, scales, pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from easymodel_nb.metrics import relevance
from easymodel_nb.metrics.coherence import SOURCE, Coherence
from easymodel_nb.metrics.fluency import Fluency
from easymodel_nb.metrics.grammar import Grammar
from easymodel_nb.metrics.judges import Judges, LanguageModel
from easymodel_nb.metrics.pairs import Pairs, best, exchanged
from easymodel_nb.metrics.readings import GAIN, Item, Reader, Readings, failure, reads_english
from easymodel_nb.metrics.relevance import Relevance
from easymodel_nb.metrics.scales import Floats, Linear, Spread
from easymodel_nb.metrics.text import Text, common_tail, parses

ENOUGH = 2_000  # sentences of training text, for an n-gram model
HELD_OUT = 64  # training texts that stand in for references, where there are none
_ALONE = "Fluency is judged by repetition alone"
_MOST = 0.5  # share of references that makes a data set one of code


@dataclass(frozen=True)
class Scales:
    """How raw numbers become scores."""

    fluency: Fluency
    coherence: Coherence
    grammar: Grammar
    relevance: Relevance


@dataclass
class Setting:
    """Everything that `Calibration` scores with."""

    items: list[Item] | None
    reader: Reader
    own: Readings | None  # of the references
    scales: Scales
    pairs: Pairs | None  # of prompts and references
    recalls: Linear
    judges: dict[str, str]
    reasons: dict[str, str]  # why an axis cannot be computed
    notes: dict[str, str]
    seed: int
    summaries: bool

    @property
    def size(self) -> int | None:
        """Texts that must be given; None for any number."""
        return None if self.items is None else len(self.items)

    def clusters(self, count: int) -> list[Any]:
        """The same for texts of the same prompt, which are drawn together."""
        items = self.items or [Item()] * count
        return [item.prompt.raw if item.prompt else index for index, item in enumerate(items)]

    def without(self, index: int) -> Scales:
        """The scales of the other references."""
        if self.own is None:
            return self.scales
        others = self.own.chosen(np.arange(len(self.own)) != index)
        pairs = None if self.pairs is None else self.pairs.without(index)
        return _scales(others, pairs, self.recalls, self.reader, like=self.scales)


def set_up(
    *,
    prompts: Sequence[str] | None,
    references: Sequence[str | Sequence[str]] | None,
    sources: Sequence[str | None] | None,
    fit_texts: Sequence[str] | None,
    scorer: Any,
    judges: Judges,
    seed: int,
    summaries: bool,
) -> Setting:
    """Choose the judges and read the references."""
    items = _items(prompts, references, sources)
    answers = [item.references[0] for item in items or [] if item.references]
    fit = list(fit_texts or ())
    stand_in = not answers
    if stand_in:
        answers, fit = _held_out(fit, seed)
    causal = _causal(scorer, fit)
    model, note = _language_model(causal, fit, seed)
    reader = Reader(
        judges=judges,
        model=model,
        scorer=causal,
        english=reads_english(answers),
        python=_python(answers),
    )
    notes = {"fluency": note} if note else {}
    owners = [item if not stand_in else Item() for item in (items or []) if item.references]
    if stand_in:
        owners = [Item()] * len(answers)
        notes["relevance"] = "Relevance is judged by the prompt alone: there are no references."
    pairs = recalls = None
    failed: dict[str, str] = {}
    if owners and not stand_in:
        try:
            pairs, told = _choose_way(owners, answers, reader, seed)
            recalls = _recalls(owners, answers, reader, seed)
            notes |= {"relevance": told} if told else {}
        except Exception as error:  # noqa: BLE001  a judge that fails costs its axis only
            failed["relevance"] = failure("relevance", error)
    own = reader.read(owners, [text.raw for text in answers], own=True) if owners else None
    failed |= reader.failed
    found = recalls or relevance.RECALL
    scales = _scales(own, pairs, found, reader)
    setting = Setting(
        items=items,
        reader=reader,
        own=None if stand_in else own,
        scales=scales,
        pairs=pairs,
        recalls=found,
        judges={},
        reasons=failed,
        notes=notes,
        seed=seed,
        summaries=summaries,
    )
    _name_judges(setting)
    return setting


def _items(
    prompts: Sequence[str] | None,
    references: Sequence[str | Sequence[str]] | None,
    sources: Sequence[str | None] | None,
) -> list[Item] | None:
    given = prompts if prompts is not None else references if references is not None else sources
    if given is None:
        return None
    count = len(given)
    found = []
    for prompt, several, raw in zip(
        prompts if prompts is not None else [""] * count,
        references if references is not None else [""] * count,
        sources if sources is not None else [None] * count,
        strict=True,
    ):
        asked = Text.of(prompt or "")
        some = [several] if isinstance(several, str) else several or ()
        answers = [Text.of(reference or "") for reference in some]
        source = Text.of(raw or "")
        found.append(
            Item(
                prompt=None if asked.empty else asked,
                references=tuple(answer for answer in answers if not answer.empty),
                source=source if len(source.sentences) >= SOURCE else None,
            )
        )
    return found


def _held_out(fit: list[str], seed: int) -> tuple[list[Text], list[str]]:
    """Training texts to calibrate on, and the others to fit on."""
    drawn = np.random.default_rng(seed).permutation(len(fit)).tolist()
    held = drawn[: min(HELD_OUT, len(fit) // 10)]
    texts = [Text.of(fit[index]) for index in held]
    kept = set(held)
    return [t for t in texts if not t.empty], [t for i, t in enumerate(fit) if i not in kept]


def _causal(scorer: Any, fit: Sequence[str]) -> Any:
    """The judge around (model, tokenizer); None where there is none or it is no causal model."""
    if scorer is None:
        return None
    if not isinstance(scorer, tuple):
        return scorer
    model, tokenizer = scorer
    if getattr(model.config, "is_encoder_decoder", False):
        return None
    from easymodel_nb.metrics.causal import CausalJudge  # noqa: PLC0415  few have a scorer

    return CausalJudge(model, tokenizer, fit or None)


def _language_model(
    causal: Any, fit: Sequence[str], seed: int
) -> tuple[LanguageModel | None, str | None]:
    """What judges fluency, or why it is judged by repetition alone.

    The n-gram model comes first: the scorer is the base of the run, and finds what it decodes
    itself likely (METRICS 5.0; docs/metrics.md compares the two).
    """
    if not fit:
        return None, f"{_ALONE}: there are no training texts to fit a language model on."
    if (count := _sentences(fit)) < ENOUGH:
        if causal is not None:
            return causal, None
        return None, (
            f"{_ALONE}: the training texts have {count:,} sentences, of the {ENOUGH:,} that an "
            "n-gram model needs."
        )
    from easymodel_nb.metrics.ngram import NGram  # noqa: PLC0415  it needs no library at import

    try:
        return NGram([Text.of(text).raw for text in fit], seed=seed), None
    except (ValueError, MemoryError) as error:
        return None, f"{_ALONE}: no language model could be fitted ({error})."


def _sentences(fit: Sequence[str]) -> int:
    """Sentences there are, counted as far as it matters."""
    count = 0
    for text in fit:
        count += len(Text(text).sentences)
        if count >= ENOUGH:
            break
    return count


def _python(answers: Sequence[Text]) -> bool:
    """Whether the references are Python."""
    code = [text for text in answers if text.code]
    if len(code) <= _MOST * len(answers):
        return False
    return sum(parses(text.raw) for text in code) > _MOST * len(code)


# ---------------------------------------------------------------- scales


def _scales(
    own: Readings | None,
    pairs: Pairs | None,
    recalls: Linear,
    reader: Reader,
    like: Scales | None = None,
) -> Scales:
    """Of the references' numbers; `like` keeps the kind of scale the prompt has."""
    none = np.zeros(0)

    def of(name: str) -> Floats:
        return none if own is None else own[name]

    judge = reader.judges.grammar
    return Scales(
        fluency=Fluency.of(of("rep2"), of("slor")),
        coherence=Coherence.of(of("order"), of("gain")),
        grammar=Grammar.of(of("probability"), rescale=judge is not None and judge.rescale),
        relevance=Relevance.of(recalls, _prompt_scale(pairs, reader, like), of("copied")),
    )


def _prompt_scale(
    pairs: Pairs | None, reader: Reader, like: Scales | None
) -> Linear | Spread | None:
    if pairs is None:
        return relevance.COSINE
    if like is not None and like.relevance.prompt is None:
        return None
    if reader.way == GAIN:
        return Spread.of(pairs.true)
    found = relevance.cosine_scale(pairs)
    return found if found is not None or like is None else like.relevance.prompt


def _choose_way(
    owners: Sequence[Item], answers: Sequence[Text], reader: Reader, seed: int
) -> tuple[Pairs | None, str | None]:
    """How answers are compared with their prompts: by what the references tell."""
    prompts = [item.prompt or Text("") for item in owners]
    if not any(item.prompt for item in owners):
        return None, None
    reader.tail = common_tail([prompt.raw for prompt in prompts if not prompt.empty])
    chosen, pairs, areas = best(reader.ways(), prompts, answers, seed=seed, slow=GAIN)
    reader.way = chosen
    if not pairs.telling:
        return pairs, (
            "Relevance is judged by the reference alone: on this data the prompt does not tell its "
            "own reference from others."
        )
    told = ", ".join(f"{area:.2f} by {name}" for name, area in areas.items())
    return (
        pairs,
        f"Answers are compared with their prompts by {chosen}; AUC on the references: {told}.",
    )


def _recalls(owners: Sequence[Item], answers: Sequence[Text], reader: Reader, seed: int) -> Linear:
    """The scale of the reference's recall."""
    prompts = [item.prompt or answer for item, answer in zip(owners, answers, strict=True)]
    joined = exchanged(prompts, answers, seed)
    pairs = [(answers[j], answers[i]) for i, j in joined]
    own = [(item.references[1], item.references[0]) for item in owners if len(item.references) > 1]
    own = [(text, reference) for text, reference in own if text != reference]
    found = reader.likeness.recall([a for a, _ in pairs + own], [b for _, b in pairs + own])
    return relevance.recall_scale(found[: len(pairs)], found[len(pairs) :])


# ---------------------------------------------------------------- judges and reasons


def _name_judges(setting: Setting) -> None:
    """Who judges each axis, or why nobody does."""
    reader, judges, reasons = setting.reader, setting.judges, setting.reasons
    told: Mapping[str, str] = reader.judges.reasons
    encoder = reader.judges.encoder
    eyes = [] if encoder is None else [str(encoder.identity)]
    band = setting.scales.fluency.band is not None and reader.model is not None
    fluent = [str(reader.model.identity)] if band and reader.model is not None else []
    judges["fluency"] = " + ".join(fluent) or "repetition only"
    if not band and reader.model is not None:
        setting.notes["fluency"] = f"{_ALONE}: there are too few references to calibrate on."
    gains = [str(reader.scorer.identity)] if reader.scorer is not None else []
    ordered = setting.scales.coherence.order is not None
    sourced = any(item.source for item in setting.items or [])
    if encoder is None and not gains:
        reasons["coherence"] = told.get("encoder", "There is no text encoder on this machine.")
    elif setting.scales.coherence.gain is not None:
        judges["coherence"] = " + ".join(dict.fromkeys([*gains, *fluent]))
    else:
        used = [*(eyes if ordered or sourced else []), *fluent]
        judges["coherence"] = " + ".join(used) or "repetition only"
        if not used:
            setting.notes["coherence"] = (
                "Coherence is judged by repetition alone: nothing else could be calibrated."
            )
    if reader.judges.grammar is not None:
        judges["grammar"] = str(reader.judges.grammar.identity)
        if reader.judges.grammar.rescale and setting.scales.grammar.scale is None:
            setting.notes["grammar"] = (
                f"{reader.judges.grammar.label} is the judge's own probability: there are too few "
                "references to read it against."
            )
    else:
        reasons["grammar"] = told.get("grammar", "There is no judge of grammar on this machine.")
    if not any(item.prompt for item in setting.items or []):
        reasons["relevance"] = "There are no prompts to be relevant to."
    else:
        asked = gains if reader.way == GAIN else []
        judges["relevance"] = " + ".join([*(eyes or ["words"]), *asked])
