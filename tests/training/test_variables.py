"""A run on a variable of the notebook, in a thread and in a process of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from small_runs import small

from easymodel_nb.train.data import variables
from easymodel_nb.train.manager import RunManager

ROWS = [{"prompt": f"Say number {n}:", "target": f" It is {n}."} for n in range(40)]
ONE_EPOCH = {"epochs": 1, "subset_size": None}


@pytest.fixture
def space() -> Iterator[dict[str, Any]]:
    there: dict[str, Any] = {"mine": pd.DataFrame(ROWS), "number": 3}
    variables.look_in(lambda: there)
    yield there
    variables.look_in(None)


@pytest.mark.parametrize("runner", ["thread", "process"])
def test_a_run_on_a_variable(
    managers: Callable[[str], RunManager], space: dict[str, Any], runner: str
):
    manager = managers(runner)
    (run,) = manager.submit(small("variable:mine", **ONE_EPOCH))
    run = manager.wait(run.id, timeout=240)
    assert run.status == "finished", run.view.detail
    plan = run.plan["dataset"]
    assert (plan["kind"], plan["name"]) == ("variable", "mine")
    assert plan["train_rows"] + plan["eval_rows"] == 40
    assert pd.read_parquet(run.folder / "data" / "train.parquet").to_dict("records") == ROWS
    assert len(space) == 2


@pytest.mark.parametrize("runner", ["thread", "process"])
@pytest.mark.parametrize(
    ("name", "says"), [("number", "is a int"), ("gone", "no variable 'gone'. There are mine")]
)
@pytest.mark.usefixtures("space")
def test_a_variable_that_cannot_be_had(
    managers: Callable[[str], RunManager], runner: str, name: str, says: str
):
    manager = managers(runner)
    (run,) = manager.submit(small(f"variable:{name}"))
    problem = manager.wait(run.id, timeout=240).view.problem
    assert problem is not None
    assert (problem.code, problem.node, problem.field) == ("source.variable", "d1", "source")
    assert says in problem.message
