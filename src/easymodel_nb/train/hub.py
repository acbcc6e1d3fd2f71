"""The Hugging Face Hub through its real client, with progress, a stop, and errors as sentences."""

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.train.control import Control
from easymodel_nb.train.hub_configs import chosen, of_info
from easymodel_nb.train.reporter import Reporter

T = TypeVar("T")
RepoType = Literal["model", "dataset"]

# What a model folder needs to be trained; other frameworks' weights stay where they are.
_ALWAYS = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
_SAFETENSORS, _PICKLED = "*.safetensors", "pytorch_model*.bin"
_CHUNK = 1 << 18
STREAM_ABOVE = 200_000_000  # bytes of a dataset repository: about a minute's download
# The Hub could not be asked, or would not say: what is on this machine still works.
NO_ANSWER = frozenset({"hub.offline", "hub.error", "hub.busy"})
_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_URL = re.compile(r"https?://[^/]+/(datasets/)?([\w.-]+(?:/[\w.-]+)?)(?:/tree/([^/?#]+))?/?$")


@dataclass(frozen=True)
class Repo:
    """A repository on the Hub at a revision."""

    id: str
    type: RepoType
    revision: str | None = None


class TooLarge(StudioError):  # noqa: N818  it says what a download is
    """More than the caller may download; `bytes` says how much it is."""

    def __init__(self, name: str, size: float) -> None:
        self.bytes = int(size)
        super().__init__(
            Problem(
                code="download.large",
                severity="note",
                message=f"{name} takes a download of {megabytes(size)}, which begins when "
                "training starts. Until then its rows are not known.",
                field="source",
            )
        )


def refuse_large(name: str, size: float | None, limit: int | None) -> None:
    """Raise TooLarge for what is larger than the limit; an unknown size is let through."""
    if limit is not None and size is not None and size > limit:
        raise TooLarge(name, size)


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


@dataclass(frozen=True)
class Fetched:
    """The local folder of a model repository, the commit it is at, and what is not there yet."""

    path: Path
    sha: str
    missing_bytes: int = 0


def download_model(
    repo: Repo,
    token: str | None,
    control: Control,
    reporter: Reporter,
    *,
    weights: bool = True,
) -> Fetched:
    """Download a model repository, or all of it but its weights.

    Raises
    ------
    StudioError
        On `source`, when there is no such model or it cannot be had.

    """
    reporter.stage("loading", f"Looking up {repo.id} on the Hugging Face Hub")
    try:
        info = _ask(repo, token, control)
    except StudioError as error:
        if error.problems[0].code not in NO_ANSWER:
            raise
        here = from_cache(repo, error)
        if weights and not any(is_weights(path.name) for path in here.path.iterdir()):
            raise  # only its tokenizer was fetched before
        return here
    sha, wanted = str(info.sha), needed(info.siblings or [])
    later = [] if weights else [s for s in wanted if is_weights(s.rfilename)]
    wanted = [sibling for sibling in wanted if sibling not in later]
    if "config.json" not in [sibling.rfilename for sibling in wanted]:
        raise problem_error(
            "model.folder",
            f"{repo.id} holds no Transformers model: it has no config.json. Choose another model.",
            field="source",
        )
    total = float(sum(sibling.size or 0 for sibling in wanted))
    said = f"Downloading {repo.id} ({megabytes(total)})"
    reporter.stage("loading", said, total=total or None, unit="bytes")
    bars = _bars(control)
    folder = with_progress(
        lambda: _download(repo, sha, [s.rfilename for s in wanted], token, bars),
        repo,
        token,
        control,
        reporter,
        blobs=[s.lfs.sha256 if s.lfs else str(s.blob_id) for s in wanted],
        counted=lambda: bars.arrived,
    )
    absent = (s.size or 0 for s in later if not is_here(repo, sha, s.rfilename))
    return Fetched(folder, sha, sum(absent))


def is_weights(name: str) -> bool:
    """Whether a file of a model holds weights that Transformers reads."""
    return any(Path(name).match(pattern) for pattern in (_SAFETENSORS, _PICKLED))


