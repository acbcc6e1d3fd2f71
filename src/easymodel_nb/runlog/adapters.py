"""A model whose folder holds adapters alone: its base found, loaded, and the adapters put on it.

Beside peft's own files such a folder holds `model_config.json`, the config of the adapted
model: it names the class, and of a head the labels, which the base does not know.
"""

import json
from pathlib import Path
from typing import Any

from easymodel_nb import builtin
from easymodel_nb.errors import problem_error
from easymodel_nb.trust import loading, permits

ADAPTER_CONFIG = "adapter_config.json"
MODEL_CONFIG = "model_config.json"
_BUILTIN = "builtin:"


def holds_adapters_alone(folder: Path) -> bool:
    """Whether that model needs its base."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file()


def base_of(folder: Path, plan: dict[str, Any] | None) -> tuple[str, str | None]:
    """The base of adapters, as path or Hub id, and its revision.

    Where it was when it was trained, else where its source says it is now.

    Raises
    ------
    StudioError
        When it was a folder that is no longer there.

    """
    known = (plan or {}).get("model") or {}
    settings = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    named, revision = str(settings["base_model_name_or_path"]), settings.get("revision")
    for path in (known.get("path"), named):
        if path and Path(path).is_dir():
            return str(path), None
    source = str(known.get("source") or "")
    if source.startswith(_BUILTIN):
        return str(builtin.path(source.removeprefix(_BUILTIN))), None
    if not Path(named).is_absolute():
        return named, revision
    raise problem_error(
        "base.missing",
        f"These adapters change the model in {named}, and that folder is no longer there. Put it "
        "back there, or load the adapters with peft on the folder where it is now.",
    )


def load_adapted(
    folder: Path,
    plan: dict[str, Any] | None = None,
    *,
    run_folder: Path | None = None,
    **options: Any,
) -> Any:
    """The base with the adapters in `folder`, as a peft model in eval mode.

    `options` are for the base; `run_folder` is in the home that knows what the user allowed it:
    without one no code of its own runs.

    Raises
    ------
    StudioError
        When the base is no longer there.

    """
    base, revision = base_of(folder, plan)
    model = loading.based(
        base,
        revision,
        folder / MODEL_CONFIG,
        permits.permit_of_run(run_folder, Path(base), plan) if run_folder else permits.NOTHING,
        ignore_mismatched_sizes=True,  # a new head comes with the adapters
        **{"dtype": "auto", **options},
    )
    return loading.adapted(model, folder).eval()
