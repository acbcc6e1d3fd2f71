"""The state the workbench sees: one model a trait, each a whole snapshot.

TypeScript types are generated from these models, so a change here is a change
of the protocol. Every snapshot carries `seq`, which grows with each change: the
view names the ones it has when it pulls, and is sent what it missed.
"""

from typing import Any, Literal

from pydantic import BaseModel

from easymodel_nb.errors import Problem
from easymodel_nb.runlog.view import StageView, Status
from easymodel_nb.secrets import TokenOrigin
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.workflow.document import Workflow

Theme = Literal["auto", "light", "dark"]
TRAITS = ("document", "projects", "runs", "problems", "catalog", "beat")


class Snapshot(BaseModel):
    """What every trait holds at least."""

    seq: int = 0


class Held(BaseModel):
    """Another process has the open project, so here it can only be read."""

    by: str  # as the banner names it: "notes.ipynb on this machine"
    since: str  # ISO time


class DocumentState(Snapshot):
    """The active project's document at a revision."""

    project_id: str = ""
    rev: int = 0
    document: Workflow = Workflow()
    held: Held | None = None


class ProjectItem(BaseModel):
    """One line of the project list."""

    id: str
    name: str
    last_run: str | None = None  # ISO time
    training: float | None = None  # 0 to 1 while one of its runs is active


class TrashItem(BaseModel):
    """One project that was deleted."""

    id: str
    name: str
    deleted: str | None = None  # ISO time


class MirrorQuestion(BaseModel):
    """A full checkpoint, which is copied once the user agreed to its size."""

    run: str
    step: int
    bytes: int


class Mirror(BaseModel):
    """The copy of the home on a synced folder, such as Google Drive."""

    place: str  # as the toolbar names it: "Drive"
    saved: str | None = None  # ISO time: all that was there then is copied and read back
    pending: bool = False  # something changed since, or is being copied
    problem: str | None = None  # why the last copying failed, and what one can do
    note: str | None = None  # what is being brought from there
    questions: list[MirrorQuestion] = []
    declined: list[MirrorQuestion] = []  # what is kept here, as the user said
    free: int | None = None  # bytes, where that can be told
    safe: dict[str, int] = {}  # by run: the step of its newest checkpoint that is there
    away: dict[str, int] = {}  # by run: bytes of models and checkpoints that are there alone


class Keeping(BaseModel):
    """Whether what one does here is kept."""

    problem: str | None = None  # why projects are in memory alone, until they can be saved
    mirror: Mirror | None = None


class ProjectsState(Snapshot):
    """The project list and which one is open; in the trash, the last deleted first."""

    active: str = ""
    items: list[ProjectItem] = []
    trash: list[TrashItem] = []
    keeping: Keeping = Keeping()


class RunCard(BaseModel):
    """One run of the active project, as the node and the inspector show it."""

    id: str
    node_id: str
    status: Status
    created: str
    started: str | None = None
    ended: str | None = None
    stage: StageView = StageView()
    fraction: float | None = None  # share of all steps done, 0 to 1
    step: int = 0
    max_steps: int = 0
    epoch: float = 0.0
    epochs: float = 0.0
    loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None
    queue_position: int | None = None  # 0 is next
    spark: list[float] = []  # training loss, at most 160 points
    summary: str = ""  # what was trained, in one line: "Generation, 3 epochs, batch 8, 900 rows"
    headline: str | None = None  # what came of it: "Validation perplexity fell from 212 to 13.2"
    reason: str | None = None  # why it was stopped
    problem: Problem | None = None
    warnings: list[Problem] = []
    model_path: str | None = None
    method: str = "full"
    resumable: int | None = None  # the step it would go on from; None: it cannot
    resumed_from: int | None = None  # the step its last attempt went on from
    variant: str = ""  # of a sweep: "learning_rate 1e-05"
    sweep: str | None = None  # the first run of that sweep
    metric: str = ""  # the number it is judged by: "validation perplexity"
    result: str = ""  # that number with its interval: "13.2 (12.6 to 13.8)"
    best: bool = False  # of its sweep, by the paired intervals with each of the others
    waits_for: str | None = None  # while queued: the node whose run has to end first


class Job(BaseModel):
    """Long work on a run: packing its model or its report, merging, sending, measuring."""

    id: str
    kind: Literal["zip", "merged", "push", "report", "measure"]
    run: str
    state: Literal["waiting", "working", "done", "failed", "cancelled"] = "waiting"
    message: str = ""
    done: float | None = None
    total: float | None = None  # bytes
    problem: Problem | None = None
    path: str | None = None  # what was made, on this machine
    url: str | None = None  # where it was sent


class QueueItem(BaseModel):
    """A run that waits or is under way, of any project of this home."""

    run: str
    node_id: str
    project_id: str | None
    project: str  # its name; empty for a run without a project
    title: str  # of the node
    variant: str = ""  # of a sweep
    place: int | None = None  # 0 is next; None: under way, or in the queue of another process
    waits_for: str | None = None  # the node whose run has to end first
    fraction: float | None = None  # of all steps, in whole percents