def is_here(repo: Repo, sha: str, name: str) -> bool:
    """Whether a file of a model is in the client's cache."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

    return isinstance(try_to_load_from_cache(repo.id, name, revision=sha), str)


def needed(siblings: list[Any]) -> list[Any]:
    """The files Transformers reads: of the top folder, and one kind of weights."""
    top = [s for s in siblings if "/" not in s.rfilename]
    safe = any(Path(s.rfilename).match(_SAFETENSORS) for s in top)
    patterns = (*_ALWAYS, _SAFETENSORS if safe else _PICKLED)
    return [s for s in top if any(Path(s.rfilename).match(p) for p in patterns)]


def _download(repo: Repo, sha: str, names: list[str], token: str | None, bars: Any) -> Path:
    """The folder with the named files.

    One after the other, in this thread: the threads of `snapshot_download` would have no
    name the log filter knows, and would keep a stopped process from ending.
    """
    from huggingface_hub import hf_hub_download  # noqa: PLC0415

    paths = [
        hf_hub_download(repo.id, name, revision=sha, token=token or False, tqdm_class=bars)
        for name in sorted(names, key=lambda name: name != "config.json")
    ]
    _remember(repo, token)
    return Path(paths[0]).parent


def _bars(control: Control) -> Any:
    """Progress bars that show nothing: they count, and end a download nobody waits for."""
    from huggingface_hub.utils.tqdm import tqdm  # noqa: PLC0415

    class Bar(tqdm):
        arrived = 0.0  # bytes, of all files together

        def update(self, n: float | None = 1) -> Any:
            control.check()
            Bar.arrived += n or 0
            return super().update(n)

    return Bar


def _ask(repo: Repo, token: str | None, control: Control) -> Any:
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(token=token or False)

    def ask() -> Any:
        return api.repo_info(
            repo.id, repo_type=repo.type, revision=repo.revision, files_metadata=True
        )

    return guarded(lambda: control.interruptible(ask), repo, token)


def from_cache(repo: Repo, error: StudioError) -> Fetched:
    """Without network, what an earlier run downloaded; else the error as it was."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = snapshot_download(
            repo.id, repo_type=repo.type, revision=repo.revision, local_files_only=True
        )
    except LocalEntryNotFoundError:
        raise error from None
    return Fetched(Path(folder), Path(folder).name)


@dataclass(frozen=True)
class Wanted:
    """What a run reads of a dataset: enough for it, so that a large one is not downloaded."""

    train_rows: int
    eval_rows: int
    seed: int
    train_split: str | None = None
    eval_split: str | None = None

    def rows(self, split: str) -> int | None:
        """How many rows of a split; None is all, for a slice counts from its end as well."""
        named = f"{self.train_split or ''}+{self.eval_split or ''}"
        if "[" in named:
            return None
        trained = split == self.train_split or (self.train_split is None and _is_train(split))
        return self.train_rows if trained else max(self.eval_rows, self.train_rows)


def _is_train(split: str) -> bool:
    return split in {"train", "training"}


@dataclass(frozen=True)
class Loaded:
    """The splits of a dataset repository, with the names of classes in their metadata."""

    splits: dict[str, Any]
    sha: str
    streamed: str = ""  # why, and how, not all rows were read


