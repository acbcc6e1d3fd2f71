"""`easymodel doctor`: what this machine has, and what is in the way, with advice."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Literal

import easymodel_nb
from easymodel_nb import environment
from easymodel_nb.secrets import TokenHolder

Verdict = Literal["ok", "note", "stop"]
LIBRARIES = (
    "torch",
    "transformers",
    "datasets",
    "accelerate",
    "huggingface_hub",
    "anywidget",
    "ipywidgets",
    "bqplot",
    "ipykernel",
    "jupyterlab",
)
_NEEDED = frozenset({"torch", "transformers", "datasets", "accelerate"})
_MARKS: dict[Verdict, str] = {"ok": "ok  ", "note": "note", "stop": "STOP"}
_ROOM = 5e9
_HUB_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """One line of the report; `stop` means that no model can be trained here."""

    verdict: Verdict
    text: str


def report(home: Path | None = None) -> int:
    """Print every finding; the exit code is 1 when one of them stops training."""
    stopped = False
    for finding in examine(home):
        stopped |= finding.verdict == "stop"
        print(f"{_MARKS[finding.verdict]}  {finding.text}", flush=True)  # noqa: T201
    return int(stopped)


def examine(home: Path | None = None) -> Iterator[Finding]:
    """Everything worth knowing, one after the other as it is found."""
    yield Finding(
        "ok",
        f"EasyModel-nb {easymodel_nb.__version__}, Python {platform.python_version()}, "
        f"{platform.platform(terse=True)}",
    )
    yield from libraries()
    yield device()
    yield from home_folder(home)
    yield studio_bundle()
    yield hub()
    yield token()
    if found := foreign_easymodel():
        yield found


def libraries() -> Iterator[Finding]:
    """The versions of what we stand on."""
    versions = {name: _version(name) for name in LIBRARIES}
    present = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding("ok", present)
    for name in sorted(_NEEDED - {name for name, version in versions.items() if version}):
        yield Finding("stop", f"{name} is not installed. Run: pip install easymodel-nb")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def device() -> Finding:
    """What will do the training."""
    try:
        found = environment.device(ask_torch=True)
    except (ImportError, OSError) as error:
        return Finding(
            "stop", f"torch cannot be loaded ({error}). Install it anew: see pytorch.org."
        )
    memory = f"{found.memory_bytes / 1e9:.0f} GB"
    if found.kind == "cpu":
        return Finding(
            "ok", f"Device: {found.name}, {memory}. Small models train here; large ones want a GPU."
        )
    return Finding("ok", f"Device: {found.name}, {memory}")


def home_folder(chosen: Path | None) -> Iterator[Finding]:
    """Whether projects and runs can be written, and how much room there is."""
    try:
        folder = environment.home(chosen)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        where = error.filename or chosen or environment.default_home()
        yield Finding(
            "stop",
            f"The home folder cannot be written ({where}: {error.strerror}). "
            "Choose another with --home or EASYMODEL_HOME.",
        )
        return
    yield Finding("ok", f"Home: {folder}, {free / 1e9:.1f} GB free")
    if free < _ROOM:
        yield Finding("note", "That is little room: a full checkpoint takes 12 bytes a parameter.")


def studio_bundle() -> Finding:
    """Whether the studio's interface was built into this installation."""
    static = Path(easymodel_nb.__file__).parent / "widgets" / "static"
    if (static / "workbench.js").exists():
        return Finding("ok", "The studio's interface is installed")
    return Finding(
        "note",
        "The studio's interface was left out of this installation; training works. "
        "Install again without EASYMODEL_NB_SKIP_JS to have it.",
    )


def hub() -> Finding:
    """Whether the Hugging Face Hub answers within three seconds."""
    import httpx  # noqa: PLC0415
    from huggingface_hub import constants  # noqa: PLC0415

    works = "Built-in and local models and data work without it"
    if constants.HF_HUB_OFFLINE:
        return Finding("note", f"HF_HUB_OFFLINE is set, so the Hub is not asked. {works}.")
    endpoint = constants.ENDPOINT
    try:
        httpx.head(endpoint, timeout=_HUB_SECONDS, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        return Finding("note", f"{endpoint} does not answer ({reason}). {works}.")
    return Finding("ok", f"{endpoint} answers")


def token() -> Finding:
    """Where the Hub token comes from; never the token."""
    origin = TokenHolder().origin()
    if origin == "none":
        return Finding("ok", "Hub token: none, needed only for private and gated repositories")
    where = {
        "environment": "from HF_TOKEN",
        "login": "from `hf auth login`",
        "colab": "from Colab secrets",
        "typed": "typed",
    }[origin]
    return Finding("ok", f"Hub token: {where}")


def foreign_easymodel() -> Finding | None:
    """Someone else's `easymodel`: PyPI has an old package of that name."""
    ours = Path(easymodel_nb.__file__).parent.parent / "easymodel.py"
    spec = util.find_spec("easymodel")
    origin = Path(spec.origin) if spec is not None and spec.origin else None
    advice = "Write `import easymodel_nb as easymodel` instead of `import easymodel`"
    if origin is None or not ours.exists() or not _same(origin, ours):
        where = origin or "a folder of that name"
        return Finding("note", f"`import easymodel` finds {where}, which is not ours. {advice}.")
    if version := _version("easymodel"):
        return Finding(
            "note",
            f"A stranger's package `easymodel` {version} is installed as well. {advice}, "
            "or remove it: pip uninstall easymodel, then install easymodel-nb again.",
        )
    return None


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
