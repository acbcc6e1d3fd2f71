"""Models that answer once a row: what reads the rows as a whole gets them side by side again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from easymodel_nb.train import methods
from easymodel_nb.train.batches.documents import DOCUMENTS


@contextmanager
def side_by_side(model: Any) -> Iterator[None]:
    """Meanwhile hidden states leave the body of the model as (documents, longest, size).

    So does what its pooler gets. The layers of the body compute on rows end to end.
    """
    body = methods.bare(model).base_model
    documents: list[Any] = []  # of the batch that is computed

    def begin(_: Any, args: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001
        documents[:] = [found] if (found := kwargs.get(DOCUMENTS)) is not None else []

    def pool(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (documents[0].rectangle(args[0][0], 0), *args[1:]) if documents else args

    def end(_: Any, args: Any, output: Any) -> None:  # noqa: ARG001
        if documents:
            output.last_hidden_state = documents[0].rectangle(output.last_hidden_state[0], 0)

    with ExitStack() as hooks:
        hooks.callback(body.register_forward_pre_hook(begin, with_kwargs=True).remove)
        if getattr(body, "pooler", None) is not None:
            hooks.callback(body.pooler.register_forward_pre_hook(pool).remove)
        hooks.callback(body.register_forward_hook(end).remove)
        yield