def load_dataset(
    repo: Repo,
    config: str | None,
    token: str | None,
    control: Control,
    reporter: Reporter,
    wanted: Wanted | None = None,
    *,
    limit: int | None = None,
) -> Loaded:
    """The splits of a dataset repository as Arrow tables, and its commit.

    Of a repository over `STREAM_ABOVE` bytes only what is `wanted` is read.

    Raises
    ------
    TooLarge
        When more than `limit` bytes would have to be downloaded.
    StudioError
        On `source`, when there is no such dataset or it cannot be had.

    """
    datasets = uncounted()
    reporter.stage("loading", f"Looking up {repo.id} on the Hugging Face Hub")
    try:
        info = _ask(repo, token, control)
    except StudioError as error:
        if error.problems[0].code not in NO_ANSWER:
            raise
        # Not by its id: without network that gives any version, whatever the revision.
        here = from_cache(repo, error)
        loaded = control.interruptible(
            lambda: guarded(lambda: datasets.load_dataset(str(here.path), config), repo, token)
        )
        return Loaded(tables_of(loaded), here.sha)
    sha = str(info.sha)
    refuse_script(repo, info.siblings or [])
    config, missing = chosen(repo.id, of_info(info), config)
    if missing is not None:
        raise StudioError(missing)
    size = sum(s.size or 0 for s in info.siblings or [] if not s.rfilename.endswith(".md"))
    if wanted is not None and wanted.rows("train") is not None and size > STREAM_ABOVE:
        from easymodel_nb.train import streaming  # noqa: PLC0415

        return streaming.read(repo, sha, config, token, control, reporter, wanted, size)
    refuse_large(repo.id, size, limit)
    reporter.stage("loading", f"Downloading {repo.id}", unit="bytes")

    def load() -> Any:
        found = datasets.load_dataset(repo.id, config, revision=sha, token=token or False)
        _remember(repo, token)
        return found

    loaded = with_progress(load, repo, token, control, reporter)
    return Loaded(tables_of(loaded), sha)


def uncounted() -> Any:
    """The `datasets` library, without the note to a host of its own that it loads something."""
    import datasets  # noqa: PLC0415

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    return datasets


def tables_of(loaded: Any) -> dict[str, Any]:
    """The splits of a loaded dataset, with the names of classes in their metadata."""
    return {
        name: split.data.table.replace_schema_metadata(split.features.arrow_schema.metadata)
        for name, split in loaded.items()
    }


def refuse_script(repo: Repo, siblings: list[Any]) -> None:
    """Refuse a repository whose rows only a script of its own can make."""
    script = f"{repo.id.rsplit('/', 1)[-1]}.py"
    if any(sibling.rfilename == script for sibling in siblings):
        raise problem_error(
            "source.script",
            f"{repo.id} is a dataset with a loading script ({script}), which would have to be run "
            "to get the rows; code that comes with data is never run here. Look on the Hub for a "
            "copy in Parquet, or set the revision refs/convert/parquet if it has one.",
            field="source",
        )


def _remember(repo: Repo, token: str | None) -> None:
    """Let the cache know which commit the revision is, once all of it has arrived.

    Asking for any file by the revision's name does; it need not be there.
    """
    from huggingface_hub import hf_hub_download  # noqa: PLC0415
    from huggingface_hub.errors import EntryNotFoundError  # noqa: PLC0415

    with contextlib.suppress(EntryNotFoundError):
        hf_hub_download(
            repo.id,
            "README.md",
            repo_type=repo.type,
            revision=repo.revision,
            token=token or False,
        )


def with_progress(
    work: Callable[[], T],
    repo: Repo,
    token: str | None,
    control: Control,
    reporter: Reporter,
    *,
    blobs: list[str] | None = None,
    counted: Callable[[], float] = lambda: 0,
) -> T:
    """Do a download and show its progress.

    It is what has arrived in the cache, of the named `blobs` or of anything, or what the
    client has `counted`: some transfers come to the disk late, others are counted late.
    """
    from huggingface_hub import constants  # noqa: PLC0415

    name = f"{repo.type}s--{repo.id.replace('/', '--')}"
    folder = Path(constants.HF_HUB_CACHE) / name / "blobs"
    there = {path.name for path in folder.glob("*")}
    # What an earlier download left unfinished is not gone on with.
    old = {n for n in there if blobs is None or n.endswith(".incomplete")}
    before = _arrived(folder, old, blobs)

    def tick() -> None:
        reporter.advance(max(_arrived(folder, old, blobs), before + counted()))

    with _small_chunks():
        return guarded(lambda: control.interruptible(work, tick=tick), repo, token)


