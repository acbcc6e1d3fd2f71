"""A head on a pretrained body: what classification and token classification share."""

import inspect
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
import torch
import transformers

from easymodel_nb.errors import Problem
from easymodel_nb.measured import Measured
from easymodel_nb.metrics.memory import in_halves
from easymodel_nb.metrics.perplexity import GPU_TOKEN_BUDGET, TOKEN_BUDGET, eval_mode
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.train import roles as columns
from easymodel_nb.train.tasks.task import ALL, Prepared, Taken, Task, Watch

NEW_HEAD = "the head is new"
DIVERGED = "The model gave no finite number: it has diverged. Lower the learning rate."
LISTED = 200  # classes that the plan lists
_UNKNOWN = 0.1  # share of unknown tokens from which on the user is told
_SEGMENTS = "token_type_ids"
_ONE_CLASS = "single_label_classification"


class _Read(Protocol):
    """A text that the model reads."""

    @property
    def ids(self) -> list[int]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class PreparedHead(Prepared):
    """Texts to learn, to score and to show."""

    validation: Sequence[Any] = ()
    samples: Sequence[tuple[int, str, str]] = ()  # place in validation, prompt, reference


class HeadTask(Task):
    """A task whose model gets a head with one output a class."""

    # The upper end of what the authors tried, because the head is new and runs are short: 5e-5 for
    # BERT base (Devlin et al. 2019), 3e-4 for its compact kin (Turc et al. 2019); ours below.
    rates: ClassVar = ((8e6, 1e-3), (40e6, 3e-4), (200e6, 5e-5), (1e9, 2e-5), (float("inf"), 1e-5))
    writes = False
    ending: ClassVar[str]  # of the architectures that have such a head
    problem_type: str | None = None

    names: Sequence[str] = ()
    head_is_new = True
    weights: torch.Tensor | None = None  # of the classes, in the loss
    notes: tuple[Problem, ...] = ()  # what the user should know of the labels

    def adopt_head(self, names: Sequence[str]) -> Sequence[str]:
        """Keep the model's own head where it knows all these classes, with all that it knows.

        Returns the names in the order of the outputs.
        """
        config = self.context.config
        kind = config.problem_type or _ONE_CLASS
        own = _shared(_own_names(config, self.ending), names)
        self.head_is_new = own is None or kind != (self.problem_type or kind)
        self.names = list(names) if own is None or self.head_is_new else own
        if not self.head_is_new:
            why = "the model was trained to tell these classes apart"
            self.context.chooser.note("head", "kept", why)
        return self.names

    def declared(self, table: pa.Table) -> list[str] | None:
        """The names that the data set itself gives to numbers in the label column, if it does."""
        path, whole = str(self.context.roles.label), self.context.train_split
        names = columns.class_names(table, path)
        if names is None and whole is not None:
            # They may stand in a column beside it, which the drawn rows no longer have.
            names = columns.class_names(whole, path)
        return names

    def weigh(self, weights: Sequence[float], why: str) -> None:
        """Count classes in the loss by these weights, and say so in the plan."""
        self.weights = torch.tensor(weights, dtype=torch.float32)
        named = {name: round(w, 4) for name, w in zip(self.names, weights, strict=True)}
        self.context.chooser.note("class_weights", dict(list(named.items())[:LISTED]), why)

    def model_options(self) -> dict[str, Any]:
        """The names of the classes go into the model's config."""
        options = {
            "id2label": dict(enumerate(self.names)),
            "label2id": {name: place for place, name in enumerate(self.names)},
            "ignore_mismatched_sizes": True,  # another number of classes: that head goes
        }
        return options | ({"problem_type": self.problem_type} if self.problem_type else {})

    def load_model(self, path: Path) -> Any:
        """The model with its head, whose first weights are a function of the seed."""
        seed = self.context.chooser.data.seed
        torch.manual_seed(seed)
        model = super().load_model(path)
        if self.head_is_new and _own_names(self.context.config, self.ending):
            torch.manual_seed(seed)
            _forget_head(model)
        tokenizer = self.context.tokenizer
        model.config.pad_token_id = tokenizer.pad_token_id
        known = model.get_input_embeddings().num_embeddings
        if len(tokenizer) > known:
            model.resize_token_embeddings(len(tokenizer))
            self.resized = True
            why = f"the tokenizer has more tokens than the model, which knew {known:,}"
            self.context.chooser.note("vocabulary", len(tokenizer), why)
        return model

    def note_unknown(self, texts: Iterable[Sequence[int]]) -> None:
        """Say so where the tokenizer does not know a good part of what it read."""
        unknown = self.context.tokenizer.unk_token_id
        if unknown is None:
            return
        specials = set(self.context.tokenizer.all_special_ids) - {unknown}
        read = [token for ids in texts for token in ids if token not in specials]
        share = read.count(unknown) / max(1, len(read))
        if share <= _UNKNOWN:
            return
        message = (
            f"{share:.0%} of the tokens are unknown to this model's tokenizer, so the model sees "
            "the same mark in their place and learns little from them. Choose a model that was "
            "trained on the language and the script of these texts."
        )
        problem = Problem(code="tokens.unknown", severity="note", message=message, field="model")
        self.notes += (problem,)

    def ready_tokenizer(self) -> None:
        """A padding token, and segments for models that tell them apart.

        Decoders read the class off the last token that is no padding, so one must be known.
        """
        tokenizer = self.context.tokenizer
        if tokenizer.pad_token_id is None:
            if tokenizer.eos_token is not None:
                tokenizer.pad_token = tokenizer.eos_token
                why = "the tokenizer names no padding token; its end token serves"
            else:
                tokenizer.add_special_tokens({"pad_token": "<pad>"})
                why = "the tokenizer has neither a padding nor an end token; one was added"
            self.context.chooser.note("pad_token", tokenizer.pad_token, why)
        # GPT-2 would add the word of the segment's number to each position.
        tells = (getattr(self.context.config, "type_vocab_size", None) or 0) > 1
        wanted = tells and _SEGMENTS in self._inputs()
        names = [name for name in tokenizer.model_input_names if name != _SEGMENTS]
        tokenizer.model_input_names = [*names, _SEGMENTS] if wanted else names

    def _inputs(self) -> Iterable[str]:
        """What the model's class can be given; its weights are not needed to know."""
        auto = getattr(transformers, self.auto_class)
        known = type(self.context.config) in auto._model_mapping  # noqa: SLF001  nothing public says it
        model = auto._model_mapping[type(self.context.config)] if known else None  # noqa: SLF001
        return inspect.signature(model.forward).parameters if model is not None else ()

    # ------------------------------------------------------------ measuring

    def baseline(self, model: Any, prepared: Any, watch: Watch) -> Taken:
        """Without a trained head no number of the model's own exists; the model is not asked."""
        if not self.head_is_new:
            return self.measure(model, prepared, watch)
        watch(prepared.texts)
        return self.without(prepared, NEW_HEAD)

    def base_answers(
        self, model: Any, prepared: Any, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """A new head has not learned to answer: the rows say so."""
        if not self.head_is_new:
            return self.answers(model, prepared, watch, which)
        watch(prepared.prompts)
        return [
            {"index": i, "prompt": prompt, "reference": reference, "text": None, "reason": NEW_HEAD}
            for i, (_, prompt, reference) in list(enumerate(prepared.samples))[which]
        ]

    def without(self, prepared: PreparedHead, why: str) -> Taken:
        """A point at which the model gave no numbers."""
        missing = {
            name: Measured.missing(why, n=found.n, unit=found.unit)
            for name, found in self.unmeasured(prepared).items()
        }
        return Taken(
            Analytics(perplexity=self.no_perplexity(prepared), task=missing | self.floors(prepared))
        )

    @abstractmethod
    def no_perplexity(self, prepared: PreparedHead) -> dict[str, Measured]:
        """Why there is no perplexity."""

    @abstractmethod
    def unmeasured(self, prepared: PreparedHead) -> dict[str, Measured]:
        """The names of the model's own numbers, with their sample size and unit."""

    @abstractmethod
    def floors(self, prepared: PreparedHead) -> dict[str, Measured]:
        """What an answer without a model would score."""

    @torch.inference_mode()
    def logits(
        self, model: Any, texts: Sequence[_Read], watch: Watch | None = None
    ) -> list[np.ndarray]:
        """The head's outputs in 32 bits, one array a text, in the order of the texts.

        Its shape is (classes,), or (tokens, classes) where the head answers for each token.
        """
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        done = 0
        with eval_mode(model):
            for batch in batches(texts, TOKEN_BUDGET.get(model.device.type, GPU_TOKEN_BUDGET)):
                outputs = in_halves(batch, lambda part: self._outputs(model, texts, part))
                for i, output in zip(batch, outputs, strict=True):
                    found[i] = output
                done += len(batch)
                if watch is not None:
                    watch(done)
        return found

    def _outputs(
        self, model: Any, texts: Sequence[_Read], places: Sequence[int]
    ) -> list[np.ndarray]:
        inputs = self.collate([texts[i] for i in places])
        inputs.pop("labels")
        inputs = {name: tensor.to(model.device) for name, tensor in inputs.items()}
        return list(model(**inputs).logits.float().cpu().numpy())


def batches(texts: Sequence[_Read], budget: int) -> Iterable[list[int]]:
    """Places of texts of like length, at most `budget` padded tokens a batch, the longest first."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    while order:
        rows = max(1, budget // max(1, len(texts[order[0]])))
        yield order[:rows]
        order = order[rows:]


def sample_places(count: int, wanted: int, seed: int) -> list[int]:
    """The places of the texts that are shown, a function of the seed."""
    return [int(i) for i in np.random.default_rng(seed).permutation(count)[:wanted]]


def _own_names(config: Any, ending: str) -> list[str]:
    """The classes of the head that the checkpoint brings along; empty where it brings none."""
    if not any(str(name).endswith(ending) for name in config.architectures or ()):
        return []
    return [str(config.id2label[place]) for place in sorted(config.id2label)]


def _shared(own: Sequence[str], names: Sequence[str]) -> list[str] | None:
    """The classes of a trained head, as the data spells them; None where it lacks one."""
    by_key = {name.casefold(): name for name in names}
    keys = [name.casefold() for name in own]
    distinct = len(set(keys)) == len(keys) and len(by_key) == len(names)
    if distinct and by_key.keys() <= set(keys):
        return [by_key.get(key, name) for key, name in zip(keys, own, strict=True)]
    numbered = [str(place) for place in range(len(own))]
    if keys == [f"label_{place}" for place in numbered] and list(names) == numbered:
        return list(names)
    return None


def _forget_head(model: Any) -> None:
    """Give everything outside the pretrained body the weights of a new model."""
    body = f"{model.base_model_prefix}."
    fresh = dict(type(model)(model.config).named_parameters())
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if not name.startswith(body):
                weight.copy_(fresh[name])
