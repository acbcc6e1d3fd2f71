"""The templates train, offline, and learn: cut down to seconds here."""

import socket
from typing import Any

import pytest

from easymodel_nb.builtin.offline import MINILM
from easymodel_nb.store.templates import TEMPLATES
from easymodel_nb.train.api import train

# rows, epochs, and the column of the metrics that must end above (or below) a limit; what an
# untrained model reaches is far on the other side
SMALL = {
    "classification": (200, 2, "task.macro_f1", "above", 0.6),
    "token_classification": (200, 4, "task.f1", "above", 0.05),
    "seq2seq": (120, 1, "perplexity.validation", "below", 30.0),
}

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection leaves this machine."""
    connect = socket.socket.connect

    def refused(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {
            "127.0.0.1",
            "::1",
            "localhost",
        }:
            raise AssertionError(f"a connection to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refused)


@pytest.mark.parametrize("task", SMALL)
def test_it_trains_offline_and_learns(task: str):
    if task != "seq2seq" and MINILM.folder() is None:
        pytest.skip('needs the extra: pip install "easymodel-nb[offline]"')
    rows, epochs, column, side, limit = SMALL[task]
    workflow = TEMPLATES[task]()
    (finetune,) = workflow.of_type("finetune")
    finetune.data |= {"subset_size": rows, "epochs": epochs, "eval_size": 60}
    (run,) = train(workflow)
    assert run.status == "finished", run.view.problem
    reached = list(run.metrics()[column])
    assert reached[-1] > limit if side == "above" else reached[-1] < limit < reached[0]
    assert run.model_path is not None
    assert (run.model_path / "config.json").is_file()
