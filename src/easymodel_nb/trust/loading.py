"""Opening models, configs and tokenizers: the one place that calls `from_pretrained`.

No code that comes with a model runs unless a `Permit` names that very code, byte by byte; weights
are read as safetensors, and a pickle for its numbers alone where that was allowed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.trust import code, permits, questions, vocabularies
from easymodel_nb.trust.permits import NOTHING, Permit

_FIELDS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
# Judges that this package names and checks itself; one of them has its weights as a pickle alone.
JUDGE = Permit(pickled=True)


def config(folder: Path, permit: Permit = NOTHING, **options: Any) -> Any:
    """The config of a model folder, or that in a file."""
    import transformers  # noqa: PLC0415

    with _allowed(folder, permit) as told:
        return _whole(transformers.AutoConfig.from_pretrained(folder, **{**options, **told}))


def tokenizer(folder: Path, permit: Permit = NOTHING, **options: Any) -> Any:
    """The tokenizer of a model folder."""
    import transformers  # noqa: PLC0415

    with _allowed(folder, permit) as told:
        found = transformers.AutoTokenizer.from_pretrained(folder, **{**options, **told})
    return found if permit.code else vocabularies.share(found, Path(folder), options)


def model(auto: str, folder: Path, permit: Permit = NOTHING, **options: Any) -> Any:
    """The model of a folder; `auto` names the class of transformers that opens it."""
    import transformers  # noqa: PLC0415

    with _allowed(folder, permit) as told:
        opener = getattr(transformers, auto)
        found = opener.from_pretrained(folder, **{**options, **told, **_weights(permit)})
    _whole((found[0] if isinstance(found, tuple) else found).config)
    return found


def saved_model(folder: Path, permit: Permit = NOTHING, **options: Any) -> Any:
    """The model of a folder that `save_pretrained` wrote, of the class that it says it has."""
    found = config(folder, permit)
    return model(class_of(found), folder, permit, config=found, **options)


def empty(auto: str, config: Any, permit: Permit = NOTHING) -> Any:
    """The modules of a model without its weights, as its config says."""
    import transformers  # noqa: PLC0415

    with _allowed(Path(config.name_or_path), permit) as told:
        del told["local_files_only"]
        return getattr(transformers, auto).from_config(config, **told)


def based(
    base: str, revision: str | None, own_config: Path, permit: Permit = NOTHING, **options: Any
) -> Any:
    """The base of adapters, a folder or a repository, with the config the adapted model had."""
    import transformers  # noqa: PLC0415

    if Path(base).is_dir():
        if permit.code is not None:  # its class is in the base's folder, not beside that file
            wanted = json.loads(own_config.read_text(encoding="utf-8"))
            found = type(config(Path(base), permit)).from_dict(wanted)
        else:
            found = config(own_config)
        return model(class_of(found), Path(base), permit, config=found, **options)
    found = config(own_config)
    return getattr(transformers, class_of(found)).from_pretrained(
        base,
        config=found,
        revision=revision or "main",
        trust_remote_code=False,
        **{**options, **_weights(permit)},
    )


def adapted(base: Any, folder: Path) -> Any:
    """A base with the adapters in a folder put on it, as a peft model."""
    from peft import PeftModel  # noqa: PLC0415  it imports PyTorch

    return PeftModel.from_pretrained(base, str(folder))


def generation_config(folder: Path) -> Any:
    """How a model folder says that its answers are written."""
    from transformers import GenerationConfig  # noqa: PLC0415

    return GenerationConfig.from_pretrained(folder, local_files_only=True)


def class_of(config: Any) -> str:
    """The class of transformers that opens the model of this config.

    Code of its own has classes that transformers does not know: then the auto class that leads to
    it.
    """
    import transformers  # noqa: PLC0415

    name = str((config.architectures or [""])[0])
    if hasattr(transformers, name):
        return name
    named: Mapping[str, Any] = getattr(config, "auto_map", None) or {}
    for auto, reference in named.items():
        if isinstance(reference, str) and reference.rpartition(".")[2] == name:
            return str(auto)
    raise problem_error(
        "model.class",
        f"The model says that it is a {name or 'nothing'}, and Transformers knows no such class. "
        "Save it again, or choose another model.",
        field="source",
    )


def _whole(config: Any) -> Any:
    """The config with every field that one of Transformers has: code of its own may leave some."""
    for name in _FIELDS:
        if not hasattr(config, name):
            setattr(config, name, None)
    return config


def _weights(permit: Permit) -> dict[str, Any]:
    """How weights are read: safetensors, or a pickle that was allowed, for its numbers alone."""
    return {"weights_only": True, "use_safetensors": None if permit.pickled else True}


@contextmanager
def _allowed(folder: Path, permit: Permit) -> Iterator[dict[str, Any]]:
    """Say whether code may run, right before it would: the folder may have changed since.

    Raises
    ------
    StudioError
        When the code is no longer what was allowed, or fails.

    """
    told = {"trust_remote_code": False, "local_files_only": True}
    if (named := code.kernel(folder)) is not None:
        raise StudioError(questions.of_kernel(folder.name, named))
    if permit.code is None:
        yield told
        return
    if not permits.same(folder, permit.code):
        raise problem_error(
            "model.code_changed",
            f"The Python files in {folder} are no longer those that you allowed to run. Look at "
            "the model again: it will ask about them as they are now.",
            field="source",
        )
    if (other := code.elsewhere(folder)) is not None:
        raise _lies_elsewhere(other)
    try:
        yield {**told, "trust_remote_code": True}
    except (StudioError, OSError, ValueError, MemoryError, RuntimeError):
        raise  # each has its own sentence, where it is known what was opened
    except Exception as error:
        whose = permit.origin.named if permit.origin else str(folder)
        raise problem_error(
            "model.code_failed",
            f"The Python code of {whose} failed ({type(error).__name__}: {error}). It may be made "
            "for another version of Transformers, or need a package that is not installed. Choose "
            "another model, or ask who made this one.",
            field="source",
        ) from error


def _lies_elsewhere(other: str) -> StudioError:
    return problem_error(
        "model.code_elsewhere",
        f"The Python code of this model lies in another repository, {other}, and is not followed "
        f"there. Choose {other} itself, or a copy of this model with its code beside it.",
        field="source",
    )