@contextlib.contextmanager
def _small_chunks() -> Iterator[None]:
    """Let a plain HTTP download move, and look at a stop, more often than every 10 MB."""
    from huggingface_hub import constants  # noqa: PLC0415

    before = constants.DOWNLOAD_CHUNK_SIZE
    constants.DOWNLOAD_CHUNK_SIZE = min(before, _CHUNK)
    try:
        yield
    finally:
        constants.DOWNLOAD_CHUNK_SIZE = before


def _arrived(folder: Path, old: set[str], blobs: list[str] | None) -> int:
    total = 0
    for path in folder.glob("*"):
        if path.name in old or (blobs is not None and path.name.split(".")[0] not in blobs):
            continue
        with contextlib.suppress(OSError):  # renamed from .incomplete meanwhile
            total += path.stat().st_size
    return total


def guarded(work: Callable[[], T], repo: Repo, token: str | None) -> T:
    """Do Hub work; its errors become problems on the source field."""
    try:
        return work()
    except Exception as error:
        told = _told(_reason(error), repo, token)
        if told is None:
            raise
        raise problem_error(*told, field="source") from error


def _reason(error: BaseException) -> BaseException:
    """What was in the way; the client first says that a file is not in its cache."""
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _told(  # noqa: PLR0911  one case a kind of error
    error: BaseException, repo: Repo, token: str | None
) -> tuple[str, str] | None:
    """The code and the sentence for an error; None for one that is none of the Hub's."""
    from huggingface_hub import errors  # noqa: PLC0415

    kind, name = repo.type, repo.id
    match error:
        case errors.GatedRepoError():
            remedy = "train again" if token else "give EasyModel a token of that account"
            return "hub.gated", (
                f"{name} is gated: accept its terms on its page on the Hub with your account, "
                f"then {remedy}."
            )
        case errors.RepositoryNotFoundError():
            why = "this token may not read it" if token else "needs a token"
            return "hub.not_found", (
                f"There is no {kind} {name!r} on the Hub, or it is private and {why}. "
                "Check the spelling."
            )
        case errors.RevisionNotFoundError():
            return "hub.revision", (
                f"{name} has no revision {repo.revision!r}. Leave it empty for the newest."
            )
        case (  # the last is what a proxy's or a hotel's page in place of the Hub looks like
            errors.LocalEntryNotFoundError()
            | errors.OfflineModeIsEnabled()
            | errors.FileMetadataError()
        ):
            return _offline(name)
        case errors.HfHubHTTPError():
            return _answered(getattr(error.response, "status_code", None), repo)
    if isinstance(error, (ConnectionError, TimeoutError, *_transport_errors())):
        return _offline(name)
    if isinstance(error, (FileNotFoundError, ValueError)) and kind == "dataset":
        return "hub.dataset", (
            f"{name} could not be read as a dataset: {str(error).strip().rstrip('.')}. "
            "Choose another dataset, or one of its configs."
        )
    return None


def _offline(name: str) -> tuple[str, str]:
    return "hub.offline", (
        f"{name} could not be fetched: the Hugging Face Hub cannot be reached. Check the "
        "network, or use a local folder or a builtin: source."
    )


def _answered(status: int | None, repo: Repo) -> tuple[str, str]:
    name = repo.id
    match status:
        case 429:
            return "hub.busy", (
                f"The Hub asks to wait before it answers for {name}. Try again in a minute."
            )
        case 401:
            said = f"The Hub does not accept the token for {name}. Give a valid one."
            return "hub.unauthorised", said
        case 403:
            return "hub.forbidden", f"The Hub does not let this account read {name}."
        case 404:
            said = f"There is no {repo.type} {name!r} on the Hub. Check the spelling."
            return "hub.not_found", said
    return "hub.error", f"The Hub answered {status} for {name}. Try again in a minute."


def _transport_errors() -> list[type[Exception]]:
    """What no network looks like: httpx2's errors since huggingface_hub 2, httpx's before."""
    loaded = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return [library.TransportError for library in loaded]


def megabytes(size: float) -> str:
    """A size in words: "8 MB", "1.2 GB"."""
    if size >= 1e9:  # noqa: PLR2004  a gigabyte
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"  # noqa: PLR2004
