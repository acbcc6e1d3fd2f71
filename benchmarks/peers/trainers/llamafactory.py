"""LLaMA-Factory's `run_exp`, in an environment of its own, offline on the same folders."""

import json
import os
from pathlib import Path
from typing import Any

from peers import timing
from peers.trainers.hf import common


def run(job: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    # Its environment has the newest PyTorch instead of the pinned torchaudio and gradio.
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    from llamafactory.train.tuner import run_exp  # type: ignore[import-not-found]  # noqa: PLC0415

    options = common(job)
    told = Path(options["output_dir"])
    (told / "dataset_info.json").write_text(json.dumps({"rows": _described(job)}))
    settings = {
        **options,
        "do_train": True,
        "stage": "sft" if job["kind"] == "completion" else "pt",
        "model_name_or_path": job["model"],
        "dataset": "rows",
        "dataset_dir": str(told),
        "template": "empty",
        "finetuning_type": "full",
        "cutoff_len": job["max_length"],
        "packing": False,
        "preprocessing_num_workers": None,
    }
    run_exp(settings | job["settings"], callbacks=[timing.Stopwatch(job)])


def _described(job: dict[str, Any]) -> dict[str, Any]:
    file = str(Path(job["data"]) / "train.jsonl")
    if job["kind"] == "completion":
        return {"file_name": file, "columns": {"prompt": "prompt", "response": "completion"}}
    return {"file_name": file, "columns": {"prompt": "text"}}
