"""What is known of a model before anything but its config is downloaded."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.train.described import Described, Detail
from easymodel_nb.train.hub import cache
from easymodel_nb.train.hub.answers import AGAIN, TIMEOUT, asked, not_here, why_local
from easymodel_nb.train.hub.cache import read_json
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.model_files import download, fetch_code, is_here, needed
from easymodel_nb.train.hub.refusals import NO_ANSWER, NoAnswer
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.tasks.abilities import TITLES, tasks_of, tasks_of_code
from easymodel_nb.trust import questions
from easymodel_nb.trust.pickles import is_weights, pickles_alone
from easymodel_nb.trust.questions import CodeFacts

_BITS = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16}
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def look(repo: Repo, token: str | None, home: Path) -> Described:
    """Facts of a model on the Hub, or of what the cache has of it where the Hub cannot be asked.

    Raises
    ------
    StudioError
        On the field to mend, when there is no such model or revision.

    """
    try:
        info = info_of(repo, token)
    except NoAnswer as error:
        return _from_cache(repo, error, home)
    files = info.siblings or []
    names = {s.rfilename for s in files}
    wanted = needed(files)
    if "config.json" not in names:
        raise _no_model(repo, names)
    problem, config = None, dict(info.config or {})
    try:
        config = _config(repo, str(info.sha), token)
    except StudioError as error:
        if error.problems[0].code not in {"hub.gated", "hub.forbidden", *NO_ANSWER}:
            raise
        problem = told_again(error.problems[0], token)
    if problem is None and not any(is_weights(s.rfilename) for s in wanted):
        problem = _no_weights(repo)
    if problem is None and pickles_alone([s.rfilename for s in wanted]):
        problem = questions.pickled(home, repo.id, str(info.sha))
    code = None
    if problem is None:
        code, problem = _code(repo, str(info.sha), files, token, home)
    size = float(sum(s.size or 0 for s in wanted))
    missing = sum(s.size or 0 for s in wanted if not is_here(repo, str(info.sha), s.rfilename))
    tasks = _tasks(config, info) if code is None else list(tasks_of_code(code.classes))
    count = _parameters(info, wanted, config)
    licence = licence_of(info)
    return Described(
        lines=[
            ", ".join(filter(None, [_counted(count), architecture(config)])),
            ", ".join(filter(None, [licence, _to_download(size, missing)])),
        ],
        tasks=tasks,
        page=page_of(repo),
        problem=problem,
        code=code,
        details=[
            Detail("Architecture", architecture(config)),
            *([Detail("Parameters", _counted(count, "").strip())] if count else []),
            *([Detail("Trains for", in_words(tasks))] if tasks else []),
            Detail("Licence", licence or "not stated"),
            Detail("Download", _to_download(size, missing)),
            Detail("Access", access(info, problem)),
            Detail("Revision", f"{repo.revision or 'main'} ({str(info.sha)[:7]})"),
        ],
    )


def info_of(repo: Repo, token: str | None) -> Any:
    """What the Hub knows of a repository, its files with their sizes."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(token=token or False)

    def ask() -> Any:
        return api.repo_info(
            repo.id,
            repo_type=repo.type,
            revision=repo.revision,
            timeout=TIMEOUT,
            files_metadata=True,
        )

    try:
        return asked(ask, repo, token)
    except StudioError as error:
        if error.problems[0].code != "hub.revision":
            raise
        raise problem_error(
            "hub.revision",
            f"{repo.id} has no revision {repo.revision!r}. Leave it empty for the newest.",
            field="revision",
            fix=Fix(
                label="Use the newest",
                set=[FieldChange(node="", field="revision", value=None)],
            ),
        ) from error


def _code(
    repo: Repo, sha: str, siblings: list[Any], token: str | None, home: Path
) -> tuple[CodeFacts | None, Problem | None]:
    """The Python files it needs, and what is asked about them; they are fetched, never run."""

    def fetch(names: list[str]) -> Path:
        return asked(lambda: download(repo, sha, names, token, _no_bar()), repo, token)

    try:
        folder, _ = fetch_code(siblings, fetch)
    except StudioError as error:
        return None, error.problems[0]
    if folder is None:
        return None, None
    page = page_of(replace(repo, revision=sha))
    return questions.code_facts(home, folder, repo.id, sha, page=page), questions.of_code(
        home, folder, repo.id, sha
    )


def _no_bar() -> Any:
    """A progress bar that shows nothing."""
    from huggingface_hub.utils.tqdm import tqdm  # noqa: PLC0415

    class NoBar(tqdm):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **{**more, "disable": True})  # type: ignore[no-untyped-call]

    return NoBar


