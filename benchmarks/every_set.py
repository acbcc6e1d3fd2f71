"""Train on every real data set with only task, model and dataset given; write docs/tasks.md.

`python benchmarks/every_set.py` goes through `easymodel train`, as a user would, and needs the
shared data sets (EASYMODEL_SHARED, or ../shared beside the project). Each result is kept as a
JSON file in --results, and a set that has one is not trained again, so that it can be interrupted.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tasks.md"
MODELS = {
    "generation": "builtin:tiny-gpt2",
    "seq2seq": "builtin:tiny-t5",
    "classification": "builtin:minilm",
    "token_classification": "builtin:minilm",
}
# What a task is judged by here: analytics names and titles.
METRICS = {
    "generation": (("perplexity.validation", "perplexity"),),
    "seq2seq": (("perplexity.validation", "perplexity"), ("task.chrf", "chrF")),
    "classification": (("task.macro_f1", "macro-F1"),),
    "token_classification": (("task.f1", "entity F1"),),
}
# Before training a new head knows nothing; what always says the commonest class is the measure.
FLOORS = {"classification": "task.majority_macro_f1"}
GUESSED = (
    "text_field", "text_pair_field", "prompt_field", "target_field", "template", "messages_field",
    "label_field",
)  # fmt: skip


class Case(NamedTuple):
    """One data set and the task it is trained for; `path` is below data/."""

    path: str
    task: str


CASES = (
    Case("tinyshakespeare/input.txt", "generation"),
    Case("gsm8k", "generation"),
    Case("sgd_chat", "generation"),
    Case("xquad_en/xquad.en.json", "generation"),
    Case("xquad_en/xquad.en.json", "seq2seq"),
    Case("e2e_nlg", "seq2seq"),
    Case("ntrex_en_de", "seq2seq"),
    Case("banking77", "classification"),
    Case("snips_intents", "classification"),
    Case("wisesight_th/wisesight.csv", "classification"),
    Case("wnut17", "token_classification"),
    Case("snips_slots", "token_classification"),
)


def shared() -> Path:
    """The folder of the shared data sets."""
    folder = Path(os.environ.get("EASYMODEL_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        sys.exit(f"There are no shared data sets at {folder}; set EASYMODEL_SHARED.")
    return folder


def name_of(case: Case) -> str:
    """A set and its task, as a file name."""
    return f"{case.path.split('/', maxsplit=1)[0]}-{case.task}"


def train(case: Case, source: Path, home: Path) -> dict[str, Any]:
    """One run through the command line, and what its log says."""
    document = {
        "format": "easymodel.workflow",
        "version": 1,
        "nodes": [
            {"id": "m1", "type": "model", "data": {"source": MODELS[case.task]}},
            {"id": "d1", "type": "dataset", "data": {"source": str(source)}},
            {"id": "f1", "type": "finetune", "data": {"task": case.task}},
        ],
        "edges": [
            edge("e1", "m1", "model"),
            edge("e2", "d1", "dataset"),
        ],
    }
    workflow = home / f"{name_of(case)}.json"
    workflow.write_text(json.dumps(document), encoding="utf-8")
    command = ["-m", "easymodel_nb", "train", str(workflow), "--home", str(home), "--json"]
    began = time.monotonic()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        "set": case.path,
        "task": case.task,
        "exit": done.returncode,
        "seconds": round(time.monotonic() - began),
        "plan": next((e["plan"] for e in events if e["type"] == "run_started"), None),
        "epochs": [e for e in events if e["type"] == "epoch" and float(e["epoch"]).is_integer()],
        "warnings": [e["problem"]["message"] for e in events if e["type"] == "warning"],
        "end": events[-1] if events else done.stderr[-2000:],
    }


def edge(name: str, source: str, kind: str) -> dict[str, str]:
    """A connection into the finetune node."""
    ends = {"source": source, "sourceHandle": kind, "target": "f1", "targetHandle": kind}
    return {"id": name, **ends}


def page(results: list[dict[str, Any]]) -> str:
    """docs/tasks.md."""
    head = (
        "# Every set, with nothing but task, model and dataset given\n\n"
        "Written by `python benchmarks/every_set.py`: each set goes through `easymodel train` with "
        "all\nfields null, so that roles, splits, format and learning rate are chosen by the "
        "program. The models\nare the built-in ones of 3 to 23 million parameters, trained on at "
        "most 1,000 rows for three epochs on\ntwo CPU cores: what counts is that the columns are "
        "right and that the numbers move, not how far.\nn is the number of rows measured; square "
        "brackets hold the 95 % interval. The seconds are those of\na machine that did other "
        "things as well.\n"
    )
    rows = [
        "| set | task | guessed | rows | epochs | metric | base | tuned | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row(result) for result in results),
    ]
    notes = [line for result in results for line in said(result)]
    return "\n".join([head, *rows, "", "## What the runs warned of", "", *notes, ""])


def row(result: dict[str, Any]) -> str:
    """One line of the table."""
    name, task, plan = result["set"].split("/", maxsplit=1)[0], result["task"], result["plan"]
    if plan is None or not result["epochs"]:
        return f"| {name} | {task} | did not train: {why(result)} | | | | | | |"
    first, last = result["epochs"][0]["analytics"], result["epochs"][-1]["analytics"]
    metrics = METRICS[task]
    base = " <br> ".join(number(pick(first, FLOORS.get(task, key))) for key, _ in metrics)
    if task in FLOORS:
        base += " (majority class)"
    tuned = " <br> ".join(number(pick(last, key)) for key, _ in metrics)
    guesses = [
        f"{choice['field'].removesuffix('_field')} = `{one_line(choice['value'])}`"
        for choice in plan["choices"]
        if choice["field"] in GUESSED and choice["value"]
    ]
    dataset = plan["dataset"]
    split = dataset["eval_split"] or "held out"
    return (
        f"| {name} | {task} | {', '.join(guesses)}; measured on {split} | "
        f"{dataset['train_rows']:,} + {dataset['eval_rows']:,} | {plan['epochs']} | "
        f"{' <br> '.join(title for _, title in metrics)} | {base} | {tuned} | "
        f"{result['seconds']} |"
    )


def one_line(value: Any) -> str:
    """A value that a cell of a table can hold."""
    return str(value).replace("\n", "\\n").replace("|", "\\|")


def why(result: dict[str, Any]) -> str:
    """Why a run did not train."""
    end = result["end"]
    if isinstance(end, str):
        return end.strip().replace("\n", " ")
    problems = [end["problem"]] if "problem" in end else end.get("problems", [])
    return " ".join(problem["message"] for problem in problems) or str(end.get("type"))


def pick(analytics: dict[str, Any], key: str) -> dict[str, Any]:
    """A measured value by its dotted name."""
    group, name = key.split(".")
    found: dict[str, Any] = (analytics.get(group) or {}).get(name) or {"reason": "not measured"}
    return found


def number(measured: dict[str, Any]) -> str:
    """A value with its interval and sample size, or why there is none."""
    if measured.get("value") is None:
        return str(measured.get("reason"))
    interval = ""
    if measured.get("low") is not None:
        interval = f" [{measured['low']:.3g}, {measured['high']:.3g}]"
    return f"{measured['value']:.3g}{interval}, n = {measured['n']:,}"


def said(result: dict[str, Any]) -> Iterator[str]:
    """The warnings of a run as list items."""
    name = result["set"].split("/", maxsplit=1)[0]
    for message in result["warnings"]:
        yield f"- {name}, {result['task']}: {message}"


def main() -> int:
    """Train what has no result yet, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="where results are kept")
    parser.add_argument("--only", nargs="*", help="names of sets; the page is not written then")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    data = shared() / "data"
    results = []
    for case in CASES:
        if options.only and not any(case.path.startswith(name) for name in options.only):
            continue
        kept = options.results / f"{name_of(case)}.result.json"
        if not kept.exists():
            result = train(case, data / case.path, options.results)
            kept.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
        results.append(json.loads(kept.read_text(encoding="utf-8")))
        print(row(results[-1]), flush=True)
    if not options.only:
        PAGE.write_text(page(results), encoding="utf-8")
        print(f"Written to {PAGE.relative_to(ROOT)}")
    return 1 if any(result["exit"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
