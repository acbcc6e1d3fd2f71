"""A finished run's model on the Hugging Face Hub: looked at, sent in one commit, verified.

Large files are uploaded before the commit and are nobody's until then: a push that ends early
leaves at most an empty private repository, and says so.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.control import with_ticks
from easymodel_nb.train.takeaway.parcel import Parcel, parcel, refuse_unfinished, same
from easymodel_nb.train.takeaway.publish_errors import OFFLINE, Cancelled, check_name, refused, told
from easymodel_nb.train.takeaway.publish_target import (
    ALWAYS_THERE,
    EMPTY,
    TIMEOUT,
    Target,
    remember,
    target_of,
)
from easymodel_nb.train.takeaway.watched import Watched

_CONFLICT = 409


@dataclass
class Push:
    """One model on its way; `endpoint` is another Hub than the usual one."""

    run: Run
    repo: str
    private: bool
    token: str | None = field(repr=False)
    folder: Path | None = None  # the merged model's
    endpoint: str | None = None
    tick: Callable[[float, float, str], None] = lambda *_: None  # done, total, sentence
    _api: Any = field(default=None, init=False)

    @property
    def api(self) -> Any:
        """The Hub's client, with this token and no other."""
        if self._api is None:
            from huggingface_hub import HfApi  # noqa: PLC0415  it takes a second

            self._api = HfApi(endpoint=self.endpoint, token=self.token or False)
        return self._api

    # ------------------------------------------------------------ looking

    def look(self) -> tuple[Target, Parcel]:
        """What would be sent, and where; nothing is sent and nothing made.

        Raises
        ------
        StudioError
            On `repo` or `token`, when it cannot be sent there; without a field when the run
            is not to be sent at all.

        """
        refuse_unfinished(self.run)
        check_name(self.repo)
        ask = lambda: self.tick(0, 0, "Asking the Hub")  # noqa: E731
        if not self.token:
            raise refused("push.no_token", "token")
        target: Target = self._waiting(
            lambda: target_of(self.api, self.run, self.repo, private=self.private), self.repo, ask
        )
        sent: Parcel = self._waiting(
            lambda: parcel(self.run, folder=self.folder, repo=target.repo, api=self.api),
            target.repo,
            ask,
        )
        return target, sent

    # ------------------------------------------------------------ sending

    def send(self) -> str:
        """Send it, verify what arrived, and answer the address of its page.

        Raises
        ------
        StudioError
            When it was refused or broke off, with what is on the Hub now.
        Cancelled
            When `tick` raised it; nothing of the model is on the Hub then.

        """
        target, sent = self.look()
        try:
            head = target.head or self._create(target)
            commit = self._upload(target, sent, head)
        except (StudioError, Cancelled) as error:
            raise self._with_state(error, target) from error
        remember(self.run, target.repo, commit, sent)
        with suppress(Cancelled):  # too late: it is there
            self.tick(sent.bytes, sent.bytes, "Comparing what arrived")
        self._guarded(lambda: self._verify(target.repo, sent, commit), target.repo)
        return f"{self.api.endpoint}/{target.repo}"

    def _create(self, target: Target) -> str:
        from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

        def create() -> str:
            try:
                self.api.create_repo(target.repo, private=self.private, exist_ok=False)
            except HfHubHTTPError as error:
                if error.response.status_code == _CONFLICT:
                    raise refused("push.hidden", "repo", repo=target.repo) from None
                raise
            info = self.api.repo_info(target.repo, timeout=TIMEOUT)
            if self.private and not info.private:  # before anything of the model is there
                raise refused("push.public", "repo", repo=target.repo)
            return info.sha or EMPTY

        said = f"Making the repository {target.repo}"
        made: str = self._waiting(create, target.repo, lambda: self.tick(0, 0, said))
        return made

    def _upload(self, target: Target, sent: Parcel, head: str) -> str:
        """Everything in one commit; answers its id."""
        from huggingface_hub import CommitOperationDelete  # noqa: PLC0415

        done = 0
        operations: list[Any] = []
        with ExitStack() as open_files:
            for item in sent.items:
                file = open_files.enter_context(Watched(item.source))
                operations.append(self._upload_one(target.repo, item.name, file, done, sent.bytes))
                done += item.bytes
            names = {item.name for item in sent.items}
            gone = sorted(target.files - names - ALWAYS_THERE)  # of this run's earlier push
            operations += [CommitOperationDelete(name) for name in gone]
            return self._commit(target.repo, sent, operations, head)

    def _commit(self, repo: str, sent: Parcel, operations: list[Any], head: str) -> str:
        def commit() -> str:
            said = f"{sent.name}, run {self.run.id}"
            made = self.api.create_commit(
                repo,
                operations,
                commit_message=said,
                parent_commit=None if head == EMPTY else head,
            )
            return str(made.oid)

        look = partial(self.tick, sent.bytes, sent.bytes, "Putting the files in place")
        try:
            oid: str = self._waiting(commit, repo, look)
        except StudioError as error:
            # The commit may be there and only its answer lost.
            arrived = self._arrived(repo, sent) if error.problems[0].code == OFFLINE else None
            if arrived is None:
                raise
            return arrived
        return oid

    def _arrived(self, repo: str, sent: Parcel) -> str | None:
        with suppress(Exception):
            head = str(self.api.repo_info(repo, timeout=TIMEOUT).sha)
            self._verify(repo, sent, head)
            return head
        return None

    def _upload_one(self, repo: str, name: str, file: Any, done: int, total: int) -> Any:
        """The commit's operation for a file, its content uploaded when it is a large one."""
        from huggingface_hub import CommitOperationAdd  # noqa: PLC0415

        def upload() -> Any:
            add = CommitOperationAdd(name, file)
            file.begin()  # it was read once, for its checksum
            self.api.preupload_lfs_files(repo, [add], num_threads=1, free_memory=False)
            return add

        try:
            return self._waiting(
                upload, repo, lambda: self.tick(done + file.farthest, total, f"Sending {name}")
            )
        except BaseException:
            file.ended = True
            raise

    def _waiting(self, work: Callable[[], Any], repo: str, look: Callable[[], None]) -> Any:
        """Do what may hang on the network; when `look` raises it is left behind."""
        return self._guarded(lambda: with_ticks(work, look), repo)

    def _with_state(
        self, error: StudioError | Cancelled, target: Target
    ) -> StudioError | Cancelled:
        """The error, with what is on the Hub after it."""
        state = self._state(target)
        if isinstance(error, Cancelled):
            return Cancelled(f"Cancelled. {state}")
        first = error.problems[0]
        return StudioError(first.model_copy(update={"message": f"{first.message} {state}"}))

    def _state(self, target: Target) -> str:
        from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415

        repo = target.repo
        look = f"Look at {self.api.endpoint}/{repo} before you send it again."
        try:
            info = self.api.repo_info(repo, timeout=TIMEOUT)
        except RepositoryNotFoundError:
            return "Nothing was sent."
        except Exception:  # noqa: BLE001  whatever the reason, it is not known
            return f"What arrived is not known, as the Hub does not answer. {look}"
        if target.head and (info.sha or EMPTY) == target.head:
            return f"{repo} holds what it held before: nothing of this was put there."
        files = {s.rfilename for s in info.siblings or []} - ALWAYS_THERE
        if not files:
            kind = "private" if info.private else "public"
            return f"The new {kind} repository {repo} is empty: no file of the model is in it."
        return f"{repo} holds {len(files)} files now. {look}"

    # ------------------------------------------------------------ after it

    def _verify(self, repo: str, sent: Parcel, commit: str) -> None:
        """Compare every file with what the Hub says it has: sizes, and its own checksums."""
        info = self.api.repo_info(repo, revision=commit, files_metadata=True)
        there = {s.rfilename: s for s in info.siblings or []}
        wrong = [i.name for i in sent.items if not same(i, there.get(i.name))]
        if wrong:
            raise refused("push.unverified", None, repo=repo, names=", ".join(wrong[:3]))
        if self.private and not info.private:
            raise refused("push.public_after", "repo", repo=repo)

    def _guarded(self, work: Callable[[], Any], repo: str) -> Any:
        try:
            return work()
        except (StudioError, Cancelled):
            raise
        except Exception as error:
            problem = told(error, repo, self.token)
            if problem is None:
                raise
            raise StudioError(problem) from None
