"""Sees to it that a page's message is handled where that page sent it.

JupyterLab sends the messages of a page to a subshell (a thread of the kernel) of that
page, and deletes it when the page goes. ipykernel 7.4, however, takes a message of a comm
to the subshell in which that comm was last written to: by then perhaps that of a page
that was reloaded or closed. Then every command of every page is dropped, with nothing
but a warning in the server's log; or Stop waits behind a running cell in the main shell.
"""

from typing import Any


def route_by_sender(comm: Any) -> None:
    """Take each message of `comm` to its sender's subshell, or to the main shell if that is gone.

    The hook is ipykernel 7.4's own; earlier versions go by the sender and ignore it.
    """

    def route(_data: Any, sender: str | None) -> str | None:
        return sender if sender in _subshells(comm) else None

    comm._reply_subshell_for = route  # noqa: SLF001  there is no public way


def _subshells(comm: Any) -> list[str]:
    thread = getattr(getattr(comm, "kernel", None), "shell_channel_thread", None)
    return list(thread.manager.list_subshell()) if thread is not None else []
