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
from easymodel_nb.train.export.literals import Expression, assignment, comment, literal
from easymodel_nb.train.export.loading import BUILT_IN, PACKAGE, Constant, Loading
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.roles.arrow import column_at, is_text
from easymodel_nb.train.roles.values import slot_path, slots
from easymodel_nb.train.usable import row_keys

_SAID = {"threads", "class_counts", "max_new_tokens", "trainable_parameters", "splits"}
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
            self._rows(),
            self._training(),
            self._lora(),
            [("OUTPUT", output, None)],
        ]
        blocks = ["\n".join(assignment(*c) for c in group) for group in groups if group]
        return "\n\n".join(blocks)

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
        ]

    # ------------------------------------------------------------ rows

    def columns(self) -> dict[str, Any]:
        """How values are read from a row."""
        roles, table = self.roles, self.ready.splits.train
        paths = roles.columns
        nested = any(path not in table.column_names for path in paths)
        texts = [p for p in paths if p not in (roles.messages, roles.label) or self.task.writes]
        texts = [p for p in texts if p != roles.messages and not self._are_words(p)]
        plain = not nested and all(is_text(column_at(table, p).type) for p in texts)
        found = slots(roles.template or "")
        value = "value_at({}, {})" if nested else "{}[{}]"
        checks = [
            f"text_of(row, {self._named(path)}) is not None"
            for path in texts
            if not (roles.template and path in {slot_path(s)[0] for s in found})
        ]
        needed = [s for s in found if not s.endswith("?")]
        if needed:
            checks.append(f"all(text_of(row, column) is not None for column in {literal(needed)})")
        return {
            "nested": nested,
            "texts": bool(texts),
            "plain": plain,
            "template": roles.template is not None,
            "optional": any(slot.endswith("?") for slot in found),
            "check": " and ".join(checks),
            "value": value,
            "key": value.format("row", "column"),
            "all": paths,
        }

    def _are_words(self, path: str) -> bool:
        return self.data.task == "token_classification" and path == self.roles.text

    def _named(self, path: str) -> str:
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
        return {
            "where": "MODEL, revision=MODEL_REVISION" if hub else "MODEL",
            "auto": self.task.auto_class,
            "words": "The weights, and where they are trained.",
            "before": [],
            "options": [],
            "after": [],
        }

    def tokenizer(self) -> dict[str, Any]:
        """What the tokenizer was given."""
        why = self.why("pad_token")
        tokenizer = self.ready.tokenizer
        return {
            "padding": literal(tokenizer.pad_token) if why else None,
            "why": why,
            "padding_id": self.task.padding_id,
        }

    def training(self) -> dict[str, Any]:
        """The loop."""
        data = self.data
        kind = {"bf16": "torch.bfloat16", "fp16": "torch.float16"}.get(data.precision)
        return {
            "weight_decay": data.weight_decay > 0,
            "autocast": kind,
            "scaler": data.precision == "fp16",
            "gradient_checkpointing": bool(data.gradient_checkpointing),
            "precision_why": self.why("precision"),
        }

    def left(self) -> str:
        """Choices that no constant shows, as a comment."""
        told = [
            f"{c.field} = {c.value!r}: {c.reason}"
            for c in self.ready.chooser.choices
            if c.field not in _SAID
        ]
        return "\n".join(comment(line) for line in told)


def _typed(source: str) -> Any:
    """A path as the user typed it, with the home folder found where it runs."""
    return Expression(f"Path({literal(source)}).expanduser()") if source[0] == "~" else source


def _tick() -> None:
    pass


def slug(text: str) -> str:
    """A name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "fine-tune"
