"""The model of a run: its weights, read and made ready for its method, and what depends on them."""

from typing import Any

import torch
from safetensors import SafetensorError

from easymodel_nb import environment
from easymodel_nb.errors import problem_error
from easymodel_nb.train import methods, planning, precision_tried
from easymodel_nb.train.batches import choosing as batches
from easymodel_nb.train.control import Control
from easymodel_nb.train.embedding import choosing as embedding
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.objective import choosing
from easymodel_nb.train.preparation import Preparation, placed
from easymodel_nb.train.reporter import Reporter


def torch_device() -> str:
    """Where weights go on this machine: cuda, mps or cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def assemble(
    ready: Preparation, device: environment.Device, control: Control, reporter: Reporter
) -> Any:
    """The model to train, with its adapters; fills the fields that depend on its size.

    Raises
    ------
    StudioError
        On the model's node, when the weights cannot be loaded; on the finetune node, when they
        cannot be trained by its method.
    Stopped
        When a stop was asked for.

    """
    with placed(ready.model_node):
        model = _load(ready, control, reporter)
        _check_weights(model, ready.model_folder.name)
    planning.fill_training(
        ready.chooser,
        rates=ready.task.rates,
        parameters=methods.sizes(model)[0],
        device=device,
        rows=ready.splits.train.num_rows,
    )
    with placed(ready.node):
        model = methods.wrap(model, ready.task)
        batches.choose(ready, model)
        choosing.choose(ready, model)
        embedding.choose(ready, model)
        precision_tried.choose(ready, model, device, control, reporter)
        return model


def _check_weights(model: Any, name: str) -> None:
    """Refuse a model that is broken before training: no learning rate would mend it."""
    weight = broken_weight(model)
    if weight is not None:
        raise problem_error(
            "model.broken",
            f"The weights of {name} are broken: {weight} holds values that are no numbers (NaN or "
            "infinite). Download or save the model again, or choose another.",
            field="source",
        )


def _load(ready: Preparation, control: Control, reporter: Reporter) -> Any:
    name = ready.model_folder.name
    reporter.stage("loading", f"Loading {name}")
    try:
        return control.interruptible(
            lambda: ready.task.load_model(ready.model_folder.path), tick=reporter.heartbeat
        )
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise problem_error(
            "model.unreadable",
            f"The weights of {name} cannot be loaded: {str(error).rstrip('.')}. "
            "Download or save the model again, or choose another.",
            field="source",
        ) from error
