"""The files of a model: which are needed, and their download."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.arriving import with_progress
from easymodel_nb.train.hub.asking import Fetched, ask, from_cache, remember
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.refusals import NoAnswer, guarded
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.trust import code, questions
from easymodel_nb.trust.pickles import PICKLED, SAFETENSORS, is_weights, pickles_alone

# What a model folder needs to be trained; other frameworks' weights stay where they are.
_ALWAYS = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")


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
        info = ask(repo, token, control)
    except NoAnswer as error:
        here = from_cache(repo, error)
        names = [path.name for path in here.path.iterdir()]
        if weights and not any(is_weights(name) for name in names):
            raise  # only its tokenizer was fetched before
        _ask_of_pickles(names, repo, here.sha, reporter)
        return here
    sha, wanted = str(info.sha), needed(info.siblings or [])
    _ask_of_pickles([s.rfilename for s in wanted], repo, sha, reporter)
    later = [] if weights else [s for s in wanted if is_weights(s.rfilename)]
    wanted = [sibling for sibling in wanted if sibling not in later]
    if "config.json" not in [sibling.rfilename for sibling in wanted]:
        raise problem_error(
            "model.folder",
            f"{repo.id} holds no Transformers model: it has no config.json. Choose another model.",
            field="source",
        )
    wanted += _ask_of_code(repo, sha, info.siblings or [], token, control, reporter)
    total = float(sum(sibling.size or 0 for sibling in wanted))
    said = f"Downloading {repo.id} ({megabytes(total)})"
    reporter.stage("loading", said, total=total or None, unit="bytes")
    bars = _bars(control)
    folder = with_progress(
        lambda: download(repo, sha, [s.rfilename for s in wanted], token, bars),
        repo,
        token,
        control,
        reporter,
        blobs=[s.lfs.sha256 if s.lfs else str(s.blob_id) for s in wanted],
        counted=lambda: bars.arrived,
    )
    absent = (s.size or 0 for s in later if not is_here(repo, sha, s.rfilename))
    return Fetched(folder, sha, sum(absent))


def _ask_of_pickles(names: list[str], repo: Repo, sha: str, reporter: Reporter) -> None:
    asked = questions.pickled(reporter.home, repo.id, sha) if pickles_alone(names) else None
    if asked is not None:
        raise StudioError(asked)


def _ask_of_code(
    repo: Repo,
    sha: str,
    siblings: list[Any],
    token: str | None,
    control: Control,
    reporter: Reporter,
) -> list[Any]:
    """The Python files the model needs; asks for them before its weights are downloaded."""

    def fetch(names: list[str]) -> Path:
        bars = _bars(control)
        return guarded(
            lambda: control.interruptible(
                lambda: download(repo, sha, names, token, bars), tick=reporter.heartbeat
            ),
            repo,
            token,
        )

    folder, names = fetch_code(siblings, fetch)
    if folder is not None:
        questions.refuse_code(reporter.home, folder, repo.id, sha)
    return [s for s in siblings if s.rfilename in names]


def is_here(repo: Repo, sha: str, name: str) -> bool:
    """Whether a file of a model is in the client's cache."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

    return isinstance(try_to_load_from_cache(repo.id, name, revision=sha), str)


def needed(siblings: list[Any]) -> list[Any]:
    """The files Transformers reads: of the top folder, and one kind of weights."""
    top = [s for s in siblings if "/" not in s.rfilename]
    safe = any(Path(s.rfilename).match(SAFETENSORS) for s in top)
    patterns = (*_ALWAYS, SAFETENSORS if safe else PICKLED)
    return [s for s in top if any(Path(s.rfilename).match(p) for p in patterns)]


def fetch_code(
    siblings: list[Any], fetch: Callable[[list[str]], Path]
) -> tuple[Path | None, list[str]]:
    """The Python files of a model that needs them, and the folder they are in: to be looked at.

    `fetch` downloads files by name. None, and no names, where none is needed; nothing runs.

    Raises
    ------
    StudioError
        When they cannot be had, or are more than somebody could look at.

    """
    if not any(code.is_code(s.rfilename) for s in siblings):
        return None, []
    there = {s.rfilename for s in siblings}
    folder = fetch([name for name in (code.CONFIG, code.TOKENIZER_CONFIG) if name in there])
    if not code.is_needed(folder):
        return None, []
    names = code.wanted((s.rfilename, s.size or 0) for s in siblings)
    fetch(names)
    return folder, names


def download(repo: Repo, sha: str, names: list[str], token: str | None, bars: Any) -> Path:
    """The folder with the named files.

    One after the other, in this thread: the threads of `snapshot_download` would have no
    name the log filter knows, and would keep a stopped process from ending.
    """
    from huggingface_hub import hf_hub_download  # noqa: PLC0415

    paths = [
        hf_hub_download(repo.id, name, revision=sha, token=token or False, tqdm_class=bars)
        for name in sorted(names, key=lambda name: (name != "config.json", "/" in name))
    ]
    remember(repo, token)
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
