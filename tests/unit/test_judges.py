"""The judges of text: the encoder, what judges grammar, and what is said when one is missing."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from easymodel_nb import builtin
from easymodel_nb.builtin.offline import MINILM
from easymodel_nb.metrics import cola, encoder, judges, obtainable

installed = pytest.mark.skipif(MINILM.folder() is None, reason="the extra `offline` is not here")
TEXTS = [
    "A cat sat on the mat.",
    "",
    "Prices rose, and wages did not. " * 40,
    "日本語の文です。",
    "x",
    "A cat sat on the mat.",
]


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A Hub cache of the test's own, and no judge kept from or for another test."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(folder))
    monkeypatch.delenv(judges.OFF, raising=False)
    kept = dict(judges._loaded)
    judges.refresh()
    yield folder
    judges.refresh()
    judges._loaded.update(kept)


@pytest.fixture(scope="module")
def minilm() -> encoder.MiniLM:
    return encoder.load()


def cached(folder: Path, repo: str, files: dict[str, Path]) -> Path:
    """Files as the Hub's client keeps a repository."""
    sha = "0" * 40
    top = folder / f"models--{repo.replace('/', '--')}"
    (top / "refs").mkdir(parents=True)
    (top / "refs" / "main").write_text(sha)
    snapshot = top / "snapshots" / sha
    snapshot.mkdir(parents=True)
    for name, file in files.items():
        shutil.copy(file, snapshot / name)
    return snapshot


