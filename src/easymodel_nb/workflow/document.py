"""The workflow document: nodes, edges, versions, migrations (a JSON contract, version 1).

A document is read leniently and kept whole: unknown keys and nodes of unknown
type survive a round trip. What is wrong in it is for `check` to say.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.redaction import kept, throughout

FORMAT: Final = "easymodel.workflow"
VERSION: Final = 1

Task = Literal["generation", "classification", "seq2seq", "token_classification"]
Method = Literal["full", "lora", "qlora"]
Scheduler = Literal["linear", "cosine", "constant", "constant_with_warmup"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


class _Open(BaseModel):
    """Keeps keys it does not know."""

    model_config = ConfigDict(extra="allow")


class ModelData(_Open):
    """What a model node holds."""

    source: str = ""
    revision: str | None = None


class FileFormat(_Open):
    """How a table file is to be read; None means detected."""

    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None


class DatasetData(_Open):
    """What a dataset node holds."""

    source: str = ""
    config: str | None = None
    revision: str | None = None
    train_split: str | None = None
    eval_split: str | None = None
    eval_fraction: float = Field(0.1, gt=0, lt=1)
    format: FileFormat = FileFormat()


class FinetuneData(_Open):
    """What a finetune node holds; None means "choose for me"."""

    task: Task = "generation"
    text_field: str | None = None
    prompt_field: str | None = None
    target_field: str | None = None
    messages_field: str | None = None
    text_pair_field: str | None = None
    label_field: str | None = None
    template: str | None = None
    source_prefix: str | None = None
    group_field: str | None = None
    epochs: int = Field(3, ge=1, le=1000)
    batch_size: int = Field(8, ge=1, le=4096)
    max_length: int = Field(512, ge=4, le=1_000_000)
    subset_size: int | None = Field(1000, ge=2)
    max_new_tokens: int | None = Field(None, ge=1, le=100_000)
    eval_size: int = Field(1000, ge=1)
    method: Method = "full"
    lora_rank: int = Field(16, ge=1, le=1024)
    lora_alpha: float | None = Field(None, gt=0)
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    target_modules: list[str] | None = None
    learning_rate: float | None = Field(None, gt=0, le=10)
    scheduler: Scheduler = "linear"
    warmup_ratio: float = Field(0.03, ge=0, le=1)
    weight_decay: float = Field(0.0, ge=0, le=10)
    gradient_accumulation: int = Field(1, ge=1, le=4096)
    precision: Precision = "auto"
    gradient_checkpointing: bool | None = None
    processes: int = Field(1, ge=1, le=1024)
    class_weights: bool = False
    early_stopping: int | None = Field(None, ge=1)
    time_budget_minutes: float | None = Field(None, gt=0)
    analytics_budget: float = Field(0.1, ge=0, le=1)
    seed: int = Field(42, ge=0, le=2**32 - 1)
    sweep: dict[str, list[Any]] = {}
    accept: list[str] = []
    output_name: str | None = None


class NoteData(_Open):
    """What a note node holds."""

    text: str = ""


DATA_MODELS: dict[str, type[_Open]] = {
    "model": ModelData,
    "dataset": DatasetData,
    "finetune": FinetuneData,
    "note": NoteData,
}


class Position(BaseModel):
    """Where a node lies on the canvas, in canvas pixels."""

    x: float = 0
    y: float = 0


class Node(_Open):
    """One node; `data` is kept as drawn, so that a wrong value can be shown and mended."""

    id: str
    type: str
    label: str | None = None
    position: Position = Position()
    data: dict[str, Any] = {}

    @property
    def title(self) -> str:
        """What a sentence calls this node."""
        return self.label or {"finetune": "Finetuning"}.get(self.type, self.type.capitalize())


class Edge(_Open):
    """One connection from an output handle to an input handle."""

    id: str
    source: str
    sourceHandle: str | None = None  # noqa: N815  the name in the file
    target: str
    targetHandle: str | None = None  # noqa: N815


class Viewport(BaseModel):
    """What part of the canvas is in view."""

    x: float = 0
    y: float = 0
    zoom: float = 1


class Workflow(_Open):
    """A whole document."""

    format: Literal["easymodel.workflow"] = FORMAT
    version: Literal[1] = VERSION
    name: str = "Untitled"
    nodes: list[Node] = []
    edges: list[Edge] = []
    viewport: Viewport = Viewport()

    @classmethod
    def read(cls, document: object) -> Self:
        """Read a path, JSON text or dict, migrating older versions.

        Raises
        ------
        StudioError
            When it is no workflow, is unreadable, or comes from a newer version.

        """
        if isinstance(document, cls):
            return document
        raw = _as_dict(document)
        if _depth_over(raw, _DEEPEST):
            raise _too_deep()
        raw = throughout(_migrate(raw), kept)  # what signs in is never written; check() asks for it
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise StudioError(
                Problem(
                    code="workflow.invalid",
                    message=f"The workflow's {_where(detail)} cannot be read: {detail['msg']}.",
                )
                for detail in error.errors()
            ) from None

    def node(self, node_id: str) -> Node | None:
        """The node of that id, if there is one."""
        return next((node for node in self.nodes if node.id == node_id), None)

    def of_type(self, node_type: str) -> list[Node]:
        """Every node of one type, in document order."""
        return [node for node in self.nodes if node.type == node_type]

    def into(self, node_id: str, handle: str) -> list[Edge]:
        """The edges that end at one input handle."""
        return [e for e in self.edges if e.target == node_id and e.targetHandle == handle]

    def dump(self) -> dict[str, Any]:
        """The document as plain JSON values."""
        return self.model_dump(mode="json")


_DEEPEST = 64  # levels; a document has eight, and what walks one counts on its being few


def _depth_over(raw: object, limit: int) -> bool:
    """Whether lists and objects lie in each other deeper than that."""
    level: list[Any] = [raw]
    for _ in range(limit):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _too_deep() -> StudioError:
    return problem_error(
        "workflow.invalid",
        "The workflow is nested too deeply to be one. Save it again from the studio.",
    )


def _where(detail: Any) -> str:
    return ".".join(str(part) for part in detail["loc"]) or "text"


def _as_dict(document: object) -> dict[str, Any]:
    if isinstance(document, dict):
        return document
    if isinstance(document, Path) or (isinstance(document, str) and "{" not in document):
        document = read_text(Path(document))
    if isinstance(document, (str, bytes)):
        try:
            document = json.loads(document)
        except RecursionError:
            raise _too_deep() from None
        except ValueError as error:
            raise problem_error(
                "workflow.invalid",
                f"The workflow is not valid JSON ({error}). Save it again from the studio.",
            ) from None
    if not isinstance(document, dict):
        raise problem_error("workflow.invalid", "A workflow is a JSON object with nodes and edges.")
    return document


def read_text(path: Path) -> str:
    """The text of a file, or a StudioError that says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise problem_error("file.missing", f"There is no file at {path}.") from None
    except OSError as error:
        raise problem_error(
            "file.unreadable", f"{path} cannot be read: {error.strerror}."
        ) from None
    except UnicodeDecodeError as error:
        raise problem_error("file.unreadable", f"{path} cannot be read: {error}.") from None


# Each entry lifts a raw document from its version to the next one.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def refuse_newer(raw: dict[str, Any]) -> None:
    """Refuse a document of a newer version, of which nothing may be changed.

    Raises
    ------
    StudioError
        When it is one.

    """
    version = raw.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise problem_error(
            "workflow.newer",
            f"This workflow was saved by a newer EasyModel (document version {version}; this one "
            f"reads {VERSION}). Upgrade with: pip install -U easymodel-nb.",
        )


def _migrate(raw: dict[str, Any]) -> dict[str, Any]:
    if raw.get("format", FORMAT) != FORMAT:
        raise problem_error(
            "workflow.format", f"This is a {raw['format']!r} document, not a workflow."
        )
    version = raw.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise problem_error("workflow.invalid", f"The workflow's version {version!r} is no number.")
    refuse_newer(raw)
    while version < VERSION:
        raw = MIGRATIONS[version](raw)
        version = raw["version"]
    return raw
