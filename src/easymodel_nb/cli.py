"""The `easymodel` command: train, demo, doctor.

Exit codes: 0 all finished; 1 a run failed; 2 refused before the start; 130 after
SIGINT or SIGTERM. With --json, stdout carries the events of the log and nothing else.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easymodel_nb import __version__
from easymodel_nb.environment import started_by_torchrun
from easymodel_nb.errors import Problem, StudioError, problem_error

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.workflow.document import Workflow

FINISHED, FAILED, REFUSED, SIGNALLED = 0, 1, 2, 130
PLAN_FORMAT = "easymodel.plan"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.run in {_train, _demo} and started_by_torchrun():
            return _one_of_several(options)
        return int(options.run(options))
    except KeyboardInterrupt:
        return SIGNALLED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="easymodel", description="Fine-tune Hugging Face models without writing code."
    )
    parser.add_argument("--version", action="version", version=f"easymodel-nb {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train the nodes of a workflow, or a plan")
    train.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a workflow or a plan")
    train.add_argument("--node", metavar="ID", help="train this Finetuning node only")
    train.add_argument("--resume", metavar="RUN", help="go on with a run from its checkpoint")
    train.add_argument(
        "--processes",
        type=_count,
        metavar="N",
        help="train on so many processes of this machine, whatever the nodes say",
    )
    _add_common(train)
    train.set_defaults(run=_train)

    demo = commands.add_parser("demo", help="train a built-in model on built-in data, offline")
    demo.add_argument(
        "task",
        nargs="?",
        default="generation",
        metavar="TASK",
        help="generation (if none is named), classification, token_classification or seq2seq",
    )
    _add_common(demo)
    demo.set_defaults(run=_demo)

    export = commands.add_parser("export", help="write a workflow as a script or notebook")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument("--node", metavar="ID")
    export.add_argument("--to", choices=["script", "notebook"], default="script")
    export.add_argument("--home", type=Path, metavar="DIR", help="where projects and runs lie")
    export.add_argument("-o", "--output", type=Path, metavar="OUT")
    export.set_defaults(run=_export, json=False)

    doctor = commands.add_parser("doctor", help="say what this machine has, and what is in the way")
    doctor.add_argument("--home", type=Path, metavar="DIR", help="where projects and runs lie")
    doctor.set_defaults(run=_doctor)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, metavar="DIR", help="where projects and runs lie")
    parser.add_argument("--json", action="store_true", help="write the events as JSON lines")
    parser.add_argument(
        "--trust-code",
        action="append",
        default=[],
        metavar="REPO@COMMIT",
        help="let the Python code of this model run, as it is at this commit; it is remembered",
    )


def _train(options: argparse.Namespace) -> int:
    try:
        if options.resume is not None:  # its plan is frozen, so that no workflow is read
            return _run({}, options, resume=options.resume)
        if options.file is None:
            raise problem_error(
                "file.missing", "Name the workflow to train: easymodel train my-workflow.json."
            )
        document = _read(options.file)
    except StudioError as error:
        return _refuse(error, as_json=options.json)
    return _run(document, options, node=options.node)


def _one_of_several(options: argparse.Namespace) -> int:
    """Torchrun has started several of us: the first trains, and the others help it."""
    from easymodel_nb import environment  # noqa: PLC0415
    from easymodel_nb.train.distributed.command import lead_or_help  # noqa: PLC0415

    try:
        home = environment.writable_home(options.home)
        return lead_or_help(home, lambda: int(options.run(options)))
    except StudioError as error:
        return _refuse(error, as_json=options.json)


def _demo(options: argparse.Namespace) -> int:
    from easymodel_nb import builtin  # noqa: PLC0415
    from easymodel_nb.store.templates import TEMPLATES  # noqa: PLC0415

    try:
        if options.task not in TEMPLATES:
            raise problem_error(
                "task.unknown",
                f"There is no demo of {options.task!r}. There is one of: {', '.join(TEMPLATES)}.",
            )
        workflow = TEMPLATES[options.task]()
        for node in workflow.of_type("model"):
            try:  # before torch is imported: what is missing is told at once
                builtin.path(node.data["source"].removeprefix("builtin:"))
            except LookupError as error:
                raise problem_error(
                    "source.builtin", str(error), node=node.id, field="source"
                ) from None
    except StudioError as error:
        return _refuse(error, as_json=options.json)
    return _run(workflow.dump(), options)


def _export(options: argparse.Namespace) -> int:
    from easymodel_nb.train.export import export  # noqa: PLC0415
    from easymodel_nb.workflow.document import Workflow  # noqa: PLC0415

    try:
        document = _read(options.file)
        if document.get("format") == PLAN_FORMAT:
            raise problem_error(
                "export.plan", f"{options.file} is a plan. Name the workflow it was made from."
            )
        workflow = Workflow.read(document)
        name, text = export(workflow, _only_node(workflow, options.node), options.to, options.home)
    except StudioError as error:
        return _refuse(error, as_json=False)
    target = options.output or Path(name)
    target = target / name if target.is_dir() else target
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        return _refuse(
            problem_error("export.unwritable", f"{target} cannot be written: {error.strerror}."),
            as_json=False,
        )
    print(f"Written to {target}")  # noqa: T201
    return FINISHED


def _only_node(workflow: "Workflow", named: str | None) -> str:
    """The node that is named, or the only Finetuning node."""
    there = [node.id for node in workflow.of_type("finetune")]
    if named is None and len(there) > 1:
        raise problem_error(
            "node.unclear",
            f"There are several Finetuning nodes: {', '.join(there)}. Name one with --node.",
        )
    return named or (there[0] if there else "")


def _doctor(options: argparse.Namespace) -> int:
    from easymodel_nb.doctor import report  # noqa: PLC0415

    return report(options.home)


def _read(path: Path) -> dict[str, Any]:
    """The workflow or plan in a file, as plain JSON values."""
    from easymodel_nb.workflow.document import Workflow, read_text  # noqa: PLC0415

    try:
        raw = json.loads(read_text(path))
    except ValueError as error:
        raise problem_error(
            "workflow.invalid",
            f"{path.name} is not valid JSON ({error}). Save it again from the studio.",
        ) from None
    if isinstance(raw, dict) and raw.get("format") == PLAN_FORMAT:
        return raw
    return Workflow.read(raw).dump()


def _run(
    document: dict[str, Any],
    options: argparse.Namespace,
    node: str | None = None,
    resume: str | None = None,
) -> int:
    """Train, or go on with a run, showing events, until all runs ended or a signal came."""
    from easymodel_nb import environment  # noqa: PLC0415
    from easymodel_nb.terminal import Display, JsonLines, display, stop_on_signal  # noqa: PLC0415

    try:
        home = environment.writable_home(options.home)
        trusted = options.trust_code
        processes = getattr(options, "processes", None)
        shown: Display = JsonLines() if options.json else display(home)
        with shown, stop_on_signal() as signals:
            from easymodel_nb.train import api  # noqa: PLC0415

            if resume is not None:
                runs = [
                    api.resume(
                        resume,
                        home=home,
                        on_event=shown.event,
                        trust_code=trusted,
                        processes=processes,
                    )
                ]
            else:
                runs = api.train(
                    document,
                    node=node,
                    home=home,
                    on_event=shown.event,
                    on_ask=_ask,
                    trust_code=trusted,
                    processes=processes,
                )
    except StudioError as error:
        return _refuse(error, as_json=options.json)
    _explain(runs, as_json=options.json)
    _say_of_the_mirror(home)
    if signals.received:
        return SIGNALLED
    return FINISHED if all(run.status == "finished" for run in runs) else FAILED


def _explain(runs: list["Run"], *, as_json: bool) -> None:
    """Say where the models are, and on stderr what became of the runs that did not finish."""
    from easymodel_nb.workflow.sweeps import spelled  # noqa: PLC0415

    for run in runs:
        view = run.view
        variant = spelled(view.request.get("variant") or {})
        which = f" of {variant}" if variant else ""
        if run.model_path is not None and not as_json:
            print(f"The model{which} is in {run.model_path}")  # noqa: T201
        if view.problem is not None:
            _say(f"Run {run.id}{which} failed: {view.problem.message}")
        elif view.status != "finished":
            told = [w.message for w in view.warnings if w.severity == "error"]
            why = f": {told[-1]}" if view.reason == "sentinel" and told else "."
            if isinstance(skipped := view.summary.get("why"), str):  # what it was to continue
                why = f": {skipped}"
            if view.reason == "time_budget":
                why = f" at step {view.step:,}: its time was used up."
            _say(f"Run {run.id}{which} was {view.status}{why}")


def _say_of_the_mirror(home: Path) -> None:
    """Only the studio copies there; whoever named a mirror may think that this does, too."""
    from easymodel_nb import environment  # noqa: PLC0415

    places = environment.places(home)
    if places.mirror is not None:
        _say(
            f"This is not copied to {places.mirror_name} yet: the studio does that when it is next "
            f"opened on {home}."
        )


def _refuse(error: StudioError, *, as_json: bool) -> int:
    if as_json:
        problems = [problem.model_dump(mode="json") for problem in error.problems]
        print(json.dumps({"type": "refused", "problems": problems}), flush=True)  # noqa: T201
    for problem in error.problems:
        where = " ".join(filter(None, [problem.node, problem.field]))
        _say(f"{where}: {problem.message}" if where else problem.message)
        if problem.code == "model.code" and problem.fix and (asked := problem.fix.params):
            _say(f"Its files: {', '.join(asked['files'])}")
            _say(f"To let them run: --trust-code '{asked['repo']}@{asked['commit']}'")
    return REFUSED


def _ask(problems: list[Problem]) -> None:
    """Warn of what the studio would ask about, and go on."""
    for problem in problems:
        where = " ".join(filter(None, [problem.node, problem.field]))
        _say(f"Warning: {where}: {problem.message}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201
