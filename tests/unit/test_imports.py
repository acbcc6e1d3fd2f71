"""Importing the package is cheap: what is heavy is imported when first used."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "accelerate", "bqplot", "datasets", "numpy", "pandas", "peft", "pyarrow", "torch",
    "transformers",
}  # fmt: skip
WIDGETS = {"anywidget", "bqplot", "ipywidgets"}
# The bare import needs none of our dependencies; not even the small ones.
SMALL = {"psutil", "pydantic", "rich", "tinydb"}


def modules_after(code: str) -> set[str]:
    """The top-level modules a fresh interpreter has after running `code`."""
    tail = "; import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["easymodel", "easymodel_nb"])
def test_the_bare_import_is_cheap(name: str):
    loaded = modules_after(f"import {name}")
    assert not loaded & (HEAVY | WIDGETS | SMALL)


def test_the_widgets_are_imported_without_the_trainer_s_libraries():
    loaded = modules_after("import easymodel; easymodel.studio")
    assert {"anywidget", "ipywidgets"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", ["train.api", "runlog.run", "metrics", "store.projects"])
def test_what_is_below_the_widgets_does_not_import_them(name: str):
    assert not modules_after(f"import easymodel_nb.{name}") & WIDGETS


def test_easymodel_hands_on_every_public_name():
    import easymodel
    import easymodel_nb

    assert set(easymodel.__all__) == set(easymodel_nb.__all__)
    assert easymodel.Problem is easymodel_nb.Problem
    assert "studio" in dir(easymodel)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = easymodel.nonsense


@pytest.mark.parametrize("name", ["easymodel", "easymodel_nb"])
def test_train_is_a_function_however_often_it_is_used(name: str):
    # The package of that name takes the function's place as soon as it is imported.
    code = f"""
import {name} as e
said = []
for _ in range(2):
    try:
        e.train("no/such/file.json")
    except e.StudioError as error:
        said.append(error.problems[0].code)
assert said == ["file.missing"] * 2, said
"""
    subprocess.run([sys.executable, "-c", code], check=True)
