"""`train()`: the whole trainer as one blocking call, without widgets."""

import json
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.runlog.events import Event, StopReason, finite
from easymodel_nb.runlog.run import Run
from easymodel_nb.secrets import TokenHolder
from easymodel_nb.train import manager as managers
from easymodel_nb.train.auditing import gate
from easymodel_nb.train.distributed.runner import ASKED as PROCESSES
from easymodel_nb.train.manager import manager_of
from easymodel_nb.train.plan import PLAN_FORMAT, request_of
from easymodel_nb.trust import giving
from easymodel_nb.workflow.document import Workflow, read_text

__all__ = ["resume", "stop_all", "train"]


def train(
    workflow: str | os.PathLike[str] | dict[str, Any] | Workflow,
    *,
    node: str | None = None,
    home: str | os.PathLike[str] | None = None,
    token: str | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    on_ask: Callable[[list[Problem]], None] | None = None,
    trust_code: Iterable[str] = (),
    processes: int | None = None,
) -> list[Run]:
    """Train one finetune node of a workflow, or all of them in topological order; blocks.

    Parameters
    ----------
    workflow
        A path, a dict or a Workflow; or a plan, which is trained as it stands.
    node
        The id of one finetune node; None is all of them.
    home
        Where runs are kept; None is EASYMODEL_HOME or the user's data folder.
    token
        A Hub token; None uses the one of `hf auth login`, HF_TOKEN or Colab.
    on_event
        Called with every event (a dict) after it is in the log, from another thread.
    on_ask
        Called with what the audits ask and nobody has accepted, before training goes on; None
        warns (`warnings.warn`).
    trust_code
        Models whose own Python code may run, each as "REPO@COMMIT" with the whole commit; it is
        remembered in the home.
    processes
        On how many processes of this machine each run trains; None: one a GPU, as many as its node
        says. Under `torchrun` it is those that there are.

    Returns
    -------
    list[Run]
        One run a node, or one for each combination of its sweep, failed ones included;
        dependents of a failed run are skipped.

    Raises
    ------
    StudioError
        When the workflow is invalid or an audit is red, before any run is created.

    """
    manager = manager_of(environment.writable_home(home))
    holder = TokenHolder()
    holder.type_in(token)
    tell = _teller(on_event)
    document = _read(workflow)
    giving.allow_named(manager.home, [*trust_code, *giving.from_environment()])
    asked = gate.look(document, node, manager.home, holder.token)
    if asked:
        (on_ask or _warn)(asked)
    if isinstance(document, Workflow):
        runs = manager.submit(
            document, node, token=holder.token, on_event=tell, processes=processes
        )
    else:
        request = request_of(document)
        if processes is not None:
            request[PROCESSES] = processes
        runs = [manager.submit_request(request, token=holder.token, on_event=tell)]
    return [manager.wait(run.id) for run in runs]


def resume(
    run_id: str,
    *,
    home: str | os.PathLike[str] | None = None,
    token: str | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    trust_code: Iterable[str] = (),
    processes: int | None = None,
) -> Run:
    """Go on with a run that was interrupted, stopped or failed, from its checkpoint; blocks.

    Its frozen plan holds. `on_event` hears the new events alone; the rest is as for `train`.

    Raises
    ------
    StudioError
        When there is no such run, or nothing to resume.

    """
    manager = manager_of(environment.writable_home(home))
    holder = TokenHolder()
    holder.type_in(token)
    giving.allow_named(manager.home, [*trust_code, *giving.from_environment()])
    run = manager.resume(
        run_id, token=holder.token, on_event=_teller(on_event), processes=processes
    )
    return manager.wait(run.id)


def stop_all(reason: StopReason) -> None:
    """Ask everything of this process to stop: the audits before the runs, and the runs."""
    gate.stop()
    managers.stop_all(reason)


def _warn(asked: list[Problem]) -> None:
    for problem in asked:
        warnings.warn(f"{problem.node}: {problem.message}", stacklevel=3)


def _teller(on_event: Callable[[dict[str, Any]], None] | None) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if on_event is not None:
            on_event(finite(event.model_dump(mode="json")))

    return tell


def _read(source: Any) -> Workflow | dict[str, Any]:
    """The workflow, or the dict of a plan, told apart by `format`."""
    if isinstance(source, Workflow):
        return source
    raw = source
    if not isinstance(source, dict):
        path = Path(source)
        try:
            raw = json.loads(read_text(path))
        except ValueError as error:
            raise problem_error(
                "workflow.invalid", f"{path.name} is not valid JSON ({error})."
            ) from None
    if isinstance(raw, dict) and raw.get("format") == PLAN_FORMAT:
        try:
            whole = raw.get("version") == 1 and {"node", "model", "dataset"} <= {*request_of(raw)}
        except (KeyError, TypeError, AttributeError):  # a part that is missing, or no object
            whole = False
        if not whole:
            raise problem_error(
                "plan.invalid", "This plan is incomplete or from another version of EasyModel."
            )
        return raw
    return Workflow.read(raw)
