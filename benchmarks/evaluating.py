"""Measuring a model: perplexity against `Trainer.evaluate`, a whole point against one by one.

`python benchmarks/evaluating.py` writes its part of docs/benchmarks.md. Models, texts and judges
are those that come with the package. CPU seconds of one thread, in turn, in one process.
"""

import importlib
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import transformers
from report import Section, machine, middle, replace

from easymodel_nb import builtin
from easymodel_nb.metrics import encoder, judges
from easymodel_nb.metrics.vectors import Vectors
from easymodel_nb.train import generate
from easymodel_nb.train.analytics.groups import by_length
from easymodel_nb.train.analytics.judged import Judging
from easymodel_nb.train.analytics.material import Material, token_counts
from easymodel_nb.train.analytics.purse import Guard, Purse
from easymodel_nb.train.control import Control
from easymodel_nb.train.tasks.task import Sample

perplexity = importlib.import_module("easymodel_nb.metrics.perplexity")  # hidden by its function
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
TEXTS, PROMPTS, ANSWER = 500, 64, 48
WINDOW = 512  # tokens
HEAD_START = 40  # characters of a prompt
Work = Callable[[], Any]


def main() -> int:
    """Measure both, write the page."""
    torch.set_num_threads(1)
    model, tokenizer = _model()
    texts = _texts()
    sections = [_perplexity(model, tokenizer, texts[:TEXTS]), _point(model, tokenizer, texts)]
    told = (
        "# Measuring a model\n\nWritten by `python benchmarks/evaluating.py`: CPU seconds of one "
        f"thread, medians of {ROUNDS} in turn, on\n\n{machine()}\n\n"
        "The model is `builtin:tiny-gpt2` (3.5 M parameters), the texts speeches of Shakespeare."
    )
    block = "\n\n".join([told, *(section.markdown() for section in sections)])
    print(block)
    replace(PAGE, block, "evaluating")
    return 0


def _model() -> tuple[Any, Any]:
    folder = builtin.path("tiny-gpt2")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.train(mode=False), transformers.AutoTokenizer.from_pretrained(folder)


def _texts() -> list[str]:
    """Speeches in an order of chance: half of them are shorter than 25 words, some fill a page."""
    whole = (builtin.path("shakespeare") / "train.txt").read_text(encoding="utf-8")
    texts = list(dict.fromkeys(text.strip() for text in whole.split("\n\n") if text.strip()))
    random.Random(0).shuffle(texts)
    return texts


