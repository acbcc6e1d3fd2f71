"""The vocabulary of commands: what each takes and answers; in METHODS stand all of them."""

from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from easymodel_nb.errors import Problem
from easymodel_nb.report.compare_view import Along
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.widgets.pages import Shows
from easymodel_nb.widgets.state import RunCard, SourceOption, Theme


class Params(BaseModel):
    """What a command takes; nothing else may come along."""

    model_config = ConfigDict(extra="forbid")


class Buffered(Params):
    """Parameters that come with bytes of their own, beside the JSON."""

    _buffer: memoryview = PrivateAttr(default_factory=lambda: memoryview(b""))

    @property
    def buffer(self) -> memoryview:
        """The bytes; empty when none came."""
        return self._buffer

    def attach(self, buffer: memoryview) -> None:
        """Keep the bytes that came along."""
        self._buffer = buffer


class Empty(Params):
    """No parameters, or nothing to say."""


class PullParams(Params):
    """The `seq` of each trait the view has, and what of the studio can be seen in its page."""

    seen: dict[str, int] = {}
    page: str = ""  # one open page; without, nothing is said of what it shows
    shows: Shows = "canvas"


class CommitParams(Params):
    """The working copy, and the revision it was made from."""

    project_id: str
    client: str
    base_rev: int
    document: dict[str, Any]


class CommitResult(BaseModel):
    """The revision the document has now."""

    rev: int


class TrainParams(Params):
    """`node` None trains every finetune node; `rev` is the document the view means."""

    node: str | None = None
    rev: int | None = None


class TrainResult(BaseModel):
    """The queued runs, in the order in which they will start."""

    runs: list[str]


class StopParams(Params):
    """`run` None stops every active run, or those of one project."""

    run: str | None = None
    project_id: str | None = None


class QueueMoveParams(Params):
    """A waiting run and its new place; 0 is next."""

    run: str
    place: int = Field(ge=0)


class ProjectParams(Params):
    """One project."""

    project_id: str


class ProjectNewParams(Params):
    """`template` None is an empty canvas, else one of the catalog's templates."""

    name: str | None = None
    template: str | None = None


class ProjectRenameParams(Params):
    """A project and its new name."""

    project_id: str
    name: str


class ProjectMoveParams(Params):
    """A project and the one it is put before in the list; None: at the end."""

    project_id: str
    before: str | None = None


class ProjectExportParams(Params):
    """A project for one file; `paths` of this machine go along only when asked for."""

    project_id: str
    paths: bool = False


class ProjectExportResult(BaseModel):
    """The file, and in words what was left out of it."""

    name: str
    text: str
    left_out: list[str] = []


class ProjectImportParams(Params):
    """The text of an exported project; `open`: whether it is gone to."""

    text: str
    open: bool = True


class ProjectImportResult(BaseModel):
    """The new project, and in words what has to be chosen again in it."""

    project_id: str
    missing: list[str] = []


class TrashParams(Params):
    """What is thrown away for good; None is everything in the trash."""

    project_ids: list[str] | None = None


class ProjectResult(BaseModel):
    """The project that is open now."""

    project_id: str


class SettingsParams(Params):
    """Settings to remember; absent ones stay."""

    theme: Theme | None = None


class TokenParams(Params):
    """A Hub token to hold in memory; empty forgets it."""

    token: str | None = None


class RunParams(Params):
    """One run."""

    run: str


class SamplesViewParams(RunParams):
    """What is shown of a run's samples; what is absent stays, but the page begins anew."""

    epoch: float | None = None
    sort: str | None = None
    search: str | None = Field(None, max_length=500)
    page: int | None = Field(None, ge=0)


class CompareViewParams(Params):
    """Which runs of the open project are compared, and how; what is absent stays."""

    open: bool | None = None
    runs: list[str] | None = Field(None, max_length=64)
    reference: str | None = None
    along: Along | None = None
    metric: str | None = None


class TryParams(RunParams):
    """A text of the user's for the base and the tuned model of a run."""

    text: str = Field(max_length=100_000)
    pair: str = Field("", max_length=100_000)


class RunDestination(BaseModel):
    """One host, and in words what it is and how often it was reached."""

    where: str
    said: str


class RunDestinations(BaseModel):
    """Where a run's data went; `unseen` says what could not be recorded."""

    sentence: str
    found: list[RunDestination] = []
    unseen: list[str] = []


class RunDetails(BaseModel):
    """What the inspector shows of a run: what was drawn, every choice with its reason, its log."""

    request: dict[str, Any] = {}
    plan: dict[str, Any] | None
    detail: str
    log: list[str]
    metrics: list[dict[str, Any]]
    destinations: RunDestinations | None = None  # None: nobody recorded them


class NodeRunsParams(Params):
    """A node of the open project; `before` is the oldest run that is known."""

    node: str
    before: str | None = None


