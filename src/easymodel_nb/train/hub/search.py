"""Names on the Hub: what a typed text finds, and what a wrong name may have meant."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, StudioError, problem_error
from easymodel_nb.train.hub.answers import asked
from easymodel_nb.train.hub.repository import Repo, RepoType
from easymodel_nb.train.tasks.abilities import tasks_of

_SHOWN = 10
_LOOKED_THROUGH = 40  # of the most downloaded that the text finds; those of other tasks fall out
_SEARCH_PATIENCE = 5.0
_NEAR = 2
_NEAR_QUESTIONS = 3
_LIKE = 60.0  # of 100: less is another name
_MODEL_FACTS = ["config", "downloads", "gated", "pipeline_tag", "safetensors"]
_DATASET_FACTS = ["downloads", "gated", "tags"]
# What a repository says it is for, as tasks it can be trained for.
_PIPELINES: dict[str, tuple[str, ...]] = {
    "text-generation": ("generation", "classification", "token_classification"),
    "fill-mask": ("classification", "token_classification"),
    "feature-extraction": ("classification", "token_classification"),
    "sentence-similarity": ("classification", "token_classification"),
    "text-classification": ("classification",),
    "token-classification": ("token_classification", "classification"),
    "text2text-generation": ("seq2seq",),
    "translation": ("seq2seq",),
    "summarization": ("seq2seq",),
}
_CATEGORIES = {
    "generation": ("text-generation", "question-answering"),
    "classification": ("text-classification",),
    "seq2seq": ("translation", "summarization", "text2text-generation"),
    "token_classification": ("token-classification",),
}


@dataclass(frozen=True)
class Hit:
    """A repository that a text found; `tasks` is empty where it does not say."""

    id: str
    detail: str
    tasks: tuple[str, ...] = ()
    gated: bool = False


def search(
    kind: RepoType, text: str, task: str | None, token: str | None, shown: int = _SHOWN
) -> list[Hit]:
    """The most downloaded repositories whose name has the text, those for the task first.

    Raises
    ------
    StudioError
        When the Hub cannot be asked.

    """
    find = _models if kind == "model" else _datasets
    # Not a repository: only its kind and name stand in a refusal.
    at = Repo(text, kind)
    return asked(lambda: list(islice(find(text, task, token), shown)), at, token, _SEARCH_PATIENCE)


def _listed(kind: RepoType, token: str | None, **query: Any) -> list[Any]:
    """The Hub's list, through its client, but in one try.

    `list_models` tries again and again for half a minute, also when nobody waits any more.
    """
    from huggingface_hub import DatasetInfo, ModelInfo, constants  # noqa: PLC0415
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # noqa: PLC0415
        build_hf_headers,
        get_session,
        hf_raise_for_status,
    )

    asked_for = {name: value for name, value in query.items() if value is not None}
    answer = get_session().get(
        f"{constants.ENDPOINT}/api/{kind}s",
        params={"sort": "downloads", "limit": _LOOKED_THROUGH, **asked_for},
        headers=build_hf_headers(token=token or False),
        timeout=_SEARCH_PATIENCE,
    )
    hf_raise_for_status(answer)
    info = ModelInfo if kind == "model" else DatasetInfo
    return [info(**{"siblings": None, **item}) for item in answer.json()]


def _models(text: str, task: str | None, token: str | None) -> Iterator[Hit]:
    tag = "text-generation" if task == "generation" else None
    more = {"filter": "transformers", "pipeline_tag": tag, "expand": _MODEL_FACTS}
    for info in _listed("model", token, search=text, **more):
        tasks = _tasks(info)
        if task is not None and tasks is not None and task not in tasks:
            continue
        if task is None and tasks == ():
            continue
        size = f"{_short(info.safetensors.total)} parameters" if info.safetensors else ""
        yield Hit(info.id, _detail(size, info), tasks or (), bool(info.gated))


def _tasks(info: Any) -> tuple[str, ...] | None:
    """What it can be trained for, () for what is no language model; None: it does not say."""
    names = [str(name) for name in (info.config or {}).get("architectures") or ()]
    if any(name.endswith("ForConditionalGeneration") for name in names):
        return ("seq2seq",)
    if info.pipeline_tag is None:
        return tasks_of(info.config) if names else None
    return _PIPELINES.get(info.pipeline_tag, ())


def _datasets(text: str, task: str | None, token: str | None) -> Iterator[Hit]:
    found = _listed("dataset", token, search=text, expand=_DATASET_FACTS)
    hits = []
    for info in found:
        tags = set(info.tags or ())
        tasks = tuple(
            name
            for name, kinds in _CATEGORIES.items()
            if any(f"task_categories:{kind}" in tags for kind in kinds)
        )
        size = next((t.split(":", 1)[1] for t in tags if t.startswith("size_categories:")), "")
        rows = f"{size.replace('<n<', ' to ')} rows" if "<n<" in size else ""
        hits.append(Hit(info.id, _detail(rows, info), tasks, bool(info.gated)))
    # Tags are the uploader's word: they put in order, and leave nothing out.
    yield from sorted(hits, key=lambda hit: task is not None and task not in hit.tasks)


def _detail(size: str, info: Any) -> str:
    downloads = f"{_short(info.downloads)} downloads" if info.downloads else ""
    return ", ".join(filter(None, [size, downloads, "gated" if info.gated else ""]))


def _short(count: float) -> str:
    for size, unit in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.0f}"


def did_you_mean(
    repo: Repo, error: StudioError, token: str | None, known: Iterable[str]
) -> StudioError:
    """The refusal of a name that is not there, with names near it where there are any."""
    near = _nearest(repo.id, [*known, *_found_by_parts(repo, token)])
    if not near:
        return error
    named = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} or {near[-1]}"
    return problem_error(
        "hub.not_found",
        f"There is no {repo.type} {repo.id!r} that you may read on the Hub. Did you mean {named}?",
        field="source",
        fix=Fix(
            label=f"Use {near[0]}",
            set=[FieldChange(node="", field="source", value=near[0])],
        ),
    )


def _found_by_parts(repo: Repo, token: str | None) -> Iterator[str]:
    """What the name finds, then what shorter and shorter beginnings of it find."""
    name = repo.id.rsplit("/", 1)[-1]
    parts = re.split(r"[-_.]", name)
    tries = [name, "-".join(parts[:-1]), name[: max(4, len(name) * 2 // 3)], parts[0]]
    asked_for = [t for t in dict.fromkeys(tries) if len(t) > 1][:_NEAR_QUESTIONS]
    for text in asked_for:
        try:
            found = [hit.id for hit in search(repo.type, text, None, token, _LOOKED_THROUGH)]
        except StudioError:
            return
        yield from found
        if found:
            return


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    """The names most like this one, the likest first."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    def plain(text: str) -> str:
        return text.lower().rsplit("/", 1)[-1]

    others = [other for other in dict.fromkeys(known) if other != name]
    found = process.extract(
        name, others, scorer=fuzz.ratio, processor=plain, limit=_NEAR, score_cutoff=_LIKE
    )
    return [other for other, _, _ in found]