@installed
def test_one_text_has_one_vector_whatever_stands_beside_it(minilm: encoder.MiniLM):
    fresh = encoder.load()
    together = fresh.sentences(TEXTS)
    assert together.dtype == np.float32
    assert together.shape == (6, 384)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    alone = np.concatenate([encoder.MiniLM.sentences(minilm, [text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.array_equal(together[0], together[5])


@installed
def test_vectors_are_those_of_sentence_transformers(minilm: encoder.MiniLM):
    other = pytest.importorskip("sentence_transformers")
    model = other.SentenceTransformer(str(builtin.path("minilm")), device="cpu")
    expected = model.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(minilm.sentences(TEXTS), expected, atol=1e-5)


@installed
def test_tokens_and_layer_have_the_shapes_that_are_promised(minilm: encoder.MiniLM):
    tokens = minilm.tokens(TEXTS)
    assert [len(vectors) for vectors in tokens][:2] == [7, 0]
    assert len(tokens[2]) == encoder.MAX_WORDPIECES - 2
    np.testing.assert_allclose(np.linalg.norm(tokens[0], axis=1), 1, rtol=1e-5)
    assert minilm.layer(TEXTS).shape == (6, 768)
    assert not np.array_equal(minilm.layer(TEXTS[:1], 4), minilm.layer(TEXTS[:1], 2))
    assert minilm.sentences([]).shape == (0, 384)
    assert minilm.layer([]).shape == (0, 768)
    assert minilm.tokens([]) == []


@installed
def test_a_text_is_encoded_once(minilm: encoder.MiniLM, monkeypatch: pytest.MonkeyPatch):
    texts = ["Said once.", "Said twice.", "Said twice."]
    seen: list[int] = []
    forward = minilm._forward_batch

    def counted(rows: Any, layer: int) -> Any:
        seen.append(len(rows))
        return forward(rows, layer)

    monkeypatch.setattr(minilm, "_forward_batch", counted)
    minilm.sentences(texts)
    minilm.tokens(texts)
    minilm.layer(texts)
    assert sum(seen) == 2


@installed
def test_what_is_kept_is_bounded_and_what_was_dropped_is_encoded_again(
    minilm: encoder.MiniLM, monkeypatch: pytest.MonkeyPatch
):
    before = minilm.sentences(["One of many."])
    monkeypatch.setattr(encoder, "_KEPT_BYTES", 50_000)
    minilm.sentences([f"Number {n} of many." for n in range(40)])
    assert minilm._kept_bytes <= 50_000
    assert minilm._kept_bytes == sum(v.bytes for v in minilm._kept.values())
    np.testing.assert_allclose(minilm.sentences(["One of many."]), before, atol=1e-5)


@installed
def test_several_threads_may_ask(minilm: encoder.MiniLM):
    texts = [f"Thread text {n}, which says nothing." for n in range(12)]
    expected = encoder.load().sentences(texts)
    found: dict[int, np.ndarray] = {}

    def ask(turn: int) -> None:
        found[turn] = minilm.sentences(texts[turn:] + texts[:turn])

    threads = [threading.Thread(target=ask, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for turn, vectors in found.items():
        np.testing.assert_allclose(np.roll(vectors, turn, axis=0), expected, atol=1e-5)


@installed
def test_unknown_share(minilm: encoder.MiniLM):
    assert minilm.unknown_share("plain words") == 0
    assert minilm.unknown_share("") == 0
    assert minilm.unknown_share("☃ ☃ words words") == pytest.approx(0.5)


@installed
def test_a_vector_that_is_not_finite_costs_its_own_text(
    minilm: encoder.MiniLM, monkeypatch: pytest.MonkeyPatch
):
    from easymodel_nb.metrics.probe import Probe

    pooled = encoder._pooled
    broken = len(minilm._tokenizer("broken vector")["input_ids"])

    def spoiled(last: np.ndarray, hidden: np.ndarray, layer: int) -> Any:
        bad = len(last) == broken
        return pooled(last * np.nan if bad else last, hidden * np.nan if bad else hidden, layer)

    monkeypatch.setattr(encoder, "_pooled", spoiled)
    texts = ["The first text is whole.", "broken vector", "The third text is whole as well."]
    fresh = encoder.load()
    assert judges.finite(fresh.sentences(texts)).tolist() == [True, False, True]
    assert judges.finite(fresh.tokens(texts)).tolist() == [True, False, True]
    assert np.isnan(Probe(fresh).probabilities(texts)).tolist() == [False, True, False]


@installed
def test_loading_draws_nothing_and_prints_nothing(capfd: pytest.CaptureFixture[str]):
    import torch

    state = torch.get_rng_state()
    numbers = np.random.get_state()[1].copy()  # noqa: NPY002  whether anybody used it
    judges.local()
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numbers)  # noqa: NPY002
    assert capfd.readouterr() == ("", "")


@installed
def test_local_judges_are_loaded_once_and_named_by_their_weights():
    found = judges.local()
    assert found is judges.local()
    assert found.encoder is not None
    assert str(found.encoder.identity) == "all-MiniLM-L6-v2@53aa51172d14"
    assert found.grammar is not None
    assert (found.grammar.label, found.grammar.rescale) == ("Well-formed", True)
    assert found.reasons == {}
    assert [one.axis for one in judges.missing()] == ["grammar"]
    judges.refresh()
    assert found is not judges.local()


def test_judges_can_be_switched_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(judges.OFF, "1")
    found = judges.local()
    assert (found.encoder, found.grammar) == (None, None)
    assert set(found.reasons) == {"encoder", "grammar"}
    assert judges.missing() == []


def test_without_an_encoder_the_reason_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(MINILM), "folder", lambda _: None)
    found = judges.local()
    assert (found.encoder, found.grammar) == (None, None)
    assert 'pip install "easymodel-nb[offline]"' in found.reasons["encoder"]
    assert "text encoder" in found.reasons["grammar"]
    assert [one.axis for one in judges.missing()] == ["encoder", "grammar"]
    assert judges.missing()[0].label == "Get the judge, 91 MB"


@installed
def test_the_encoder_of_the_hubs_cache_is_the_same(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    here = builtin.path("minilm")
    expected = judges.local().encoder
    assert expected is not None
    vectors = expected.sentences(TEXTS[:1])
    files = {name: here / name for name in MINILM.files}
    monkeypatch.setattr(type(MINILM), "folder", lambda _: None)
    judges.refresh()
    assert judges.local().encoder is None
    cached(empty_cache, obtainable.ENCODER.repo, files)
    judges.refresh()
    found = judges.local().encoder
    assert found is not None
    assert found.identity == expected.identity
    np.testing.assert_allclose(found.sentences(TEXTS[:1]), vectors, atol=1e-6)
    assert [one.axis for one in judges.missing()] == ["grammar"]


def test_a_broken_encoder_is_told_and_nothing_is_raised(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(type(MINILM), "folder", lambda _: None)
    rubbish = tmp_path / "rubbish"
    rubbish.write_text('{"model_type": "bert"')
    names = ("config.json", "model.safetensors", "vocab.txt")
    cached(empty_cache, obtainable.ENCODER.repo, dict.fromkeys(names, rubbish))
    found = judges.local()
    assert found.encoder is None
    assert "could not be loaded" in found.reasons["encoder"]


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A classifier of two labels, small and untrained, whose tokenizer knows a few words."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path / "cola"
    config = transformers.BertConfig(
        vocab_size=8,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\ncat\nsat\n.\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    return folder


def test_a_cola_classifier_in_the_cache_is_the_judge_of_grammar(
    empty_cache: Path, classifier: Path
):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    files = {file.name: file for file in classifier.iterdir()}
    cached(empty_cache, obtainable.COLA.repo, files)
    judge = judges.local().grammar
    assert isinstance(judge, cola.Cola)
    assert (judge.label, judge.rescale) == ("Grammar", False)
    assert judge.identity.id == "roberta-base-CoLA"
    assert "grammar" not in [one.axis for one in judges.missing()]
    model = AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    sentences = ["A cat sat.", "sat a", "A cat sat a cat sat a cat."]
    with torch.inference_mode():
        expected = [
            float(model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0, 1])
            for text in sentences
        ]
    np.testing.assert_allclose(judge.probabilities(sentences), expected, atol=1e-5)
    assert judge.probabilities([]).shape == (0,)


def test_a_model_without_a_trained_head_is_no_judge(empty_cache: Path, classifier: Path):
    """The original read an untrained head as grammar (METRICS 0)."""
    from transformers import BertModel

    BertModel.from_pretrained(classifier).save_pretrained(classifier)
    cached(empty_cache, obtainable.COLA.repo, {f.name: f for f in classifier.iterdir()})
    found = judges.local()
    assert not isinstance(found.grammar, cola.Cola)
    assert "could not be loaded" in found.reasons["grammar"]


def test_importing_the_judges_loads_no_heavy_library():
    code = (
        "import sys, easymodel_nb.metrics.judges, easymodel_nb.metrics.encoder, "
        "easymodel_nb.metrics.probe, easymodel_nb.metrics.cola, easymodel_nb.metrics.ngram, "
        "easymodel_nb.metrics.obtainable\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'tokenizers', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
