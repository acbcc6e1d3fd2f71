"""The Hugging Face Hub through its real client, with progress, a stop, and errors as sentences."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Reporter

T = TypeVar("T")
RepoType = Literal["model", "dataset"]

# What a model folder needs to be trained; other frameworks' weights stay where they are.
_ALWAYS = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
_SAFETENSORS, _PICKLED = "*.safetensors", "pytorch_model*.bin"
_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_URL = re.compile(r"https?://[^/]+/(datasets/)?([\w.-]+(?:/[\w.-]+)?)(?:/tree/([^/?#]+))?/?$")


@dataclass(frozen=True)
class Repo:
    """A repository on the Hub at a revision."""

    id: str
    type: RepoType
    revision: str | None = None


def parse_repo(source: str, repo_type: RepoType, revision: str | None) -> Repo | None:
    """The repository a source names by id or Hub URL, or None when it names none."""
    text = source.strip()
    if text.startswith(("http://", "https://")):
        from huggingface_hub import constants  # noqa: PLC0415

        hosts = (constants.ENDPOINT, "https://huggingface.co", "https://hf.co")
        found = _URL.match(text)
        if found is None or not text.startswith(hosts):
            return None
        is_dataset = found.group(1) is not None
        if is_dataset != (repo_type == "dataset"):
            return None
        return Repo(found.group(2), repo_type, revision or found.group(3))
    if _ID.fullmatch(text):
        return Repo(text, repo_type, revision)
    return None


def download_model(
    repo: Repo, token: str | None, control: Control, reporter: Reporter
) -> tuple[Path, str]:
    """The local folder of a model repository and the commit it is at."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    reporter.stage("loading", f"Looking up {repo.id} on the Hugging Face Hub")
    try:
        info = _ask(repo, token, control)
    except StudioError as error:
        if error.problems[0].code != "hub.offline":
            raise
        return _from_cache(repo, error)
    siblings = info.siblings or []
    names = [sibling.rfilename for sibling in siblings]
    weights = _SAFETENSORS if any(n.endswith(".safetensors") for n in names) else _PICKLED
    patterns = [*_ALWAYS, weights]
    wanted = [s for s in siblings if any(Path(s.rfilename).match(p) for p in patterns)]
    total = sum(s.size or 0 for s in wanted)
    reporter.stage(
        "loading",
        f"Downloading {repo.id} ({megabytes(total)})",
        total=float(total) or None,
        unit="bytes",
    )
    folder = with_progress(
        lambda: snapshot_download(
            repo.id,
            repo_type=repo.type,
            revision=info.sha,
            allow_patterns=patterns,
            token=token or False,
        ),
        repo,
        token,
        control,
        reporter,
    )
    return Path(folder), str(info.sha)


def _ask(repo: Repo, token: str | None, control: Control) -> Any:
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(token=token or False)

    def ask() -> Any:
        return api.repo_info(
            repo.id, repo_type=repo.type, revision=repo.revision, files_metadata=True
        )

    return guarded(lambda: control.interruptible(ask), repo, token)


def _from_cache(repo: Repo, error: StudioError) -> tuple[Path, str]:
    """Without network, what an earlier run downloaded; else the error as it was."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = snapshot_download(
            repo.id, repo_type=repo.type, revision=repo.revision, local_files_only=True
        )
    except LocalEntryNotFoundError:
        raise error from None
    return Path(folder), Path(folder).name


def load_dataset(
    repo: Repo,
    config: str | None,
    token: str | None,
    control: Control,
    reporter: Reporter,
) -> tuple[dict[str, Any], str]:
    """The splits of a dataset repository as Arrow tables, and its commit."""
    import datasets  # noqa: PLC0415

    reporter.stage("loading", f"Looking up {repo.id} on the Hugging Face Hub")
    try:
        sha = str(_ask(repo, token, control).sha)
    except StudioError as error:
        if error.problems[0].code != "hub.offline":
            raise
        sha = _from_cache(repo, error)[1]
    reporter.stage("loading", f"Downloading {repo.id}", unit="bytes")

    def load() -> Any:
        return datasets.load_dataset(repo.id, config, revision=sha, token=token or False)

    loaded = with_progress(load, repo, token, control, reporter)
    return {name: split.data.table for name, split in loaded.items()}, sha


def with_progress(
    work: Callable[[], T], repo: Repo, token: str | None, control: Control, reporter: Reporter
) -> T:
    """Do a download; its progress is what has arrived in the cache."""
    from huggingface_hub import constants  # noqa: PLC0415

    name = f"{repo.type}s--{repo.id.replace('/', '--')}"
    blobs = Path(constants.HF_HUB_CACHE) / name / "blobs"
    return guarded(
        lambda: control.interruptible(work, tick=lambda: reporter.advance(_arrived(blobs))),
        repo,
        token,
    )


def _arrived(blobs: Path) -> int:
    total = 0
    for path in blobs.glob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # renamed from .incomplete meanwhile
            continue
    return total


def guarded(work: Callable[[], T], repo: Repo, token: str | None) -> T:
    """Do Hub work; its errors become problems on the source field."""
    import httpx  # noqa: PLC0415
    from huggingface_hub import errors  # noqa: PLC0415

    kind, name = repo.type, repo.id
    try:
        return work()
    except errors.GatedRepoError:
        code = "hub.gated"
        message = (
            f"{name} is gated: accept its terms on its page on the Hub with your account, "
            + ("then train again." if token else "then give EasyModel a token of that account.")
        )
    except errors.RepositoryNotFoundError:
        code = "hub.not_found"
        message = (
            f"There is no {kind} {name!r} on the Hub, or it is private and "
            + ("this token may not read it." if token else "needs a token.")
            + " Check the spelling."
        )
    except errors.RevisionNotFoundError:
        code = "hub.revision"
        message = f"{name} has no revision {repo.revision!r}. Leave it empty for the newest."
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        code = {401: "hub.unauthorised", 403: "hub.forbidden", 404: "hub.not_found"}.get(
            status or 0, "hub.error"
        )
        message = {
            "hub.unauthorised": f"The Hub does not accept the token for {name}. Give a valid one.",
            "hub.forbidden": f"The Hub does not let this account read {name}.",
            "hub.not_found": f"There is no {kind} {name!r} on the Hub. Check the spelling.",
        }.get(code, f"The Hub answered {status} for {name}. Try again in a minute.")
    except (
        errors.OfflineModeIsEnabled,
        errors.LocalEntryNotFoundError,
        httpx.TransportError,
        ConnectionError,
        TimeoutError,
    ):
        code = "hub.offline"
        message = (
            f"{name} could not be fetched: the Hugging Face Hub cannot be reached. Check the "
            "network, or use a local folder or a builtin: source."
        )
    except (FileNotFoundError, ValueError) as error:
        if kind != "dataset":
            raise
        code, message = "hub.dataset", f"{name} could not be read as a dataset: {error}"
    raise problem_error(code, message, field="source")


def megabytes(size: float) -> str:
    """A size in words: "8 MB", "1.2 GB"."""
    if size >= 1e9:  # noqa: PLR2004  a gigabyte
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"  # noqa: PLR2004
