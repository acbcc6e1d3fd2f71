"""The page's messages and their answers: a slow disk does not hold up what needs no disk.

What is acknowledged is on the disk, and a flush takes seconds on a network's file system or a disk
that is busy. So what saves is done on a thread of its own, one after the other, and answered when
it is done; whatever else the page asks meanwhile (Stop, what changed) is answered at once. A disk
of the usual speed is waited for, and all is as if there were no such thread.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

GRACE_SECONDS = 0.25
SAVING = frozenset(
    {
        "commit",
        "settings",
        "train",
        "resume",
        "project_new",
        "project_rename",
        "project_switch",
        "project_duplicate",
        "project_move",
        "project_delete",
        "project_restore",
        "project_import",
        "project_take",
        "trash_empty",
    }
)

Reply = dict[str, Any]


class Answers:
    """Answers each message once; those that save in the order in which they came.

    `aside` is whether an answer may come from another thread than the one that took the message:
    where it may not, everything waits for the disk.
    """

    def __init__(
        self,
        answer: Callable[[Any, Sequence[Any]], Reply],
        send: Callable[[Reply], None],
        *,
        aside: bool,
    ) -> None:
        self._answer, self._send, self._aside = answer, send, aside
        self._saving = ThreadPoolExecutor(1, "easymodel-saving")

    def take(self, message: dict[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Answer a message of the page, now or when it is done."""
        if not self._aside or message.get("method") not in SAVING:
            self._send(self._answer(message, buffers))
            return
        doing = self._saving.submit(self._answer, message, buffers)
        try:
            self._send(doing.result(GRACE_SECONDS))
        except TimeoutError:
            doing.add_done_callback(self._late)

    def close(self) -> None:
        """Take nothing more; what is under way is done and answered."""
        self._saving.shutdown(wait=False)
        self._aside = False

    def _late(self, done: "Future[Reply]") -> None:
        self._send(done.result())
