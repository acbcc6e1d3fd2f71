"""The store against the model that the view's protocol is tested with (js/tests/wire.ts)."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.store.projects import Conflict, ProjectStore
from easymodel_nb.workflow.document import Workflow


def document(value: int | None) -> Workflow:
    """Documents that differ in one field; None leaves it out, which is not the same as null."""
    data: dict[str, Any] = {} if value is None else {"subset_size": value or None}
    return Workflow.read({"nodes": [{"id": "f", "type": "finetune", "data": data}], "edges": []})


COMMITS = st.lists(st.tuples(st.integers(-2, 2), st.sampled_from([None, 0, 1, 2])), max_size=12)


@settings(max_examples=60, deadline=None)
@given(commits=COMMITS)
def test_a_commit_is_stored_or_known_or_a_conflict_that_names_what_stands(
    commits: list[tuple[int, int | None]],
):
    with TemporaryDirectory() as folder:
        clients = [ProjectStore(Path(folder)), ProjectStore(Path(folder))]
        project = clients[0].create("One", document(None)).id
        rev, stored = 1, document(None)
        for number, (away, value) in enumerate(commits):
            store, sent = clients[number % 2], document(value)
            known = sent.nodes == stored.nodes
            base = rev + away
            if not known and away != 0:
                with pytest.raises(Conflict) as conflict:
                    store.save(project, sent, base)
                assert conflict.value.revision == rev
                assert Workflow.read(conflict.value.document).nodes == stored.nodes
            else:
                rev, stored = (rev if known else rev + 1), sent
                assert store.save(project, sent, base).revision == rev
            for client in clients:
                loaded = client.load(project)
                assert (loaded.revision, loaded.workflow.nodes) == (rev, stored.nodes)