def _config(repo: Repo, sha: str, token: str | None) -> dict[str, Any]:
    """Its config.json; the Hub's own summary of it does not tell an encoder-decoder."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415

    def ask() -> str:
        return str(
            hf_hub_download(
                repo.id,
                "config.json",
                revision=sha,
                token=token or False,
                etag_timeout=TIMEOUT,
                tqdm_class=_no_bar(),
            )
        )

    return read_json(Path(asked(ask, repo, token)))


def told_again(problem: Problem, token: str | None) -> Problem:
    """A refusal that the user can lift on the Hub, with a way to look again afterwards."""
    severity = "note" if problem.code in NO_ANSWER else problem.severity
    message = problem.message
    if problem.code == "hub.gated":
        then = "look again" if token else "give EasyModel a token of that account"
        message = f"Gated: accept its terms on its page with your account, then {then}."
    changes = {"fix": AGAIN, "severity": severity, "message": message}
    return problem.model_copy(update=changes)


def _no_model(repo: Repo, names: set[str]) -> StudioError:
    if "adapter_config.json" in names:
        return problem_error(
            "model.adapter",
            f"{repo.id} holds an adapter, not a model. Choose the model it was trained on.",
            field="source",
        )
    return problem_error(
        "model.folder",
        f"{repo.id} holds no Transformers model: it has no config.json. Choose another model.",
        field="source",
    )


def _no_weights(repo: Repo) -> Problem:
    return Problem(
        code="model.weights",
        message=f"{repo.id} has no weights that can be trained here: no .safetensors and no "
        "pytorch_model.bin file. Choose the model that this one was made from.",
        field="source",
    )


def _tasks(config: Mapping[str, Any], info: Any) -> list[str]:
    """What it can be trained for; nothing where only a summary of its config could be had."""
    if "is_encoder_decoder" not in config and "vocab_size" not in config:
        names = [str(name) for name in config.get("architectures") or ()]
        kind = getattr(info.transformers_info, "auto_model", "") or ""
        if "Seq2Seq" in kind or any(n.endswith("ForConditionalGeneration") for n in names):
            return ["seq2seq"]
        if not names:
            return []
    return list(tasks_of(config))


def _parameters(info: Any, wanted: list[Any], config: Mapping[str, Any]) -> int:
    """How many numbers are trained; from the size of the weights where nobody counted."""
    if info.safetensors is not None:
        return int(info.safetensors.total)
    size = sum(s.size or 0 for s in wanted if is_weights(s.rfilename))
    bits = _BITS.get(str(config.get("torch_dtype") or config.get("dtype") or ""), 32)
    return size * 8 // bits


def architecture(config: Mapping[str, Any]) -> str:
    """The name of its class."""
    names = config.get("architectures") or [config.get("model_type") or "model"]
    return str(names[0])


def _counted(count: int, word: str = "parameters") -> str:
    """A number of parameters in words: "124 M parameters"."""
    if not count:
        return ""
    for size, unit in _UNITS:
        if count >= size:
            shown = f"{count / size:.3g}"
            return f"{shown} {unit} {word}".rstrip()
    return f"{count} {word}".rstrip()


def _to_download(size: float, missing: float) -> str:
    if not missing:
        return f"{megabytes(size)}, already downloaded"
    if megabytes(missing) != megabytes(size):
        return f"{megabytes(missing)} of {megabytes(size)} to download"
    return f"{megabytes(size)} to download"


def in_words(tasks: list[str]) -> str:
    """Tasks by their names."""
    return ", ".join(TITLES[task] for task in tasks)


def licence_of(info: Any) -> str:
    """The licence that the card or the tags of a repository state."""
    card = info.card_data.to_dict() if info.card_data is not None else {}
    found = _licence(card)
    tags = (tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:"))
    return found or next(tags, "")


def _licence(card: Mapping[str, Any]) -> str:
    named = card.get("license_name") if card.get("license") == "other" else card.get("license")
    return ", ".join(map(str, named)) if isinstance(named, list) else str(named or "")


def access(info: Any, problem: Problem | None) -> str:
    """Who may read it, and whether that is you."""
    refused = problem is not None and problem.code in {"hub.gated", "hub.forbidden"}
    if info.gated:
        return "gated: not yet granted" if refused else "gated: granted"
    return "private" if info.private else "open to all"


def page_of(repo: Repo) -> str:
    """Its page on the Hub."""
    from huggingface_hub import constants  # noqa: PLC0415

    kind = "datasets/" if repo.type == "dataset" else ""
    at = f"/tree/{repo.revision}" if repo.revision else ""
    return f"{constants.ENDPOINT}/{kind}{repo.id}{at}"


def _from_cache(repo: Repo, error: StudioError, home: Path) -> Described:
    found = cache.folder_of(repo, error)
    offline = why_local(error)
    if found is None or not (found.path / "config.json").exists():
        return Described([], offline=offline, problem=not_here(repo, error))
    whole = cache.model_whole(found.path)
    facts = folder_facts(found.path)
    where = "in the local cache" if whole else "in the local cache, but its weights are not"
    licence = _licence(cache.card_of(found.path))
    return Described(
        lines=[facts.lines[0], ", ".join(filter(None, [licence, where]))],
        tasks=facts.tasks,
        offline=offline,
        page=page_of(repo),
        problem=questions.of_code(home, found.path, repo.id, found.sha)
        if whole
        else not_here(repo, error),
        code=questions.code_facts(home, found.path, repo.id, found.sha),
        details=[
            *facts.details,
            *([Detail("Licence", licence)] if licence else []),
            Detail("Revision", f"{repo.revision or 'main'} ({found.sha[:7]})"),
        ],
    )


def folder_facts(folder: Path) -> Described:
    """What a model folder tells: architecture, parameters, tasks, size."""
    config = cache.config_of(folder)
    weights = [path for path in folder.iterdir() if is_weights(path.name)]
    size = sum(path.stat().st_size for path in weights)
    count, tasks = _counted_in(weights), list(tasks_of(config))
    return Described(
        lines=[", ".join(filter(None, [_counted(count), architecture(config)]))],
        tasks=tasks,
        details=[
            Detail("Architecture", architecture(config)),
            *([Detail("Parameters", _counted(count, ""))] if count else []),
            Detail("Trains for", in_words(tasks)),
            Detail("Weights", megabytes(size)),
        ],
    )


def _counted_in(weights: list[Path]) -> int:
    """The parameters in safetensors files, read off their heads."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    total = 0
    for path in weights:
        if path.suffix != ".safetensors":
            return 0
        try:
            with safe_open(path, framework="numpy") as file:
                names = list(file.keys())  # the file itself is no iterable
                total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
        except (OSError, SafetensorError):
            return 0
    return total
