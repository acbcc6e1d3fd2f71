"""Training the rows that tokens use is training all rows: the same losses, the same weights."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
import transformers as tf

from easymodel_nb.errors import StudioError
from easymodel_nb.metrics.perplexity import IGNORED, Encoded, eval_mode
from easymodel_nb.train.batches.layout import Layout
from easymodel_nb.train.batches.orders import Given
from easymodel_nb.train.batches.padded import collate
from easymodel_nb.train.embedding import choosing
from easymodel_nb.train.embedding.rows import UsedRows, idle_weights, plain_embedding, used_rows
from easymodel_nb.train.embedding.used import digest, ids_of
from easymodel_nb.train.plan import BatchPlan, EmbeddingPlan, HeadPlan
from easymodel_nb.train.tally import Clock, SummedLoss
from easymodel_nb.train.tasks.task import Example
from easymodel_nb.train.tasks.windows import Windows
from easymodel_nb.train.trainer import LeanTrainer
from tests.unit.families import CAUSAL, ENCODERS, made

WORDS, END = 400, 40  # training rows hold tokens below END, and padding for a token
STEPS, ROWS = 6, 3
UNSEEN = torch.tensor([[5, 390, 7, 41, 399]])  # measured, and in part never trained
FLAT = BatchPlan(order="shuffled", layout="flat", mask="never")


def task(padding_id: int = 0) -> Any:
    def loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        logits = outputs.logits.flatten(0, 1).float()
        return F.cross_entropy(logits, labels.flatten(), ignore_index=IGNORED, reduction="sum")

    return SimpleNamespace(
        collate=lambda found: collate(found, padding_id),
        padding_id=padding_id,
        answers_rows=False,
        loss=loss,
        targets=lambda labels: labels.ne(IGNORED).sum(),
        learned=lambda _: None,
        forget=lambda: None,
    )


def rows(count: int = STEPS * ROWS * 2) -> list[Example]:
    generator = torch.Generator().manual_seed(1)
    found = []
    for place in range(count):
        ids = torch.randint(END, (4 + place % 5,), generator=generator).tolist()
        found.append(Example(ids, [token % 2 for token in ids]))
    return found


def encoder(family: str = "bert", kind: Any = tf.AutoModelForTokenClassification) -> Any:
    config = ENCODERS[family]()
    config.vocab_size = WORDS
    for name in ("hidden_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, 0.1)  # the same numbers are drawn
    return made(config, kind)


class Reads(tf.TrainerCallback):
    """What the model says after each step, also of tokens that are never trained."""

    def __init__(self) -> None:
        self.said: list[torch.Tensor] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        with eval_mode(kwargs["model"]), torch.no_grad():
            self.said.append(kwargs["model"](UNSEEN).logits)


def trainer_of(
    folder: Path, model: Any, *, used: bool, padding_id: int = 0, layout: BatchPlan | None = None,
    **settings: Any,
) -> tuple[LeanTrainer, SummedLoss, Reads]:  # fmt: skip
    arguments = tf.TrainingArguments(
        **{
            "output_dir": str(folder), "per_device_train_batch_size": ROWS, "max_steps": STEPS,
            "use_cpu": True, "learning_rate": 0.01, "report_to": "none", "seed": 1,
            "disable_tqdm": True, "remove_unused_columns": False, "save_strategy": "no",
            "logging_strategy": "no", "optim": "adamw_torch_fused", "max_grad_norm": 1e9,
            **settings,
        }
    )  # fmt: skip
    torch.manual_seed(0)
    data, count = rows(), STEPS * arguments.gradient_accumulation_steps
    job, loss, reads = task(padding_id), SummedLoss(), Reads()
    trainer = LeanTrainer(
        job,
        Clock(),
        HeadPlan(),
        Layout(job, model, layout or BatchPlan()),
        Given([list(range(n * ROWS, n * ROWS + ROWS)) for n in range(count)]),
        model=model,
        args=arguments,
        train_dataset=data,
        compute_loss_func=loss,
        callbacks=[reads],
    )
    trainer.remove_callback(tf.PrinterCallback)
    trainer.lean = used  # else the Trainer's own steps
    if used:
        plan = choosing.find(job, model, data, ids_of(data, padding_id), HeadPlan())
        assert plan.rows is not None
        trainer.used = used_rows(job, model, plan, data)
    return trainer, loss, reads


def pair(folder: Path, model: Callable[[], Any], **settings: Any) -> tuple[Any, Any]:
    """The same training of all rows, and of the used ones: trainer, loss, reads."""
    found = []
    for used in (False, True):
        made_now = trainer_of(folder / str(used), model(), used=used, **settings)
        made_now[0].train()
        found.append(made_now)
    return found[0], found[1]


def assert_same(plain: Any, used: Any) -> None:
    assert plain[1].since_line.mean() == used[1].since_line.mean()
    assert len(plain[2].said) == STEPS
    for one, other in zip(plain[2].said, used[2].said, strict=True):
        assert torch.equal(one, other)
    state = used[0].model.state_dict()
    for name, weight in plain[0].model.state_dict().items():
        assert torch.equal(weight, state[name]), name


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"gradient_checkpointing": True, "weight_decay": 0.1},
        {"optim": "adamw_torch", "weight_decay": 0.1},
    ],
    ids=["plain", "decay", "accumulation", "checkpointing", "unfused"],
)
def test_it_is_the_trainer_s_training_bit_for_bit(tmp_path: Path, settings: dict[str, Any]) -> None:
    plain, used = pair(tmp_path, encoder, **settings)
    assert_same(plain, used)
    group = used[0].optimizer.param_groups[0]["params"]
    assert (END, 32) in [tuple(weight.shape) for weight in group]  # one is padding
    assert (WORDS, 32) not in [tuple(weight.shape) for weight in group]


@pytest.mark.parametrize("family", sorted(ENCODERS))
def test_of_every_family(tmp_path: Path, family: str) -> None:
    padding = 1 if family == "roberta" else 0
    assert_same(*pair(tmp_path, lambda: encoder(family), padding_id=padding, weight_decay=0.1))


def test_rows_that_lie_end_to_end(tmp_path: Path) -> None:
    assert_same(*pair(tmp_path, encoder, layout=FLAT))


def test_a_clipped_norm_is_summed_otherwise_and_no_more(tmp_path: Path) -> None:
    plain, used = pair(tmp_path, encoder, max_grad_norm=0.5)
    assert used[1].since_line.mean() == pytest.approx(plain[1].since_line.mean(), rel=1e-6)
    for one, other in zip(plain[2].said, used[2].said, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_what_no_training_row_holds_stays_as_it_was(tmp_path: Path) -> None:
    first = encoder().get_input_embeddings().weight.detach().clone()
    _, (trainer, _, _) = pair(tmp_path, encoder)
    weight = trainer.model.get_input_embeddings().weight.detach()
    assert torch.equal(weight[END:], first[END:])
    assert torch.equal(weight[0], first[0])  # padding
    assert (weight[1:END] != first[1:END]).float().mean() > 0.8  # most were read


def test_nothing_is_left_on_the_model(tmp_path: Path) -> None:
    _, (trainer, _, _) = pair(tmp_path, encoder)
    assert "forward" not in vars(trainer.model.get_input_embeddings())
    assert all(weight.grad is None for weight in trainer.model.parameters())
    names = dict(encoder().named_parameters()).keys()
    assert dict(trainer.model.named_parameters()).keys() == names


def test_a_step_that_fails_leaves_the_embedding_its_own(tmp_path: Path) -> None:
    model = encoder()
    trainer, _, _ = trainer_of(tmp_path, model, used=True)

    def fails(*_: Any) -> None:
        raise torch.OutOfMemoryError("no room")

    model.classifier.register_forward_pre_hook(fails)
    with pytest.raises(torch.OutOfMemoryError):
        trainer.train()
    assert "forward" not in vars(model.get_input_embeddings())
    assert "zero_grad" not in vars(model)


def test_a_token_without_a_row_is_an_error(tmp_path: Path) -> None:
    trainer, _, _ = trainer_of(tmp_path, encoder(), used=True)
    trainer.train_dataset[0].ids[0] = END + 1
    with pytest.raises(IndexError):
        trainer.train()


def test_where_steps_are_not_ours_all_rows_are_trained(tmp_path: Path) -> None:
    plain = trainer_of(tmp_path / "plain", encoder(), used=False)
    plain[0].train()
    other = trainer_of(tmp_path / "other", encoder(), used=True)
    other[0].lean = False
    other[0].train()
    assert_same(plain, other)
    group = other[0].optimizer.param_groups[0]["params"]
    assert (WORDS, 32) in [tuple(weight.shape) for weight in group]


# ------------------------------------------------------------ going on with what was saved


@pytest.mark.parametrize("skipped", [False, True])
def test_a_step_that_is_skipped_for_its_scale_is_skipped_whole(*, skipped: bool) -> None:
    module = torch.nn.Embedding(12, 4)
    first = module.weight.detach().clone()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1, weight_decay=0.5, fused=True)
    used = UsedRows(module, np.array([3, 5]))
    used.adopt(optimizer)
    with used.computing():
        module(torch.tensor([3, 5])).sum().backward()
    optimizer.found_inf = torch.tensor(float(skipped))  # as the scaler of fp16 tells it
    optimizer.step()
    assert torch.equal(module.weight, first) is skipped
    assert torch.equal(module.weight[7], first[7]) is skipped


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_what_the_optimizer_knows_is_of_the_same_rows(*, before: bool, after: bool) -> None:
    """`alone` is False where several processes train: they have the whole weight."""
    ids = np.array([0, 3, 5, 9])
    first = torch.nn.Embedding(12, 4)
    start = first.weight.detach().clone()

    def steps(module: torch.nn.Embedding, used: UsedRows, optimizer: Any, count: int) -> None:
        for step in range(count):
            with used.computing():
                (module(torch.tensor([3, 5 + 4 * (step % 2)])) ** 3).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def begun(module: torch.nn.Embedding, *, alone: bool) -> tuple[UsedRows, Any]:
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2)), module.weight], lr=0.1)
        used = UsedRows(module, ids)
        used.adopt(optimizer, alone=alone)
        return used, optimizer

    used, optimizer = begun(first, alone=before)
    steps(first, used, optimizer, 3)
    second = torch.nn.Embedding(12, 4)
    second.load_state_dict(first.state_dict())
    again, other = begun(second, alone=after)
    other.load_state_dict(optimizer.state_dict())
    steps(second, again, other, 3)

    whole = torch.nn.Embedding(12, 4)
    whole.weight.data.copy_(start)
    used, optimizer = begun(whole, alone=False)
    steps(whole, used, optimizer, 3)
    steps(whole, used, optimizer, 3)
    assert torch.equal(second.weight, whole.weight)


def test_other_tokens_than_the_plan_s_are_refused() -> None:
    model, data = encoder(), rows()
    ids = ids_of(data, 0)
    plan = EmbeddingPlan(rows=len(ids), ids=digest(ids))
    assert used_rows(task(), model, plan, data) is not None
    for other in (plan.model_copy(update={"ids": digest(ids + 1)}), plan):
        changed = data if other is not plan else [*data, Example([WORDS - 1], [0])]
        with pytest.raises(StudioError) as refused:
            used_rows(task(), model, other, changed)
        assert refused.value.problems[0].code == "resume.tokens_changed"


# ------------------------------------------------------------ where it is not the same


def found(model: Any) -> EmbeddingPlan:
    data = rows()
    return choosing.find(task(), model, data, ids_of(data, 0), HeadPlan())


def test_it_is_found_out_and_costs_nothing() -> None:
    model = encoder()
    plan = found(model)
    ids = ids_of(rows(), 0)
    assert plan == EmbeddingPlan(rows=END, ids=digest(ids))
    assert idle_weights(model, plan) == (WORDS - (END)) * 32
    assert idle_weights(model, EmbeddingPlan()) == 0
    assert "forward" not in vars(model.get_input_embeddings())
    assert all(weight.grad is None for weight in model.parameters())
    assert model.training


def test_an_untied_decoder_has_such_rows_and_a_tied_one_has_not() -> None:
    for family, rows_ in (("llama", END), ("gpt2", None)):
        config = CAUSAL[family]()
        config.vocab_size = WORDS
        assert found(made(config, tf.AutoModelForCausalLM)).rows == rows_


def test_where_most_rows_are_used_all_are_trained() -> None:
    config = ENCODERS["bert"]()  # of 61 words
    assert found(made(config, tf.AutoModelForTokenClassification)) == EmbeddingPlan()


def _frozen(model: Any) -> None:
    model.get_input_embeddings().weight.requires_grad = False


def _in_16_bits(model: Any) -> None:
    model.to(torch.bfloat16)


def _scaled(model: Any) -> None:
    class Scaled(torch.nn.Embedding):
        """Another class may do anything."""

    old = model.get_input_embeddings()
    model.set_input_embeddings(Scaled(old.num_embeddings, old.embedding_dim))


def _bounded(model: Any) -> None:
    model.get_input_embeddings().max_norm = 1.0


def _shared(model: Any) -> None:
    model.other = torch.nn.Linear(32, WORDS, bias=False)
    model.other.weight = model.get_input_embeddings().weight


def _replaced(model: Any) -> None:
    module = model.get_input_embeddings()
    module.forward = module.forward


def _used_elsewhere(model: Any) -> None:
    """As a tied output does, without a module to tell."""
    own, weight = model.classifier.forward, model.get_input_embeddings().weight
    model.classifier.forward = lambda hidden: own(hidden) + (hidden @ weight.T)[..., :2]


def _not_by_ids(model: Any) -> None:
    """Adds a token of its own."""
    module = model.get_input_embeddings()
    own = model.classifier.forward
    model.classifier.forward = lambda hidden: own(hidden) + module(torch.tensor([WORDS - 1])).sum()


@pytest.mark.parametrize(
    "change",
    [_frozen, _in_16_bits, _scaled, _bounded, _shared, _replaced, _used_elsewhere, _not_by_ids],
)
def test_what_is_not_the_same_is_not_done(change: Callable[[Any], None]) -> None:
    model = encoder()
    change(model)
    assert found(model) == EmbeddingPlan()


def test_a_model_without_weights_answers_too() -> None:
    with torch.device("meta"):
        model = encoder()
    module = plain_embedding(model)
    assert module is not None
    assert module.num_embeddings == WORDS


def test_tokens_of_windows_are_found_without_making_them() -> None:
    texts = [Encoded([4, 9, 4, 2], [True] * 4, 0), Encoded([11], [True], 0)]
    windows = Windows(texts, 3)
    assert ids_of(windows, 7).tolist() == [2, 4, 7, 9, 11]  # also what too short a text holds
    assert ids_of([], 0).tolist() == [0]
