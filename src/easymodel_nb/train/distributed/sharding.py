"""FSDP: weights, gradients and the optimizer's memory of them, spread over the processes.

accelerate does it, by the options that `accelerate launch --use_fsdp` leaves in the environment.
The leader measures, answers and saves with a whole model of its own, which waits on the CPU
meanwhile. What it needs the weights of a step for, the others help to bring together.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from accelerate.utils.fsdp_utils import fsdp2_canonicalize_names
from torch.distributed.tensor import DTensor, distribute_tensor

from easymodel_nb.errors import problem_error
from easymodel_nb.train import methods
from easymodel_nb.train.distributed.world import World


class Shards:
    """The model whose parts the processes train, beside the leader's whole one."""

    def __init__(self, world: World, model: Any) -> None:
        if getattr(methods.bare(model), "is_quantized", False):
            raise problem_error(
                "distributed.quantized",
                "FSDP cannot share out a model in 4 bits here. Choose LoRA in place of QLoRA, or "
                "start it without --use_fsdp.",
            )
        self._world = world
        self._device = model.device
        self.whole = model.to("cpu") if world.leads else None  # the others need none
        self.model = _shareable(deepcopy(model) if world.leads else model.to("cpu"))
        self.begun = False  # whether a step was taken
        self.fresh = False  # whether the whole one has the weights of this step
        self.states: dict[str, Any] | None = None  # the optimizer's, whole, where they were asked
        self._optimizer: Any = None

    # ------------------------------------------------------------ accelerate

    @contextmanager
    def asked(self) -> Iterator[None]:
        """The options of the launch stand in the environment, for accelerate to read."""
        os.environ.update(self._world.sharding)
        try:
            yield
        finally:
            for name in self._world.sharding:
                os.environ.pop(name, None)

    def prepare(self, accelerator: Any) -> None:
        """Let accelerate share the model out, from the leader's weights.

        By itself it does so on GPUs alone; PyTorch does it on CPUs, too.
        """
        state = accelerator.state
        if state.distributed_type != DistributedType.FSDP:
            with self.asked():
                plugin = FullyShardedDataParallelPlugin()
            state.fsdp_plugin = plugin
            for known in (state, PartialState()):  # each state is made of the other's, again
                known.distributed_type = DistributedType.FSDP
        plugin = state.fsdp_plugin
        plugin.cpu_ram_efficient_loading = True
        if plugin.transformer_cls_names_to_wrap is None:
            plugin.transformer_cls_names_to_wrap = _blocks(self.model)

    def watch(self, optimizer: Any) -> None:
        """Let its state be saved whole, and dealt out when it is loaded."""
        self._optimizer = optimizer
        optimizer.register_state_dict_post_hook(lambda _, state: self.states or state)
        optimizer.register_load_state_dict_pre_hook(self._dealt)

    # ------------------------------------------------------------ bringing together

    def changed(self) -> None:
        """A step follows: what was brought together is of the past, and makes room."""
        self.begun, self.fresh, self.states = True, False, None
        if self.whole is not None and self.whole.device != torch.device("cpu"):
            self.whole.to("cpu")

    @torch.no_grad()
    def gather(self, *, states: bool = False) -> None:
        """Give the whole model the weights of all parts; every process calls it.

        `states`: those of the optimizer, too, in the CPU's memory.
        """
        whole = dict(self.whole.named_parameters()) if self.whole is not None else {}
        for name, part in fsdp2_canonicalize_names(dict(self.model.named_parameters())).items():
            if part.requires_grad:
                weight = self._joined(part)
                if self.whole is not None:
                    whole[name].copy_(weight)
        if states:
            self.states = None
            found = self._optimizer.state_dict()
            kept = {
                index: {name: self._kept(value) for name, value in state.items()}
                for index, state in found["state"].items()
            }
            self.states = found | {"state": kept}
        if self.whole is not None:
            buffers = fsdp2_canonicalize_names(dict(self.model.named_buffers()))
            for name, buffer in self.whole.named_buffers():
                buffer.copy_(buffers[name])
            self.whole.to(self._device)
        self.fresh = True

    def _joined(self, part: Any) -> Any:
        if not isinstance(part, DTensor):
            return part
        near: Any = part.to(self._device.type)  # it may wait in the CPU's memory
        return near.full_tensor()

    def _kept(self, value: Any) -> Any:
        value = self._joined(value)
        return value.cpu() if self._world.leads and isinstance(value, torch.Tensor) else None

    def _dealt(self, optimizer: Any, saved: dict[str, Any]) -> dict[str, Any]:
        """A whole state, each process's part of it."""
        parts = [part for group in optimizer.param_groups for part in group["params"]]
        states = {}
        for index, state in saved["state"].items():
            part = parts[index]
            states[index] = {
                name: distribute_tensor(
                    value.to(part.device), part.device_mesh, part.placements, src_data_rank=None
                )
                if isinstance(part, DTensor) and getattr(value, "shape", None) == part.shape
                else value
                for name, value in state.items()
            }
        return saved | {"state": states}


def _shareable(model: Any) -> Any:
    """The model with one module for its input embedding, where several have the same weight.

    Those of an encoder and a decoder; FSDP would take each for the owner of the weight.
    """
    embedding = _embedding(model)
    weight = getattr(embedding, "weight", None)
    for name, module in list(model.named_modules()):
        same = type(module) is type(embedding) and module.weight is weight
        if same and module is not embedding:
            model.set_submodule(name, embedding)
    return model


def _blocks(model: Any) -> list[str]:
    """The classes that accelerate shares out one by one; it does the embeddings by itself."""
    embedding = _embedding(model)
    holders = {type(module).__name__ for module in model.modules() if embedding in module.modules()}
    return [name for name in getattr(model, "_no_split_modules", None) or [] if name not in holders]


def _embedding(model: Any) -> Any:
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