class NodeRunsResult(BaseModel):
    """Its runs before that, newest first, at most 20; `more` says that there are others."""

    runs: list[RunCard]
    more: bool = False


class NodeParams(Params):
    """One finetune node of the document at `rev`."""

    node: str
    rev: int | None = None


class AuditResult(BaseModel):
    """What the gate says of the node now; while it is being checked, the state says so."""

    audit: Audit


class ResumeParams(Params):
    """A run that was interrupted, stopped or has failed."""

    run: str


class ExportParams(NodeParams):
    """A finetune node as code."""

    to: Literal["script", "notebook"] = "script"


class ExportResult(BaseModel):
    """A file for the user to keep; while `writing` there is none yet: ask again."""

    name: str = ""
    text: str = ""
    writing: bool = False


class TakeParams(Params):
    """The model of a run to take away: packed as it is, or merged with its base first."""

    run: str
    what: Literal["zip", "merged"] = "zip"


class PushParams(Params):
    """The model of a run for the Hub; `repo` is a name or owner/name."""

    run: str
    repo: str
    private: bool = True
    merged: bool = False


class PushPlanResult(BaseModel):
    """What a push would send, and where: shown before anything is sent."""

    repo: str
    private: bool
    files: list[dict[str, Any]] = []  # name, bytes
    bytes: int = 0
    licence: str = ""
    card: str = ""  # the README.md that is sent along
    problems: list[Problem] = []
    checking: bool = False  # the Hub is being asked: ask again


class JobResult(BaseModel):
    """Long work that goes on; its state is in `runs.jobs`."""

    job: str


class JobParams(Params):
    """One job."""

    job: str


class DownloadPartParams(Params):
    """A finished zip, and where to go on."""

    job: str
    offset: int = Field(ge=0)


class DownloadPartResult(BaseModel):
    """At most 1 MiB of the zip, as the message's buffer; `total` is the size of the whole."""

    total: int
    _buffer: bytes = PrivateAttr(default=b"")

    @classmethod
    def of(cls, data: bytes, total: int) -> Self:
        """The answer that carries these bytes."""
        made = cls(total=total)
        made._buffer = data
        return made

    @property
    def buffer(self) -> bytes:
        """The bytes."""
        return self._buffer


class UploadBeginParams(Params):
    """A file of the user's; `sha256` in hex, or None when it is not known yet."""

    name: str
    size: int = Field(ge=0)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class UploadBeginResult(BaseModel):
    """`path` is set when the same file is here already: then nothing is to be sent."""

    id: str
    path: str | None = None


class UploadChunkParams(Buffered):
    """At most 1 MiB of the file, as the message's buffer; sending a part again does no harm."""

    id: str
    offset: int = Field(ge=0)


class UploadChunkResult(BaseModel):
    """How many bytes are here, from the start on."""

    received: int


class UploadEndParams(Params):
    """`sha256` where it was not known at the begin."""

    id: str
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class UploadEndResult(BaseModel):
    """Where the file lies now: what a dataset node's source is set to."""

    path: str


class UploadParams(Params):
    """One upload."""

    id: str


class MirrorCheckpointsParams(Params):
    """Whether the full checkpoints of a run are copied to the mirror."""

    run: str
    agreed: bool


class WithdrawParams(Params):
    """What is no longer allowed, of a repository (or the path of a folder) at one commit."""

    kind: Literal["pickled", "code"]
    repo: str = Field(pattern=r"^([\w.-]+(/[\w.-]+)?|(/|[A-Za-z]:[\\/]).*)$", max_length=4096)
    commit: str = Field(pattern="^[0-9a-f]{7,64}$")


class ConsentParams(WithdrawParams):
    """What is allowed; of code, `digest` is that of the files that were shown."""

    digest: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class ConsentItem(BaseModel):
    """One thing that the user allowed on this machine."""

    kind: Literal["pickled", "code"]
    repo: str
    commit: str
    files: list[str] = []
    given: str = ""  # ISO time


class ConsentsResult(BaseModel):
    """All that was allowed, the last first."""

    items: list[ConsentItem] = []


class SuggestParams(Params):
    """What was typed as a source; `task` is that of the node it feeds."""

    kind: Literal["model", "dataset"]
    text: str = Field(max_length=500)
    task: str | None = None


class SuggestResult(BaseModel):
    """What may be meant, from this machine and the Hub; while `checking`, ask again."""

    items: list[SourceOption] = []
    checking: bool = False
    offline: str | None = None  # in one line, why the Hub was not searched


class Method(NamedTuple):
    """One command: what it takes, what it answers, what it is for."""

    params: type[BaseModel]
    result: type[BaseModel]
    purpose: str


