"""Workflows that train as they are, one a task: a built-in model, built-in data, one Finetuning."""

from collections.abc import Callable

from easymodel_nb.workflow.document import (
    DatasetData,
    Edge,
    FinetuneData,
    ModelData,
    Node,
    Position,
    Workflow,
)

FIRST = "First model"


def generation() -> Workflow:
    """tiny-gpt2 learns the requests: three epochs, under a minute and a half on two cores."""
    finetune = FinetuneData(epochs=3, batch_size=8, max_length=128, subset_size=1000, eval_size=200)
    return _workflow(FIRST, "tiny-gpt2", "requests", finetune)


def classification() -> Workflow:
    """The encoder minilm learns which of seven things a person wants."""
    finetune = FinetuneData(
        task="classification", epochs=2, batch_size=16, max_length=64, subset_size=1000
    )
    return _workflow("Classification example", "minilm", "intents", finetune)


def token_classification() -> Workflow:
    """The encoder minilm learns which words are the artist, the city, the time."""
    finetune = FinetuneData(
        task="token_classification", epochs=4, batch_size=16, max_length=64, subset_size=1000
    )
    return _workflow("Token classification example", "minilm", "slots", finetune)


def seq2seq() -> Workflow:
    """The encoder-decoder tiny-t5 learns to say an intent and its details as a person would."""
    finetune = FinetuneData(
        task="seq2seq", epochs=3, batch_size=8, max_length=128, subset_size=1500, eval_size=100
    )
    return _workflow("Sequence to sequence example", "tiny-t5", "requests", finetune)


TEMPLATES: dict[str, Callable[[], Workflow]] = {
    "generation": generation,
    "classification": classification,
    "token_classification": token_classification,
    "seq2seq": seq2seq,
}


def _workflow(name: str, model: str, dataset: str, finetune: FinetuneData) -> Workflow:
    return Workflow(
        name=name,
        nodes=[
            Node(
                id="m1",
                type="model",
                position=Position(x=0, y=0),
                data=ModelData(source=f"builtin:{model}").model_dump(),
            ),
            Node(
                id="d1",
                type="dataset",
                position=Position(x=0, y=190),
                data=DatasetData(source=f"builtin:{dataset}", eval_fraction=0.1).model_dump(),
            ),
            Node(
                id="f1",
                type="finetune",
                position=Position(x=404, y=0),
                data=finetune.model_dump(),
            ),
        ],
        edges=[
            Edge(id="e1", source="m1", sourceHandle="model", target="f1", targetHandle="model"),
            Edge(id="e2", source="d1", sourceHandle="dataset", target="f1", targetHandle="dataset"),
        ],
    )
