"""The Python environments of the peers: made once, by pip alone, beside the one that runs this.

Each sees the packages of this environment, PyTorch among them, behind its own: everybody computes
with the same PyTorch, and only what a peer pins is its own.
"""

import json
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """What pip installs, without asking what else that wants, and what that is asked to import."""

    packages: tuple[str, ...]
    plus: tuple[str, ...] = ()  # with what these need
    stubs: tuple[str, ...] = ()  # empty modules in place of what is imported and never used
    imports: str = ""


ENVIRONMENTS = {
    "trl": Environment(("trl==1.16.0",), imports="trl"),
    "trl-gpu": Environment(("trl==1.16.0", "liger-kernel"), imports="liger_kernel.transformers"),
    "llamafactory": Environment(
        (
            "llamafactory==0.9.5",
            "transformers==5.6.0",
            "tokenizers==0.22.2",
            "huggingface-hub==1.5.0",
            "trl==0.24.0",
            "datasets==4.0.0",
            "accelerate==1.11.0",
            "peft==0.18.1",
        ),
        plus=(
            "fire",
            "omegaconf",
            "einops",
            "tyro==0.8.14",
            "hf-transfer",
            "tiktoken",
            "sentencepiece",
            "protobuf",
            "matplotlib",
        ),
        stubs=("torchaudio",),  # no wheel of it loads beside this PyTorch
        imports="llamafactory",
    ),
}


class UnbuildableError(Exception):
    """An environment that could not be made; the message says why."""


def python(name: str, folder: Path) -> Path:
    """The interpreter of an environment below `folder`, made where it is not there yet.

    Raises
    ------
    UnbuildableError
        When pip or the first import fails; so it does at once when that failed before.

    """
    if name == "host":
        return Path(sys.executable)
    wanted, place = ENVIRONMENTS[name], folder / name
    executable, told = place / "bin" / "python", place / "built.json"
    key = [list(wanted.packages), list(wanted.plus), sys.executable]
    known = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    if known.get("key") != key:
        known = {"key": key, "error": _build(wanted, place, executable)}
        told.write_text(json.dumps(known), encoding="utf-8")
    if known["error"]:
        raise UnbuildableError(known["error"])
    return executable


def _build(wanted: Environment, place: Path, executable: Path) -> str:
    """Build it; what went wrong, or nothing."""
    print(f"Making the environment of {place.name}", flush=True)
    venv.create(place, clear=True, with_pip=False)
    site = place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (site / "host.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    for name in wanted.stubs:
        (site / f"{name}.py").touch()
    pip = [sys.executable, "-m", "pip", "--python", str(executable), "install", "--quiet"]
    steps = [[*pip, "--no-deps", *wanted.packages]]
    steps += [[*pip, *wanted.plus]] if wanted.plus else []
    module = wanted.imports
    check = f"import os; os.environ['DISABLE_VERSION_CHECK'] = '1'; import {module}"
    steps.append([str(executable), "-c", check])
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            return lines[-1] if lines else f"pip ended with {done.returncode}"
    return ""
