"""A command reaches the kernel whatever became of the page that was last answered."""

from types import SimpleNamespace

import pytest

from easymodel_nb.widgets.subshells import route_by_sender


def comm_in_a_kernel_with(*subshells: str) -> SimpleNamespace:
    manager = SimpleNamespace(list_subshell=lambda: list(subshells))
    thread = SimpleNamespace(manager=manager)
    return SimpleNamespace(kernel=SimpleNamespace(shell_channel_thread=thread))


@pytest.mark.parametrize(
    ("sender", "expected"), [("one", "one"), ("two", "two"), ("gone", None), (None, None)]
)
def test_a_message_goes_to_its_sender_s_subshell_while_there_is_one(
    sender: str | None, expected: str | None
):
    comm = comm_in_a_kernel_with("one", "two")
    comm._reply_subshell_id = "another that is gone"
    route_by_sender(comm)
    assert comm._reply_subshell_for({"content": {"id": "a-1"}}, sender) == expected


def test_without_subshells_everything_goes_to_the_main_shell():
    comm = SimpleNamespace(kernel=None)
    route_by_sender(comm)
    assert comm._reply_subshell_for({}, "one") is None