def in_turn(works: dict[str, Work]) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """CPU seconds of each, A B B A, and what each gave the last time."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    given: dict[str, Any] = {}
    for number in range(ROUNDS):
        for name in list(works)[:: -1 if number % 2 else 1]:
            began = time.process_time()
            given[name] = works[name]()
            seconds[name].append(time.process_time() - began)
    return seconds, given


# ------------------------------------------------------------ perplexity


def _perplexity(model: Any, tokenizer: Any, texts: list[str]) -> Section:
    encoded = perplexity.encode(tokenizer, texts)
    rows = [{"input_ids": item.ids[:WINDOW]} for item in encoded]
    collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm=False)
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder, report_to="none", disable_tqdm=True, use_cpu=True, log_level="error"
        )
        trainer: Any = transformers.Trainer(model=model, args=arguments, data_collator=collate)

        def ours(budget: int) -> Work:
            def work() -> float:
                with patch.dict(perplexity.TOKEN_BUDGET, cpu=budget):
                    found = perplexity.score(model, encoded, max_length=WINDOW, stride=WINDOW)
                return float(found.value or math.nan)

            return work

        seconds, given = in_turn(
            {
                "Trainer.evaluate, as it is": lambda: math.exp(trainer.evaluate(rows)["eval_loss"]),
                "one text at a time": ours(1),
                "ours": ours(perplexity.TOKEN_BUDGET["cpu"]),
            }
        )
    theirs, one, fast = seconds.values()
    tokens = sum(min(len(item.ids), WINDOW) for item in encoded)
    return Section(
        "Perplexity",
        f"Of {len(texts)} texts ({tokens:,} tokens): {_times(theirs, fast)} times as fast as "
        f"`Trainer.evaluate` (the aim: 3), {_times(one, fast)} times as fast as one by one. "
        "Trainer takes the mean of its batches' means, so that its number depends on how texts "
        "fall into batches; ours is that of all tokens, and of one text at a time.",
        ["how", "CPU s, median (range)", "perplexity"],
        [[name, middle(seconds[name], 2, ""), f"{given[name]:.4f}"] for name in seconds],
    )


def _times(slow: list[float], fast: list[float]) -> str:
    ratios = sorted(a / b for a, b in zip(slow, fast, strict=True))
    return f"{ratios[len(ratios) // 2]:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"


# ------------------------------------------------------------ a point with answers


def _point(model: Any, tokenizer: Any, texts: list[str]) -> Section:
    rest = texts[TEXTS:]
    asked = [text for text in rest if len(text) > 3 * HEAD_START][:PROMPTS]
    prompts = [text[:HEAD_START] for text in asked]
    references = [text[HEAD_START:] for text in asked]
    samples = [
        Sample(prompt, reference, tokenizer(prompt)["input_ids"])
        for prompt, reference in zip(prompts, references, strict=True)
    ]
    material = Material(
        prompts,
        references,
        None,
        rest,
        (lengths := token_counts(tokenizer, references)),
        by_length(lengths),
        max_new_tokens=ANSWER,
    )
    encoded = perplexity.encode(tokenizer, references, prompts=prompts, max_length=WINDOW)
    base = generate.generate(model, tokenizer, samples, ANSWER, lambda _: None)
    tuned = _moved(model)
    judge = judges.local()
    if judge.encoder is None:
        raise SystemExit(judge.reasons["encoder"])
    control = Control(Path(tempfile.mkdtemp()))
    guard = Guard(Purse(control), control, _failed)
    judging = Judging(material, judge, tokenizer, guard)
    judging.details()  # what is fixed for a run is not part of a point, nor is
    judging.measure(base, base, None)  # the point before training
    spent: dict[str, list[float]] = {}

    def point(name: str) -> dict[str, Any]:
        def timed(part: str, work: Work) -> Any:
            began = time.process_time()
            found = work()
            spent.setdefault(f"{name}: {part}", []).append(time.process_time() - began)
            return found

        score = timed("perplexity", lambda: perplexity.score(tuned, encoded, max_length=WINDOW))
        rows = timed(
            "answers",
            lambda: generate.generate(tuned, tokenizer, samples, ANSWER, lambda _: None),
        )
        found = timed("GQS and semantics", lambda: judging.measure(rows, base, None))
        return {
            "perplexity": score.value,
            "GQS": found.quality.overall.value,
            "consistency": found.semantics.consistency.value,
            "drift": found.semantics.drift.value,
            "answers": [row["text"] for row in rows],
        }

    def alone() -> dict[str, Any]:
        with one_by_one():
            return point("one by one")

    def ours() -> dict[str, Any]:
        with as_if_new(judge.encoder, judging):
            return point("ours")

    seconds, given = in_turn({"one by one": alone, "ours": ours})
    slow, fast = seconds.values()
    one, many = given.values()
    same = sum(a == b for a, b in zip(one["answers"], many["answers"], strict=True))
    names = ("perplexity", "GQS", "consistency", "drift")
    return Section(
        "Perplexity, GQS and semantics",
        f"A point of {PROMPTS} prompts, answers of up to {ANSWER} tokens included: "
        f"{_times(slow, fast)} times as fast as one by one (the aim: 4.5). One by one is each text "
        "by itself through the same code, with the cache of keys and values, where every metric "
        "embeds what it needs; ours embeds a text once in a run, so that a point meets the base "
        f"model's answers and the references again. {same} of {PROMPTS} answers are the same to "
        "the letter.",
        ["how", "CPU s, median (range)", *names],
        [
            *(
                [name, middle(seconds[name], 2, ""), *(f"{given[name][of]:.6g}" for of in names)]
                for name in seconds
            ),
            *([part, middle(took, 2, ""), *("" for _ in names)] for part, took in spent.items()),
        ],
    )


def _failed(code: str, told: str) -> None:
    raise SystemExit(f"{code}: {told}")  # a number that is missing was not measured


def _moved(model: Any) -> Any:
    """The model as a run may leave it: its answers are others than before."""
    import copy  # noqa: PLC0415

    moved = copy.deepcopy(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in moved.parameters():
            weight.add_(torch.randn_like(weight) * weight.std() * 0.1)
    return moved


@contextmanager
def as_if_new(minilm: Any, judging: Judging) -> Iterator[None]:
    """Forget afterwards what was embedded: the next point's answers are ones nobody saw."""
    vectors = judging._base[1].vectors  # type: ignore[index]  # noqa: SLF001
    kept, size, known = minilm._kept.copy(), minilm._kept_bytes, dict(vectors._known)  # noqa: SLF001
    yield
    minilm._kept, minilm._kept_bytes, vectors._known = kept, size, known  # noqa: SLF001


@contextmanager
def one_by_one() -> Iterator[None]:
    """The same code with batches of one, in which no vector is kept."""

    def anew(self: Vectors, texts: Sequence[str]) -> Any:
        self._known = {}
        return embed(self, texts)

    embed = Vectors.__call__
    with ExitStack() as changed:
        changed.enter_context(patch.dict(perplexity.TOKEN_BUDGET, cpu=1))
        changed.enter_context(patch.dict(generate._ROWS, cpu=1))  # noqa: SLF001
        changed.enter_context(patch.dict(encoder._TOKENS_A_BATCH, cpu=1))  # noqa: SLF001
        changed.enter_context(patch.object(encoder, "_KEPT_BYTES", 0))
        changed.enter_context(patch.object(Vectors, "__call__", anew))
        yield


if __name__ == "__main__":
    sys.exit(main())
