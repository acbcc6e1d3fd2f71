"""What may connect: one table for Python and the view."""

from itertools import product

import pytest

from easymodel_nb.workflow import ports


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (("model", "model"), ("finetune", "model")),
        (("dataset", "dataset"), ("finetune", "dataset")),
        (("finetune", "model"), ("finetune", "model")),
    ],
)
def test_what_belongs_together_connects(source: tuple[str, str], target: tuple[str, str]):
    assert ports.fits(*source, *target)


def test_nothing_else_connects():
    outputs = [(kind, handle) for kind, k in ports.kinds().items() for handle in k.outputs]
    inputs = [(kind, handle) for kind, k in ports.kinds().items() for handle in k.inputs]
    fitting = [pair for pair in product(outputs, inputs) if ports.fits(*pair[0], *pair[1])]
    assert len(fitting) == 3
    assert not ports.fits("model", "model", "finetune", "dataset")
    assert not ports.fits("model", "", "finetune", "")
    assert not ports.fits("unknown", "model", "finetune", "model")


def test_a_finetune_node_takes_exactly_one_of_each():
    takes = {name: (p.required, p.max) for name, p in ports.kinds()["finetune"].inputs.items()}
    assert takes == {"model": (True, 1), "dataset": (True, 1)}
