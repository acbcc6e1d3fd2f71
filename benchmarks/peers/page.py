"""The section of docs/benchmarks.md: how it was measured, and the tables."""

import json
from pathlib import Path

from peers.environments import ENVIRONMENTS
from peers.launch import Form
from peers.results import Found, Results
from peers.tables import Page
from peers.workloads import BATCH, EPOCHS, WORKLOADS
from report import machine

_HOW = """\
# Training, against other trainers

Written by `python benchmarks/peers/run.py` (`make bench-peers`), on

{machine}

{state}

**The same for all.** Every trainer starts from the same weights, sees the same rows with {batch}
rows an optimizer step (ours on average, where it cuts batches by tokens), and has AdamW, a linear
schedule without warm-up, clipping at 1.0, no dropout and one thread. All compute in float32, but
for the rows that say bf16, and for ours, which takes bf16 for the products of its steps where the
CPU is good at it and the model was faster so; *held to 32 bits* it does not. GPT-2 (4 layers of
256, an 8,192 BPE trained on the rows) has random weights; MiniLM-L6 and T5 are the built-in ones.
Each run is a process of its own; rounds go there and back (A B C, C B A).

**What is timed.** {steps} steps after {warmup} of warm-up, from the end of one optimizer step to
the end of another, by one callback that every trainer gets: fetching and collating rows, both
passes, the optimizer, logging, and all that a trainer does in between. Ours is `easymodel train`
with nothing switched off; what it measures of its model between steps is left out, as nobody else
measures. Counted are real tokens, without padding, where they enter the embedding, and CPU seconds
of the whole process (`time.process_time`), because other work on a machine stretches the wall
clock. *Padding* is the share of the computed tokens that are none; *peak memory* the greatest
resident size while training. Ratios are taken within a round: the median (least to greatest).

**Loss** is that of the weights after all {total} steps on rows that were held out, summed by
tokens, by one evaluator for all. A row counts only within 1 % of the HF Trainer's loss, or below.
"""
_TIMES = """\
CPU seconds of training until the held-out loss is within 1 % of what the HF Trainer ends with;
between two points, {every} steps apart, it is taken to fall in a straight line.
"""
_SHARES = """\
Shares of the wall clock of our steps, as PyTorch's profiler sees them; looking makes Python's share
greater than it is.
"""


def page(cache: Path, forms: dict[str, Form]) -> str:
    """The section, of the full form where any of it was run, else of the smoke form."""
    for name in ("full", "smoke"):
        form = forms[name]
        results = Results(cache / f"results-{name}")
        if any(results.folder.glob("*.json")):
            break
    tables = Page(results, form)
    how = _HOW.format(
        machine=machine(),
        state=_state(form, results),
        batch=BATCH,
        steps=form.steps,
        warmup=form.warmup,
        total=form.rows * EPOCHS // BATCH,
    )
    parts = [how, "## Who is faster", tables.summary(), "## Every trainer"]
    parts += [tables.workload(name) for name in WORKLOADS]
    parts += [
        "## Time to the same loss",
        _TIMES.format(every=form.every),
        tables.times(),
        "## Where our time goes",
        _SHARES,
        tables.profiles(),
        _who(),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _state(form: Form, results: Results) -> str:
    speeds, losses = (
        sum(1 for _ in results.folder.glob(f"{mode}-*.json")) for mode in ("speed", "loss")
    )
    if form.name == "smoke":
        return (
            "**This is the smoke form**: one round of a few steps, so a ratio may be off by 15 %, "
            "and its loss is that of a short run. The full form (5 rounds of 20 steps, 200 steps "
            f"with 3 seeds for the loss) was not run yet. {_load(results)}"
        )
    return (
        f"The full form: {speeds} timed runs and {losses} for the loss are there. {_load(results)}"
    )


def _load(results: Results) -> str:
    """How busy the machine was, and what time the runs took."""
    timed = [one for one in _runs(results, "speed") if "error" not in one]
    if not timed:
        return ""
    loads = [one["load"] for one in timed]
    return (
        f"The load average while timing was {min(loads):.0f} to {max(loads):.0f}. The timed runs "
        f"took {_minutes(results, 'speed')} minutes, those for the loss "
        f"{_minutes(results, 'loss')}, added up and without the evaluation of their weights; the "
        "command runs two of the latter beside each other where there are cores."
    )


def _minutes(results: Results, mode: str) -> str:
    return f"{sum(one.get('seconds', 0) for one in _runs(results, mode)) / 60:.0f}"


def _runs(results: Results, mode: str) -> list[Found]:
    paths = sorted(results.folder.glob(f"{mode}-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def _who() -> str:
    versions = "; ".join(
        f"{name}: {', '.join(found.packages)}" for name, found in ENVIRONMENTS.items()
    )
    return (
        "Trainers with an environment of their own, on the same PyTorch: "
        f"{versions}. *AutoTrain's data path* is its way with classification, texts padded to "
        "128 tokens as they are fetched, on a bare Trainer: its package pins a PyTorch stack of "
        "2024; its language models are trained by TRL. TRL computes in bfloat16 by default, which "
        "many CPUs do a hundred times slower, so that is off in all its rows; its packing was "
        "tried and is slower on a CPU than grouping by length. Grouping by length goes from long "
        "to short rows within 50 steps, so a window of few steps sees the long ones of it.\n\n"
        "**What orders cost.** Length tells what is said, so rows that are grouped by it, by the "
        "HF Trainer or by TRL at its best, learn worse, and many such rows do not count; where "
        "ours lays rows end to end they come at random, as in plain training.\n\n"
        "**Where we fall short.** Held to 32 bits ours misses more goals than with bf16. MiniLM's "
        "steps of 200 tokens are short: a good part of them is Python and the Trainer, and the "
        "optimizer, which do not shrink with padding. On E2E all that can be saved is what HF "
        "wastes on padding, and T5's attention adds a bias by distance, for which a CPU has no "
        "fused kernel. Plain GSM8K is bound by the products of matrices, near the processor's "
        "peak, so that there too padding is all. E2E's losses are noisy: three seeds more, made "
        "by hand (4 to 6), brought ours to a mean of 1.690 over six and HF's to 1.687, both from "
        "1.66 to 1.72."
    )
