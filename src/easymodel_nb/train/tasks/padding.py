"""A token to fill short rows up with, where the tokenizer names none."""

from typing import Any

from easymodel_nb.train.planning import Chooser


def choose_padding(tokenizer: Any, chooser: Chooser) -> None:
    """Name the unknown token, else the end token, as the one to pad with; note it in the plan.

    No token is added. What is learned is told by the labels, never by the padding's id, so
    that the end token is learned also where it is the padding.
    """
    if tokenizer.pad_token_id is None:
        unknown = tokenizer.unk_token if tokenizer.unk_token_id != tokenizer.eos_token_id else None
        token = unknown or tokenizer.eos_token
        if token is None:
            return
        tokenizer.pad_token = token
        which = "unknown" if unknown else "end"
        chooser.note("pad_token", token, f"the tokenizer names none; this is its {which} token")


def pass_padding(tokenizer: Any, model: Any) -> None:
    """Tell the model which token it is, where it does not know one itself."""
    for config in (model.config, model.generation_config):
        if config is not None and config.pad_token_id is None:
            config.pad_token_id = tokenizer.pad_token_id