class RunsState(Snapshot):
    """The runs of the active project, newest first; `shown` is the dashboard's."""

    items: list[RunCard] = []
    jobs: list[Job] = []
    shown: str | None = None
    queue: int = 0  # waiting runs in all projects
    under_way: list[QueueItem] = []  # in all projects, also of other processes
    waiting: list[QueueItem] = []  # in all projects, next first


class ProblemsState(Snapshot):
    """What check() says of the document at `rev`."""

    rev: int = 0
    items: list[Problem] = []
    audits: dict[str, Audit] = {}  # by finetune node


class SourceOption(BaseModel):
    """A source that can be chosen from a list."""

    source: str
    title: str
    detail: str = ""
    tasks: list[str] = []  # what it is made for; empty when nobody said
    origin: Literal["builtin", "cache", "folder", "hub"] = "builtin"
    offline: bool = True  # whether it trains without a network
    gated: bool = False


class Variable(BaseModel):
    """A variable of the notebook that can be trained on."""

    name: str
    kind: str  # DataFrame, Dataset, list ...
    rows: int | None = None
    columns: list[str] = []


class TemplateOption(BaseModel):
    """A project that trains as it is; `name` is what `project_new` takes."""

    name: str
    title: str
    detail: str = ""
    hub: bool = False  # model and data are downloaded first


class Guess(BaseModel):
    """How a file was read where the document leaves it open: `field` of its format, and why."""

    field: str  # delimiter, encoding, header; train_split, eval_split
    value: str | bool | None
    reason: str = ""


class SplitFacts(BaseModel):
    """One split of a dataset."""

    name: str
    rows: int | None = None


class FactDetail(BaseModel):
    """One fact with its name: "Licence", "mit"."""

    name: str
    value: str


class CodeFileFacts(BaseModel):
    """One Python file that comes with a model."""

    name: str
    bytes: int


class CodeFacts(BaseModel):
    """The code that a model works only with; it runs once the user has allowed it."""

    repo: str  # or the path of a folder
    commit: str  # or a digest of the folder's Python files
    files: list[CodeFileFacts]
    digest: str  # of all files: what a consent is given to
    page: str = ""  # where they can be read on the Hub; empty of a folder
    allowed: str | None = None  # ISO time; None: it is not


class SourceFacts(BaseModel):
    """What is known of the source of one model or dataset node."""

    source: str
    state: Literal["unknown", "checking", "ok", "problem"] = "unknown"
    lines: list[str] = []  # at most two facts
    columns: list[str] = []
    rows: list[list[str]] = []  # first rows, each cell cut to 200 characters
    total_rows: int | None = None
    roles: dict[str, str] = {}  # field -> column that null would choose
    reasons: dict[str, str] = {}  # field -> why that column
    candidates: dict[str, list[str]] = {}  # field -> columns that could be it, likeliest first
    guesses: list[Guess] = []
    splits: list[SplitFacts] = []
    notes: list[str] = []  # what was done to the data: "3 blank rows were left out."
    tasks: list[str] = []  # what a model can be trained for
    details: list[FactDetail] = []  # what the lines leave out, by name
    configs: list[str] = []  # configurations, where there are several
    page: str = ""  # its page on the Hub
    code: CodeFacts | None = None  # the Python files that a model works only with
    offline: str = ""  # in one line, why only what is on this machine is told
    problem: Problem | None = None


class Catalog(Snapshot):
    """Everything that rarely changes: the machine, the choices, what is known of sources."""

    version: str = ""
    host: str = "python"
    device: str = ""
    gpus: int = 1  # that a run can use at once
    home: str = ""
    theme: Theme = "auto"
    height: int = 640
    token_origin: TokenOrigin = "none"  # noqa: S105  where it came from, not what it is
    models: list[SourceOption] = []
    datasets: list[SourceOption] = []
    variables: list[Variable] = []  # of the notebook, at the last look
    templates: list[TemplateOption] = []
    tasks: list[str] = []
    methods: list[str] = []
    facts: dict[str, SourceFacts] = {}  # by node id
    first_project: str | None = None  # its finetune node starts open
    notice: str | None = None


class Beat(Snapshot):
    """The kernel lives; `moved` says that a newer cell has taken over."""

    time: str = ""
    active: bool = False  # a run or a job waits or is under way
    moved: bool = False


STATE_MODELS: dict[str, type[Snapshot]] = {
    "document": DocumentState,
    "projects": ProjectsState,
    "runs": RunsState,
    "problems": ProblemsState,
    "catalog": Catalog,
    "beat": Beat,
}


def dump(state: Snapshot) -> dict[str, Any]:
    """A snapshot as the plain values a trait holds."""
    return state.model_dump(mode="json")
