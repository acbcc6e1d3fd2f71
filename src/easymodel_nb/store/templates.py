"""Workflows that train as they are, two a task: offline with what is built in, and from the Hub.

Those of the Hub are small: each model has 60 to 140 million parameters, each data set is a few
megabytes of plain files, and neither asks for a login.
"""

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
    return _built_in(FIRST, "tiny-gpt2", "requests", finetune)


def classification() -> Workflow:
    """The encoder minilm learns which of seven things a person wants."""
    finetune = FinetuneData(
        task="classification", epochs=2, batch_size=16, max_length=64, subset_size=1000
    )
    return _built_in("Classification example", "minilm", "intents", finetune)


def token_classification() -> Workflow:
    """The encoder minilm learns which words are the artist, the city, the time."""
    finetune = FinetuneData(
        task="token_classification", epochs=4, batch_size=16, max_length=64, subset_size=1000
    )
    return _built_in("Token classification example", "minilm", "slots", finetune)


def seq2seq() -> Workflow:
    """The encoder-decoder tiny-t5 learns to say an intent and its details as a person would."""
    finetune = FinetuneData(
        task="seq2seq", epochs=3, batch_size=8, max_length=128, subset_size=1500, eval_size=100
    )
    return _built_in("Sequence to sequence example", "tiny-t5", "requests", finetune)


def hub_generation() -> Workflow:
    """SmolLM2 (135 million parameters) learns to follow instructions, with adapters."""
    finetune = FinetuneData(
        template="### Instruction:\n{instruction}\n\n### Context:\n{context?}\n\n### Response:\n",
        target_field="response",
        method="lora",
        epochs=2,
        batch_size=4,
        max_length=512,
        subset_size=1000,
        eval_size=200,
    )
    model, data = "HuggingFaceTB/SmolLM2-135M", "databricks/databricks-dolly-15k"
    return _workflow(
        "Generation from the Hub", ModelData(source=model), DatasetData(source=data), finetune
    )


def hub_classification() -> Workflow:
    """DistilBERT learns whether a sentence praises a film or not."""
    finetune = FinetuneData(
        task="classification",
        text_field="text",
        label_field="label",
        epochs=2,
        batch_size=16,
        max_length=128,
        subset_size=2000,
    )
    model, data = "distilbert/distilbert-base-uncased", "cornell-movie-review-data/rotten_tomatoes"
    return _workflow(
        "Classification from the Hub", ModelData(source=model), DatasetData(source=data), finetune
    )


def hub_token_classification() -> Workflow:
    """DistilBERT learns which words are people, places and organizations."""
    finetune = FinetuneData(
        task="token_classification",
        text_field="tokens",
        label_field="ner_tags",
        epochs=2,
        batch_size=16,
        max_length=128,
        subset_size=2000,
    )
    model = ModelData(source="distilbert/distilbert-base-cased")
    data = DatasetData(source="unimelb-nlp/wikiann", config="en")
    return _workflow("Token classification from the Hub", model, data, finetune)


def hub_seq2seq() -> Workflow:
    """t5-small learns to translate sentences of books."""
    finetune = FinetuneData(
        task="seq2seq",
        prompt_field="translation.en",
        target_field="translation.fr",
        source_prefix="translate English to French: ",
        epochs=2,
        batch_size=16,
        max_length=128,
        subset_size=2000,
        eval_size=200,
    )
    model = ModelData(source="google-t5/t5-small")
    data = DatasetData(source="Helsinki-NLP/opus_books", config="en-fr")
    return _workflow("Sequence to sequence from the Hub", model, data, finetune)


TEMPLATES: dict[str, Callable[[], Workflow]] = {
    "generation": generation,
    "classification": classification,
    "token_classification": token_classification,
    "seq2seq": seq2seq,
}
HUB_TEMPLATES: dict[str, Callable[[], Workflow]] = {
    "generation": hub_generation,
    "classification": hub_classification,
    "token_classification": hub_token_classification,
    "seq2seq": hub_seq2seq,
}


def _built_in(name: str, model: str, dataset: str, finetune: FinetuneData) -> Workflow:
    return _workflow(
        name,
        ModelData(source=f"builtin:{model}"),
        DatasetData(source=f"builtin:{dataset}", eval_fraction=0.1),
        finetune,
    )


def _workflow(
    name: str, model: ModelData, dataset: DatasetData, finetune: FinetuneData
) -> Workflow:
    return Workflow(
        name=name,
        nodes=[
            Node(
                id="m1",
                type="model",
                position=Position(x=0, y=0),
                data=model.model_dump(),
            ),
            Node(
                id="d1",
                type="dataset",
                position=Position(x=0, y=220),
                data=dataset.model_dump(),
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
