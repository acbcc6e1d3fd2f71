"""Token classification: a tag for each word, scored by entities where the tags mark them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import entities as entity_metrics
from easymodel_nb.metrics import tasks as word_metrics
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.metrics.stats import ratio_interval
from easymodel_nb.runlog import scores as kept
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.train.analytics.predictions import Predicted
from easymodel_nb.train.auditing.audited import Rendered
from easymodel_nb.train.tasks import figures, tagged
from easymodel_nb.train.tasks import tags as reading
from easymodel_nb.train.tasks.figures import Counts, Mask, RowFigures
from easymodel_nb.train.tasks.heads import DIVERGED, LISTED, HeadTask, PreparedHead, sample_places
from easymodel_nb.train.tasks.rendering import Marked, spans
from easymodel_nb.train.tasks.tagged import TaggedText
from easymodel_nb.train.tasks.tags import PLAIN, Scheme
from easymodel_nb.train.tasks.task import ALL, Taken, Watch
from easymodel_nb.train.tasks.words import (
    SCHEMA,
    Window,
    add_prefix_space,
    space_before,
    specials,
    sub_words,
    windows,
)

SAMPLE_TEXTS = 16
_SHOWN_WORDS = 120  # of a sampled text


@dataclass(frozen=True)
class _Whole:
    """Of each text (texts,): its sub-words before long words are cut, and whether one is."""

    sizes: Counts
    cut: Mask

    @classmethod
    def of(cls, whole: Counts, texts: Sequence[Sequence[Sequence[int]]]) -> "_Whole":
        """Sizes before, and the sub-words of the words of each text as they are read."""
        kept = [sum(map(len, words)) for words in texts]
        return cls(whole, whole > np.array(kept, dtype=np.int64))


def _learned(window: Window) -> int:
    return sum(label != IGNORED for label in window.labels)


def _owners(texts: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
    """Of each word that windows score: its text, and the number of its tag or IGNORED."""
    owners = np.repeat([window.text for window in texts], [len(w.places) for w in texts])
    return owners, np.array([window.labels[place] for window in texts for place in window.places])


def _by_text(texts: Sequence[Window], losses: np.ndarray, count: int) -> list[float | None]:
    """The summed loss of the words of each text."""
    owners, _ = _owners(texts)
    summed: list[float | None] = np.bincount(owners, weights=losses, minlength=count).tolist()
    return summed


class TokenClassification(HeadTask):
    """A model learns to tag words."""

    name = "token_classification"
    auto_class = "AutoModelForTokenClassification"
    ending: ClassVar = "ForTokenClassification"

    scheme: Scheme = PLAIN

    # ------------------------------------------------------------ the tags

    def read(self, train: pa.Table, evaluation: pa.Table) -> None:
        """Read words and tags, recognise the scheme, mend what breaks it, and name the tags."""
        column = str(self.context.roles.label)
        declared = self.declared(train)
        rows = tagged.read(train, self.context.roles, declared)
        held = tagged.read(evaluation, self.context.roles, self.declared(evaluation))
        tagged.refuse(rows, held, column)
        written = reading.recognise([text.known for text in rows], declared or ())
        self.scheme = written.learned
        if written.has_entities:
            mended = [
                tagged.mend(texts, written, split)
                for texts, split in ((rows, "train"), (held, "validation"))
            ]
            (rows, _), (held, _) = mended
            self.notes = tuple(problem for _, problem in mended if problem is not None)
        self._train, self._held = rows, held
        self._name(declared, written)

    def _name(self, declared: list[str] | None, written: Scheme) -> None:
        """The tags in the order of the model's outputs, in the plan."""
        counts, held = (
            Counter(tag for text in texts for tag in text.known)
            for texts in (self._train, self._held)
        )
        names = list(declared or []) if written.name != "IOB1" else []
        names += [t for t in reading.in_order({*counts, *held}, self.scheme) if t not in names]
        self.adopt_head(names)
        self._number = {name: place for place, name in enumerate(self.names)}
        self._commonest = counts.most_common(1)[0][0]
        self._describe(
            counts, written, "named by the data set" if declared else "read off the rows"
        )
        if self.context.chooser.data.class_weights:
            total, kinds = counts.total(), len(counts)
            weights = [total / (kinds * counts[n]) if counts[n] else 1.0 for n in self.names]
            self.weigh(weights, "words / (tags * words with the tag)")
        if unseen := sorted(set(held) - set(counts)):
            self.notes += (tagged.unseen(unseen),)

    def _describe(self, counts: Counter[str], written: Scheme, source: str) -> None:
        chooser = self.context.chooser
        why = {
            "IOB1": "IOB1, where B only parts entities that touch; learned as IOB2, where every "
            "entity begins with B",
            "plain": "no tag marks where an entity begins, so words are scored, not entities",
        }.get(written.name, "read off the tags")
        chooser.note("scheme", self.scheme.name, why)
        chooser.note("tags", list(self.names[:LISTED]), f"{len(self.names)} tags, {source}")
        if self.scheme.has_entities:
            kinds = Counter(
                kind or "entity"
                for text in self._train
                for kind, _, _ in reading.chunks(text.told, self.scheme)
            )
            self._classes = dict(kinds.most_common())
            shown = dict(kinds.most_common(LISTED))
            chooser.note("entity_counts", shown, "entities of each type in the train rows")
        else:
            self._classes = dict(counts.most_common())
            chooser.note("tag_counts", dict(counts.most_common(LISTED)), "train words of each tag")

    # ------------------------------------------------------------ the words

    def prepare(self, train: pa.Table, evaluation: pa.Table) -> PreparedHead:
        """Cut words into sub-words, and texts into windows."""
        rows, held = self._train, self._held
        total = len(rows) + len(held)
        reporter = self.context.reporter
        reporter.stage("preparing", "Tokenising the words", total=total, unit="rows")
        learned, self._whole = self._windows(rows, 0)
        scored, _ = self._windows(held, len(rows))
        self._windowed = learned
        self.note_unknown(window.ids for window in learned)
        if space_before(self.context.tokenizer):
            added = add_prefix_space(self.context.tokenizer)
            why = "its sub-words differ after a space; each word is read with a space before it"
            self.context.chooser.note("add_prefix_space", added, why)
        if long := len({window.text for window in learned if window.first}):
            why = f"train texts longer than max_length, read in {len(learned):,} windows in all"
            self.context.chooser.note("windowed_texts", long, why)
        samples = []
        for place in sample_places(len(held), SAMPLE_TEXTS, self.context.chooser.data.seed):
            words = held[place].words[:_SHOWN_WORDS]
            samples.append((place, " ".join(words), self._shown(words, held[place].told)))
        return PreparedHead(
            train=learned,
            texts=len(scored),
            prompts=len(samples),
            max_new_tokens=None,
            train_rows=len(rows),
            eval_rows=len(held),
            dropped_rows=train.num_rows + evaluation.num_rows - total,
            notes=self.notes,
            validation=scored,
            samples=samples,
            digests={"validation": kept.digest([text.words, text.tags] for text in held)},
            places=[text.place for text in held],
        )

    def figures(self) -> RowFigures:
        """What the texts hold; each word with a tag is one target, and none of them is lost."""
        lead, trail = specials(self.context.tokenizer)
        count = len(self._train)
        rows = np.array([window.text for window in self._windowed], dtype=np.int64)
        learned = np.array([_learned(window) for window in self._windowed], dtype=np.int64)
        words = [len(text.known) for text in self._train]
        found = np.zeros(count, dtype=np.int64)
        np.add.at(found, rows, learned)
        return RowFigures(
            lengths=self._whole.sizes + len(lead) + len(trail),
            cut=self._whole.cut,
            targets=np.array(words, dtype=np.int64),
            learned=found,
            tokens=sum(map(len, self._windowed)),
            unit="words",
            windowed=True,
        )

    def rendered(self, places: Sequence[int]) -> list[Rendered]:
        """The first window of each text: learned are the first sub-words of tagged words."""
        first = {window.text: window for window in reversed(self._windowed)}
        found = []
        for place in places:
            window, text = first.get(place), self._train[place]
            if window is None:
                continue
            marked: Marked = [
                (token, "read" if label == IGNORED else "learned")
                for token, label in zip(window.ids, window.labels, strict=True)
            ]
            words = slice(window.first, window.first + len(window.places))
            found.append(
                Rendered(
                    spans=spans(self.context.tokenizer, marked),
                    tokens=len(window),
                    learned=_learned(window),
                    answer=self._shown(text.words[words], text.told[words]),
                )
            )
        return found

    def classes(self) -> dict[str, int]:
        """Entities of each type in the train rows, or words of each tag."""
        return self._classes

    def _windows(self, texts: Sequence[TaggedText], done: int) -> tuple[list[Window], "_Whole"]:
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        around = specials(tokenizer)
        longest = max(1, (limit - len(around[0]) - len(around[1])) // 2)
        known: dict[str, list[int]] = {}
        table = self.tokenised(
            [text.words for text in texts],
            SCHEMA,
            lambda chunk: sub_words(tokenizer, chunk, longest=longest, known=known),
            done=done,
            longest=longest,
        )
        spelled = table["words"].to_pylist()
        found = [
            window
            for place, (text, words) in enumerate(zip(texts, spelled, strict=True))
            for window in windows(
                words,
                [IGNORED if tag is None else self._number[tag] for tag in text.tags],
                text=place,
                max_length=limit,
                around=around,
            )
        ]
        return found, _Whole.of(figures.counts(table["whole"]), spelled)

    # ------------------------------------------------------------ learning

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum of the cross-entropy over the words that are learned."""
        logits = outputs.logits.float()
        weights = None if self.weights is None else self.weights.to(logits.device)
        return F.cross_entropy(
            logits.flatten(0, 1),
            labels.flatten(),
            weight=weights,
            ignore_index=IGNORED,
            reduction="sum",
        )

    # ------------------------------------------------------------ measuring

    def measure(self, model: Any, prepared: PreparedHead, watch: Watch) -> Taken:
        """Loss and scores of the validation words and of the entities that their tags mark."""
        found, losses, chances = self._predict(model, prepared.validation, watch)
        if not np.isfinite(losses).all():
            return self.without(prepared, DIVERGED)
        n, seed = len(self._held), self.context.chooser.data.seed
        truth = [text.known for text in self._held]
        guessed = [
            [self.names[found[place][word]] for word in text.known_places]
            for place, text in enumerate(self._held)
        ]
        words = [len(tags) for tags in truth]
        right = [
            sum(a == b for a, b in zip(*pair, strict=True))
            for pair in zip(truth, guessed, strict=True)
        ]
        low, high = ratio_interval(right, words, seed=seed) or (None, None)
        total = sum(words)
        scores = {
            "loss": Measured(value=float(losses.sum()) / total, n=n, unit="nats per word"),
            "accuracy": Measured(
                value=sum(right) / total, low=low, high=high, n=n, unit="of words"
            ),
        }
        more, details = self._scores(truth, guessed)
        analytics = Analytics.model_validate(
            {
                "perplexity": self.no_perplexity(prepared),
                "task": scores | more | self.floors(prepared),
                "details": details,
            }
        )
        values = self._values(truth, guessed) | {
            "tokens": [float(count) for count in words],
            "correct": [float(count) for count in right],
            "loss": _by_text(prepared.validation, losses, n),
        }
        owners, labels = _owners(prepared.validation)
        known = labels != IGNORED
        predicted = Predicted(chances[known], owners=owners[known].tolist(), truth=labels[known])
        return Taken(analytics, {"validation": values}, predicted)

    def _values(self, truth: list[list[str]], guessed: list[list[str]]) -> kept.Values:
        """Entities of each text that are found, found wrongly, and not found."""
        if not self.scheme.has_entities:
            return {}
        found: list[tuple[int, int, int]] = []
        for tags, guesses in zip(truth, guessed, strict=True):
            true, told = (set(reading.entities(t, self.scheme)) for t in (tags, guesses))
            found.append((len(true & told), len(told - true), len(true - told)))
        names = ("true_positives", "false_positives", "false_negatives")
        columns = zip(*found, strict=True) if found else ((), (), ())
        return {
            name: [float(count) for count in column]
            for name, column in zip(names, columns, strict=True)
        }

    def _scores(
        self, truth: list[list[str]], guessed: list[list[str]]
    ) -> tuple[dict[str, Measured], dict[str, Any]]:
        seed = self.context.chooser.data.seed
        if self.scheme.has_entities:
            true = [reading.entities(tags, self.scheme) for tags in truth]
            found = [reading.entities(tags, self.scheme) for tags in guessed]
            table = entity_metrics.per_type(true, found)
            details = {
                "scheme": self.scheme.name,
                "labels": [row["label"] for row in table],
                "per_type": table,
            }
            return entity_metrics.entity_scores(true, found, seed=seed), details
        flat, answers = (
            np.array([self._number[t] for tags in rows for t in tags]) for rows in (truth, guessed)
        )
        names = list(self.names)
        value = word_metrics.classification(flat, answers, seed=seed)["macro_f1"].value
        why = "The tags mark no entities: words are scored."
        missing = {
            name: Measured.missing(why, n=len(truth)) for name in ("precision", "recall", "f1")
        }
        details = {
            "scheme": self.scheme.name,
            "labels": names,
            "per_class": word_metrics.per_class(flat, answers, names),
            **word_metrics.confusion(flat, answers, len(names)),
        }
        macro = Measured(value=value, n=len(truth), unit="of words")
        return missing | {"macro_f1": macro}, details

    def _predict(
        self, model: Any, texts: Sequence[Window], watch: Watch | None = None
    ) -> tuple[dict[int, list[int]], np.ndarray, np.ndarray]:
        """The likeliest tag of each word, by text; its loss; and the probabilities of its tags.

        The loss of a word without a tag is 0.
        """
        found: dict[int, list[int]] = {}
        losses, chances = [], []
        for window, logits in zip(texts, self.logits(model, texts, watch), strict=True):
            answers = logits[window.places].astype(np.float64)
            found.setdefault(window.text, []).extend(answers.argmax(axis=1).tolist())
            labels = torch.tensor([window.labels[place] for place in window.places])
            chances.append(torch.from_numpy(answers).softmax(dim=1).float().numpy())
            losses.append(
                F.cross_entropy(
                    torch.from_numpy(answers), labels, ignore_index=IGNORED, reduction="none"
                ).numpy()
            )
        return found, np.concatenate(losses), np.concatenate(chances)

    def no_perplexity(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """Tags are no language."""
        why = (
            "Perplexity is not defined for token classification: it measures how well text is "
            "predicted, and here tags are."
        )
        return {"validation": Measured.missing(why, n=len(self._held))}

    def unmeasured(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """The names of the model's own numbers, with their sample size and unit."""
        names = ["loss", "accuracy", "precision", "recall", "f1"]
        names += [] if self.scheme.has_entities else ["macro_f1"]
        units = {"loss": "nats per word", "accuracy": "of words", "macro_f1": "of words"}
        return {name: Measured(value=0, n=len(self._held), unit=units.get(name)) for name in names}

    def floors(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """The share of words that have the commonest tag of the train words."""
        true = [tag for text in self._held for tag in text.known]
        share = sum(tag == self._commonest for tag in true) / len(true)
        return {"majority_accuracy": Measured(value=share, n=len(self._held), unit="of words")}

    # ------------------------------------------------------------ samples

    def answers(
        self, model: Any, prepared: PreparedHead, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """The entities (or the tags) that the model finds in the sampled texts."""
        rows = []
        for index, (place, prompt, reference) in list(enumerate(prepared.samples))[which]:
            parts = [window for window in prepared.validation if window.text == place]
            found, _, _ = self._predict(model, parts)
            tags = [self.names[number] for number in found[place]]
            text = self._shown(self._held[place].words[:_SHOWN_WORDS], tags)
            rows.append({"index": index, "prompt": prompt, "reference": reference, "text": text})
            watch(index + 1)
        return rows

    def _shown(self, words: list[str], tags: Sequence[str]) -> str:
        told = tags[: len(words)]
        if self.scheme.has_entities:
            return reading.rendered(words, reading.entities(told, self.scheme))
        return reading.rendered_words(words, told)
