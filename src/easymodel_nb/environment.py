"""Where are we: which notebook, which machine, which home."""

import importlib.metadata
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import psutil
from pydantic import BaseModel

from easymodel_nb.errors import problem_error

Host = Literal["colab", "vscode", "jupyter", "python"]
NVIDIA = Path("/proc/driver/nvidia/gpus")  # a folder a GPU
COLAB_DRIVE = Path("/content/drive/MyDrive")
_START_TIME = 19  # its place in /proc/PID/stat behind the name of the program


class Device(BaseModel):
    """What will do the training, in words and numbers."""

    kind: Literal["cuda", "mps", "cpu"]
    name: str
    memory_bytes: int
    known: bool = True


@cache  # the metadata lie on the disk, and every question of an audit names it
def version() -> str:
    """The installed version of easymodel-nb."""
    try:
        return importlib.metadata.version("easymodel-nb")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@cache
def host() -> Host:
    """The kind of notebook this process is the kernel of, or plain Python."""
    if "google.colab" in sys.modules:
        return "colab"
    if "ipykernel" not in sys.modules:
        return "python"
    return "vscode" if "VSCODE_PID" in os.environ else "jupyter"


def default_home() -> Path:
    """EASYMODEL_HOME, or local disk in Colab, or the platform's user data folder."""
    if chosen := os.environ.get("EASYMODEL_HOME"):
        return Path(chosen).expanduser()
    return _local_home()


def home_path(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The home folder as an absolute path, there or not."""
    folder = Path(chosen).expanduser() if chosen is not None else default_home()
    return folder.absolute()


def home(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The home folder as an absolute path, created when absent."""
    folder = home_path(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def writable_home(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The home folder, or a StudioError that says why it cannot be made."""
    try:
        return home(chosen)
    except OSError as error:
        raise problem_error(
            "home.unwritable",
            f"EasyModel cannot make its home {error.filename} ({error.strerror}). Name another "
            "folder: --home on the command line, home= in Python.",
        ) from None


class Places(NamedTuple):
    """Where work lies, and where it is copied to."""

    home: Path
    mirror: Path | None  # a folder that is synced; None: there is none
    mirror_name: str = ""  # as people call it: "Drive"
    old_home: Path | None = None  # a home that lies on the mirror itself
    notice: str = ""


def places(chosen: str | os.PathLike[str] | None = None) -> Places:
    """The home, always on a local disk where that can be told, and its mirror.

    The mirror is EASYMODEL_MIRROR ("off": none), else in Colab `EasyModel` on Drive. A home on
    Drive becomes the mirror, because files that are rewritten often get lost there.
    """
    folder = home_path(chosen)
    wanted = os.environ.get("EASYMODEL_MIRROR", "").strip()
    if wanted.lower() == "off":
        return Places(folder, None)
    if is_synced(folder):
        local = _local_home()
        notice = (
            f"{folder} is on Google Drive, where files in use get lost. So you work in {local}, "
            "on this machine's disk, and all of it is copied to that folder and comes back from it."
        )
        return Places(local, folder, _mirror_name(folder), folder, notice)
    if wanted:
        mirror = Path(wanted).expanduser().absolute()
        return Places(folder, mirror, _mirror_name(mirror))
    if host() == "colab":
        return Places(folder, COLAB_DRIVE / "EasyModel", "Drive")
    return Places(folder, None)


def is_synced(folder: Path) -> bool:
    """Whether a folder is on Google Drive, by its path."""
    return COLAB_DRIVE.parent in folder.parents or any(
        part in {"Google Drive", "My Drive"} or part.startswith("GoogleDrive-")
        for part in folder.parts
    )


def _local_home() -> Path:
    if host() == "colab":
        return Path("/content/.easymodel")
    from platformdirs import user_data_path  # noqa: PLC0415

    return user_data_path("easymodel", appauthor=False)


def _mirror_name(folder: Path) -> str:
    return "Drive" if is_synced(folder) else folder.name


def boot_id() -> str:
    """Names this boot of this machine, so that a pid can be told from a recycled one.

    Containers of one machine share its boot and perhaps their name, but not their pids.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return str(int(psutil.boot_time()))


def hostname() -> str:
    """This machine's name."""
    return platform.node() or "unknown"


def process_started(pid: int) -> float | None:
    """When process `pid` started, in seconds; None when there is none.

    On Linux since the boot, where the epoch would be reckoned from a clock that may be put
    right meanwhile: the same process would then be taken for another.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(stat.rpartition(")")[2].split()[_START_TIME]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        pass  # gone, or no Linux
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def process_alive(pid: int, started: float) -> bool:
    """Whether `pid` still is the process that started at `started`."""
    now = process_started(pid)
    if now is None or abs(now - started) > 2.0:  # noqa: PLR2004  clocks are read with a second's grain
        return False
    try:
        return str(psutil.Process(pid).status()) != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_by_torchrun() -> bool:
    """Whether this process was started as one of several that train together."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def device(*, ask_torch: bool = False) -> Device:
    """The device a run would use.

    Importing torch takes seconds, so without `ask_torch` it is asked only when
    it is imported already; otherwise the answer names the CPU and `known` is False
    where a GPU might be present.
    """
    if ask_torch or "torch" in sys.modules:
        import torch  # noqa: PLC0415

        if torch.cuda.is_available():
            properties = torch.cuda.get_device_properties(0)
            return Device(
                kind="cuda", name=properties.name, memory_bytes=int(properties.total_memory)
            )
        if torch.backends.mps.is_available():
            return Device(
                kind="mps", name="Apple GPU", memory_bytes=int(psutil.virtual_memory().total)
            )
        return _cpu(known=True)
    return _cpu(known=not Path("/proc/driver/nvidia").exists())


def gpus(*, ask_torch: bool = False) -> int:
    """How many GPUs a run could use at once; 1 where there is none, or Apple's.

    As for `device`, torch is asked only where that costs nothing or is wanted; else the driver.
    """
    if ask_torch or "torch" in sys.modules:
        import torch  # noqa: PLC0415

        return max(1, int(torch.cuda.device_count()))
    found = len(list(NVIDIA.iterdir())) if NVIDIA.is_dir() else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        found = min(found, len([name for name in visible.split(",") if name.strip()]))
    return max(1, found)


def _cpu(*, known: bool) -> Device:
    cores = os.cpu_count() or 1
    word = "core" if cores == 1 else "cores"
    return Device(
        kind="cpu",
        name=f"CPU, {cores} {word}",
        memory_bytes=int(psutil.virtual_memory().total),
        known=known,
    )