METHODS: dict[str, Method] = {
    "pull": Method(PullParams, Empty, "send every trait the view has not got"),
    "commit": Method(
        CommitParams, CommitResult, "save the working copy; errors `conflict`, `held`"
    ),
    "train": Method(TrainParams, TrainResult, "queue runs; errors `stale`, `refused`"),
    "stop": Method(StopParams, Empty, "stop one run, those of a project, or all of them"),
    "queue_move": Method(QueueMoveParams, Empty, "put a waiting run at another place"),
    "node_runs": Method(NodeRunsParams, NodeRunsResult, "earlier runs of a node"),
    "project_new": Method(ProjectNewParams, ProjectResult, "create a project and open it"),
    "project_rename": Method(ProjectRenameParams, Empty, "rename a project"),
    "project_switch": Method(ProjectParams, ProjectResult, "open a project"),
    "project_duplicate": Method(ProjectParams, ProjectResult, "copy a project and open the copy"),
    "project_move": Method(ProjectMoveParams, Empty, "change a project's place in the list"),
    "project_delete": Method(ProjectParams, ProjectResult, "move a project to the trash"),
    "project_restore": Method(ProjectParams, Empty, "take a project out of the trash"),
    "trash_empty": Method(TrashParams, Empty, "throw deleted projects away for good"),
    "project_export": Method(ProjectExportParams, ProjectExportResult, "a project as one file"),
    "project_import": Method(
        ProjectImportParams, ProjectImportResult, "make a project of such a file and open it"
    ),
    "project_take": Method(ProjectParams, Empty, "edit here what another notebook has open"),
    "mirror_save": Method(Empty, Empty, "save to the mirror now, and look whether all is there"),
    "mirror_checkpoints": Method(
        MirrorCheckpointsParams, Empty, "copy a run's full checkpoints to the mirror, or not"
    ),
    "settings": Method(SettingsParams, Empty, "remember settings"),
    "token": Method(TokenParams, Empty, "hold or forget a Hub token"),
    "show_run": Method(RunParams, Empty, "show a run in the dashboard"),
    "samples_view": Method(SamplesViewParams, Empty, "choose what is shown of a run's samples"),
    "compare_view": Method(CompareViewParams, Empty, "choose which runs are compared, and how"),
    "try_prompt": Method(TryParams, Empty, "let base and tuned answer a text; state follows"),
    "try_stop": Method(Empty, Empty, "stop the answers to a text"),
    "run_details": Method(RunParams, RunDetails, "the plan, log and numbers of a run"),
    "variables": Method(Empty, Empty, "look again at variables and files"),
    "suggest": Method(
        SuggestParams, SuggestResult, "sources that a typed text may mean; again while `checking`"
    ),
    "consent": Method(ConsentParams, Empty, "allow a repository what it was asked about"),
    "consents": Method(Empty, ConsentsResult, "what was allowed on this machine"),
    "consent_withdraw": Method(WithdrawParams, Empty, "allow it no longer"),
    "look_again": Method(Empty, Empty, "ask the Hub anew about what it refused or did not answer"),
    "audit": Method(NodeParams, AuditResult, "what the gate says of a node; error `stale`"),
    "fit_check": Method(NodeParams, Empty, "measure time and memory of a node; error `stale`"),
    "resume": Method(ResumeParams, TrainResult, "go on with a run from its last checkpoint"),
    "export": Method(ExportParams, ExportResult, "a node as plain code; again while `writing`"),
    "take": Method(TakeParams, JobResult, "pack a run's model for download, or merge it"),
    "report": Method(RunParams, JobResult, "pack a run's report for download"),
    "measure": Method(RunParams, JobResult, "judge the answers a run kept; the judge is got first"),
    "push_plan": Method(
        PushParams, PushPlanResult, "what a push would send, and where; again while `checking`"
    ),
    "push": Method(PushParams, JobResult, "send a run's model to the Hub"),
    "job_cancel": Method(JobParams, Empty, "end a job"),
    "download_part": Method(
        DownloadPartParams, DownloadPartResult, "send a part of a packed model, as a buffer"
    ),
    "upload_begin": Method(UploadBeginParams, UploadBeginResult, "announce a file"),
    "upload_chunk": Method(UploadChunkParams, UploadChunkResult, "send a part of it, as a buffer"),
    "upload_end": Method(UploadEndParams, UploadEndResult, "check it and put it in its place"),
    "upload_cancel": Method(UploadParams, Empty, "forget an upload"),
}


def table() -> str:
    """The vocabulary as a Markdown table, for docs/architecture.md."""
    rows = [
        f"| `{name}` | {_fields(m.params)} | {_fields(m.result)} | {m.purpose} |"
        for name, m in METHODS.items()
    ]
    return "\n".join(["| method | params | result | purpose |", "|---|---|---|---|", *rows])


def _fields(model: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in model.model_fields) or "none"
