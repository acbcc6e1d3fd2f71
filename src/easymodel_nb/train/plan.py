"""The plan: everything a run will do, complete and frozen, every choice with its reason."""

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from easymodel_nb import whole
from easymodel_nb.errors import problem_error
from easymodel_nb.workflow.document import FinetuneData

PLAN_FORMAT: Final = "easymodel.plan"


class Choice(BaseModel):
    """A value that was chosen for the user, and why."""

    field: str
    value: Any
    reason: str


class CodePlan(BaseModel):
    """Python code that came with a model and ran, as the user had allowed."""

    repo: str  # or the path of a folder
    commit: str  # or a digest of the folder's Python files
    files: dict[str, str]  # SHA-256 by name


class ModelPlan(BaseModel):
    """Which model is trained."""

    source: str
    run_of: str | None = None  # the finetune node whose result it is
    name: str
    kind: str
    path: str
    revision: str | None = None
    architecture: str
    parameters: int
    trainable: int | None = None  # of them and of the adapters; None in plans of before
    positions: int | None = None
    code: CodePlan | None = None  # None: no code that came with it ran


class DatasetPlan(BaseModel):
    """Which rows it is trained on and measured with."""

    source: str
    name: str
    kind: str
    revision: str | None = None
    fingerprint: str
    eval_fingerprint: str | None = None  # of the measured rows; None in plans of before
    train_split: str
    eval_split: str | None = None  # None: held out of the train split
    train_rows: int
    eval_rows: int
    dropped_rows: int = 0
    duplicate_rows: int = 0  # trained rows that repeat another one
    overlap_rows: int = 0  # measured rows that are trained on as well


class HeadPlan(BaseModel):
    """Where the model's last layer computes logits, and what becomes of them."""

    at: Literal["everywhere", "targets"] = "everywhere"
    rows: int | None = None  # targets whose logits exist at once; None: all of a batch
    softcap: float | None = None  # c of c * tanh(logits / c), after the scale; where in chunks
    scale: float = 1.0  # of the logits; where in chunks


class BatchPlan(BaseModel):
    """How rows become batches; the defaults are those of plans of before."""

    # Rows of like length in batches of equal many; every row at random; or batches of like rows
    # and as many tokens each.
    order: Literal["alike", "shuffled", "budgeted"] = "alike"
    layout: Literal["padded", "flat"] = "padded"  # flat: end to end in one row
    mask: Literal["always", "where needed", "never"] = "always"  # that a padded batch has
    first_position: int = 0  # that a flat batch counts from


class EmbeddingPlan(BaseModel):
    """Which rows of the input embedding are trained by themselves."""

    rows: int | None = None  # those of the training data's tokens; None: all, as before
    ids: str = ""  # a digest of these tokens


class RunPlan(BaseModel):
    """A frozen plan."""

    format: Literal["easymodel.plan"] = PLAN_FORMAT
    version: Literal[1] = 1
    run_id: str
    node_id: str
    request: dict[str, Any]
    task: str
    method: str
    finetune: FinetuneData
    model: ModelPlan
    dataset: DatasetPlan
    epochs: int
    train_examples: int
    steps_per_epoch: int
    max_steps: int
    eval_steps: list[int]  # where the model is measured, beside step 0
    sample_prompts: int
    max_new_tokens: int | None
    device: str
    processes: int = 1  # that share the rows of each batch
    choices: list[Choice]
    batches: BatchPlan = BatchPlan()
    # Rows of a batch as the run began; None: finetune.batch_size. It stays when
    # running out of memory makes batches smaller, so that each step learns the same rows.
    drawn_together: int | None = None
    head: HeadPlan = HeadPlan()  # plans of before: as it was then
    embedding: EmbeddingPlan = EmbeddingPlan()  # the same

    def write(self, folder: Path) -> None:
        """Freeze the plan in the run's folder."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1)
        whole.replace(folder / "plan.json", text + "\n")

    @classmethod
    def read(cls, folder: Path) -> "RunPlan | None":
        """The plan a run was frozen with; None before it was.

        Raises
        ------
        StudioError
            When it cannot be read, such as that of a later version.

        """
        try:
            return cls.model_validate_json((folder / "plan.json").read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise problem_error(
                "plan.invalid",
                "The plan of this run cannot be read: it is damaged, or from another version of "
                "EasyModel. Train its workflow again as a new run.",
            ) from None


def request_of(plan: dict[str, Any]) -> dict[str, Any]:
    """The request a plan was made from, with every value it chose, for a new run of it."""
    request: dict[str, Any] = json.loads(json.dumps(plan["request"]))
    request["node"]["data"] = {**request["node"]["data"], **plan["finetune"]}
    if plan["model"].get("revision") and "data" in request["model"]:
        request["model"]["data"]["revision"] = plan["model"]["revision"]
    if plan["dataset"].get("revision"):
        request["dataset"]["data"]["revision"] = plan["dataset"]["revision"]
    return request
