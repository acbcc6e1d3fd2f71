"""What the pieces are filled with, for every task: settings, columns, rows, model, training."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from easymodel_nb import environment
from easymodel_nb.builtin.offline import MINILM
from easymodel_nb.train import methods, planning
from easymodel_nb.train.addresses import BUILTIN, local_path, short_name
from easymodel_nb.train.batches import choosing
from easymodel_nb.train.export.literals import WIDTH, Expression, assignment, literal
from easymodel_nb.train.export.loading import BUILT_IN, PACKAGE, Constant, Loading
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.roles.arrow import column_at, is_text
from easymodel_nb.train.roles.values import slot_path, slots
from easymodel_nb.train.splits import hides
from easymodel_nb.train.usable import row_keys

_ROLE_NAMES = {
    "text_field": "TEXT",
    "text_pair_field": "PAIR",
    "prompt_field": "PROMPT",
    "target_field": "TARGET",
    "template": "TEMPLATE",
    "messages_field": "MESSAGES",
    "label_field": "LABEL",
}


class Facts:
    """Collects what the pieces need of one prepared node."""

    def __init__(self, ready: Preparation) -> None:
        self.ready = ready
        self.task, self.roles = ready.task, ready.task.context.roles
        self.empty = self._empty_model()
        self._extra: list[Constant] = []

    def _empty_model(self) -> Any:
        """The model without its weights: what of the plan depends on its size or its modules."""
        ready = self.ready
        model = self.task.empty_model()
        planning.fill_training(
            ready.chooser,
            rates=self.task.rates,
            parameters=methods.sizes(model)[0],
            device=environment.device(ask_torch=True),
            rows=ready.splits.train.num_rows,
        )
        with torch.device("meta"):
            return methods.wrap(model, self.task)

    @property
    def data(self) -> Any:
        """The node with every value chosen."""
        return self.ready.chooser.data

    def why(self, field: str) -> str | None:
        """The reason of a choice, where one was made."""
        found = [c.reason for c in self.ready.chooser.choices if c.field == field]
        return found[-1] if found else None

    # ------------------------------------------------------------ settings

    def settings(self, loading: Loading, output: str) -> str:
        """The constants on top of the program."""
        why = self.why
        groups: list[list[Constant]] = [
            [*self._model_source()],
            [*loading.constants],
            [(_ROLE_NAMES[field], path, why(field)) for field, path in self.roles.fields.items()],
            self._extra,
            self._rows(),
            self._training(),
            self._lora(),
            [("OUTPUT", output, None)],
        ]
        blocks = ["\n".join(assignment(*c) for c in group) for group in groups if group]
        return "\n\n".join(blocks)

    def add(self, *constants: Constant) -> None:
        """Constants that the task needs beside the columns."""
        self._extra = list(constants)

    def _model_source(self) -> list[Constant]:
        ready = self.ready
        model = ready.request["model"]
        if "run_of" in model:
            return [("MODEL", f"{model['run_of']}-model", "what the export of that node saves")]
        source = model["data"]["source"].strip()
        if source == f"{BUILTIN}{MINILM.name}":
            where = f'Path(importlib.util.find_spec("{MINILM.module}").origin).parent / "model"'
            return [("MODEL", Expression(where), f"from the package {MINILM.distribution}")]
        if source.startswith(BUILTIN):
            return [("MODEL", Expression(f"{PACKAGE} / {literal(short_name(source))}"), BUILT_IN)]
        if local_path(source) is not None:
            return [("MODEL", _typed(source), None)]
        folder = ready.model_folder
        return [
            ("MODEL", folder.name, None),
            ("MODEL_REVISION", folder.revision, "the version that was read for this"),
        ]

    def _rows(self) -> list[Constant]:
        data, ready = self.data, self.ready
        rows: list[Constant] = [("SUBSET_SIZE", data.subset_size, self.why("subset_size"))]
        if ready.drawn.held_out:
            why = self.why("eval_split")
            rows.append(("EVAL_FRACTION", ready.dataset.eval_fraction, why))
        else:
            rows.append(("EVAL_SIZE", data.eval_size, "at most as many rows are measured"))
        rows.append(("MAX_LENGTH", data.max_length, self.why("max_length") or "tokens"))
        return rows

    def _training(self) -> list[Constant]:
        data, why = self.data, self.why
        return [
            ("EPOCHS", data.epochs, None),
            ("BATCH_SIZE", data.batch_size, None),
            ("GRADIENT_ACCUMULATION", data.gradient_accumulation, "batches in an optimizer step"),
            ("LEARNING_RATE", data.learning_rate, why("learning_rate")),
            ("SCHEDULER", data.scheduler, None),
            ("WARMUP_RATIO", data.warmup_ratio, None),
            ("WEIGHT_DECAY", data.weight_decay, None),
            ("EVAL_BATCH_SIZE", 16, "for measuring, where it changes nothing"),
            *(
                [
                    (
                        "EARLY_STOPPING",
                        data.early_stopping,
                        "epochs without a better one",
                    )
                ]
                if data.early_stopping is not None
                else []
            ),
            ("SEED", data.seed, None),
        ]

    def _lora(self) -> list[Constant]:
        data, why = self.data, self.why
        if data.method == "full":
            return []
        return [
            ("LORA_RANK", data.lora_rank, None),
            ("LORA_ALPHA", data.lora_alpha, why("lora_alpha")),
            ("LORA_DROPOUT", data.lora_dropout, None),
            ("TARGET_MODULES", data.target_modules, why("target_modules")),
            *(
                ("TRAINED_WHOLE", choice.value, choice.reason)
                for choice in self.ready.chooser.choices
                if choice.field == "trained_whole"
            ),
        ]

    def lora(self) -> dict[str, Any] | None:
        """The adapters, as peft is told to make them; None where all weights are trained."""
        if self.data.method == "full":
            return None
        config = self.empty.peft_config["default"]
        return {
            "task_type": str(getattr(config.task_type, "value", config.task_type)),
            "whole": self.why("trained_whole") is not None,
            "transposed": bool(config.fan_in_fan_out),
        }

    # ------------------------------------------------------------ rows

    def columns(self) -> dict[str, Any]:
        """How values are read from a row."""
        roles, table = self.roles, self.ready.splits.train
        kinds = {path: column_at(table, path).type for path in roles.columns}
        nested = any(path not in table.column_names for path in kinds)
        texts = [path for path in kinds if self._is_text(path, kinds[path])]
        value = "value_at(row, {})" if nested else "row[{}]"
        filled = slots(roles.template or "")
        named = {slot_path(slot)[0] for slot in filled}
        needed = [self.named(path) for path in texts if path not in named]
        needed += [literal(slot) for slot in filled if not slot.endswith("?")]
        if filled:
            every = ", ".join(needed)
            checks = [f"all(text_of(row, column) is not None for column in [{every}])"]
        else:
            checks = [f"text_of(row, {constant}) is not None" for constant in needed]
        checks += self._checks(value, kinds)
        keys = [value.format(literal(p) if p in named else self.named(p)) for p in kinds]
        return {
            "nested": nested,
            "texts": bool(texts),
            "plain": not nested and all(is_text(kinds[path]) for path in texts),
            "template": roles.template is not None,
            "optional": any(slot.endswith("?") for slot in filled),
            "condition": _condition(checks),
            "label": value.format("LABEL"),
            "value": value,
            "key": f"repr([{', '.join(keys)}])",
        }

    def _is_text(self, path: str, kind: pa.DataType) -> bool:
        """Whether a column is read as text, whatever it holds."""
        if path == self.roles.messages or self.data.task == "token_classification":
            return False
        return path != self.roles.label or is_text(kind)

    def _checks(self, value: str, kinds: dict[str, pa.DataType]) -> list[str]:
        """What makes a row usable beside its texts."""
        roles = self.roles
        if self.data.task == "token_classification":
            words, tags = value.format("TEXT"), value.format("LABEL")
            return [f"{words} and {tags} and len({words}) == len({tags})"]
        if roles.messages:
            return [value.format("MESSAGES")]
        if roles.label is None or is_text(kinds[roles.label]):
            return []
        label = value.format("LABEL")
        if hides(self.ready.splits.train, roles.label) and not pa.types.is_nested(
            kinds[roles.label]
        ):
            return [f"{label} not in (None, -1)"]
        return [f"{label} is not None"]

    def named(self, path: str) -> str:
        """The constant that holds a path."""
        field = next((f for f, p in self.roles.fields.items() if p == path), None)
        return _ROLE_NAMES[field] if field else literal(path)

    def rows(self) -> dict[str, Any]:
        """How rows are drawn."""
        drawn, roles = self.ready.drawn, self.roles
        train, held = (row_keys(t, roles, _tick).rows for t in (drawn.train, drawn.evaluation))
        keys = np.concatenate([train, held])
        label = column_at(self.ready.splits.train, roles.label).type if roles.label else None
        classed = self.data.task == "classification" and not pa.types.is_nested(label)
        words = "A seeded sample of the train split is trained on"
        words += (
            f"; {self.ready.dataset.eval_fraction:.3g} of it is held out to measure."
            if drawn.held_out
            else ", and one of the evaluation split is measured."
        )
        return {
            "classed": classed,
            "held_out": drawn.held_out,
            "duplicates": drawn.held_out and len(np.unique(keys)) < len(keys),
            "words": words,
        }

    # ------------------------------------------------------------ model and training

    def model(self) -> dict[str, Any]:
        """How the model is loaded."""
        hub = self.ready.model_folder.kind == "hub"
        after = []
        if self.ready.config.pad_token_id is None and self.ready.tokenizer.pad_token_id is not None:
            after.append("model.config.pad_token_id = tokenizer.pad_token_id")
        return {
            "where": f"{'MODEL, revision=MODEL_REVISION' if hub else 'MODEL'}{self._trusted()}",
            "auto": self.task.auto_class,
            "words": "The weights, and where they are trained.",
            "before": [],
            "options": [],
            "after": after,
        }

    def _trusted(self) -> str:
        """What `from_pretrained` is told of a model whose own code the user allowed to run."""
        return ", trust_remote_code=True" if self.ready.model_folder.permit.code else ""

    def tokenizer(self) -> dict[str, Any]:
        """What the tokenizer was given."""
        why = self.why("pad_token")
        tokenizer = self.ready.tokenizer
        known = tokenizer.pad_token in (tokenizer.eos_token, tokenizer.unk_token)
        return {
            "padding": literal(tokenizer.pad_token) if why else None,
            "added": not known,
            "why": why,
            "padding_id": self.task.padding_id,
        }

    def order(self) -> dict[str, str]:
        """How batches are drawn: as the run will find it on the weights, which are not here."""
        if choosing.promises(self.ready.task, self.ready.task.empty_model()):
            return {"order": "shuffled", "words": "Examples go together at random."}
        words = "Examples of like length go together, so that little is padded."
        return {"order": "budgeted", "words": words, "sizes": '(len(one["ids"]),)'}

    def training(self) -> dict[str, Any]:
        """The loop."""
        data = self.data
        why = self.why("precision")
        reason = f": {why}" if why else ""
        kind = {"bf16": "torch.bfloat16", "fp16": "torch.float16"}.get(data.precision)
        return {
            "weight_decay": data.weight_decay > 0,
            "autocast": kind,
            "scaler": data.precision == "fp16",
            "gradient_checkpointing": bool(data.gradient_checkpointing),
            "precision": f"weights of 32 bits; computed in {data.precision}{reason}",
            "early_stopping": data.early_stopping is not None,
        }


def _condition(checks: list[str]) -> str:
    """Checks joined by `and`, on as few lines as a formatter would give them."""
    line = " and ".join(checks)
    if len(f"    return {line}") <= WIDTH + 1:
        return line
    pad = "\n        "
    body = line if len(pad) - 1 + len(line) <= WIDTH + 1 else f"{pad}and ".join(checks)
    return f"({pad}{body}\n    )"


def pieces_around(examples: str, loss: str) -> list[str]:
    """The names of all pieces, in their order."""
    data = ["settings", "data", "cells", "rows", examples]
    return [*data, "model", "batches", loss, "training", "saving"]


def _typed(source: str) -> Any:
    """A path as the user typed it, with the home folder found where it runs."""
    return Expression(f"Path({literal(source)}).expanduser()") if source[0] == "~" else source


def _tick() -> None:
    pass


def slug(text: str) -> str:
    """A name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "fine-tune"
