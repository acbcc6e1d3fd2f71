"""A whole session with three planted tokens: none is left anywhere, nothing went but to the Hub.

`test_searching` shows that the search finds; the kernel here can be heard by `recorder`.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from searching import below, occurrences
from session import CELLS, PLANTED, Session, execute, planted_hub

from easymodel_nb.runlog.destinations import NAME, read

SECRETS = tuple(PLANTED.values())
TOKENS = tuple(token for token in SECRETS if token.startswith("hf_"))
STORED = ".cache/huggingface/token"  # where `hf auth login` put it


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with planted_hub() as hub:
        yield execute(tmp_path_factory.mktemp("session"), hub, CELLS)


def test_the_session_did_all_that(session: Session):
    expected = {
        2: "('finished', 'environment')",
        3: "'finished'",
        4: "('finished', 'typed')",
        5: "('done', 'failed', 'done', 'done', True)",
        9: "('finished', None)",
        11: "There is no project",
        12: "There is no command 'dance'",
        13: "Something went wrong inside EasyModel (KeyError",
    }
    for cell, said in expected.items():
        assert said in session.output(cell), session.output(cell)
    assert session.output(7).count("refused: The source of Dataset held a token") == 4, (
        session.output(7)
    )
    assert session.output(8).count("failed") + session.output(8).count("refused:") == 3
    assert "The source of Model held a token" in session.output(10)
    assert "[redacted]" in session.output(13)
    assert "[redacted]" in session.output(14), "the library's error repeats the model's config"
    errors = [n for n, c in enumerate(session.notebook.cells) for o in c.outputs if "ename" in o]
    assert errors == [10, 11, 12]
    assert session.notebook.metadata["widgets"], "widget state is saved in it"


def test_no_secret_is_below_home(session: Session):
    cache = session.home / ".cache/huggingface/hub/models--someone--told-by-a-library"
    hubs_own = {  # the Hub's file, in which this test's Hub planted it
        p.relative_to(session.home).as_posix() for p in cache.rglob("*") if p.is_file()
    }
    assert below(session.home, SECRETS, {STORED, *hubs_own}) == []
    names = {path.name for path in session.home.rglob("*")}
    assert names >= {
        "session.ipynb",
        "events.jsonl",
        "log.txt",
        "output.txt",
        "report.html",
        "code.py",
        "code.ipynb",
        "project.easymodel.json",
        "model.safetensors",
        "pushed.json",
        "secret-gated-rows.zip",
    }


def test_no_secret_is_in_what_was_pushed_or_asked(session: Session):
    hub = session.hub
    assert "someone/my-model" in hub.models
    for name, repo in hub.models.items():
        for files in repo.revisions.values():
            for path, content in files.items():
                if name != "someone/told-by-a-library":
                    assert list(occurrences(content, SECRETS, f"{name}/{path}")) == []
    asked = "\n".join([*hub.asked, *hub.cdn.asked])
    assert list(occurrences(asked.encode(), TOKENS)) == [], "a token goes in a header, or nowhere"
    for _, path, headers in hub.cdn.requests:  # another host: it has no business with a token
        assert list(occurrences(repr(headers).encode(), TOKENS, path)) == []


def test_no_secret_is_in_a_process_or_its_environment(session: Session):
    kernels = {line for line, _, _ in session.processes.said if "ipykernel" in line}
    workers = [line for line, _, _ in session.processes.said if "easymodel_nb.train.worker" in line]
    assert kernels
    assert workers, "a run had a process of its own"
    for line, what, text in session.processes.said:
        # What the kernel was started with is not ours; what its children get is.
        if what == "environ" and line in kernels:
            continue
        assert list(occurrences(text.encode(), SECRETS, f"{what} of {line}")) == []


def test_nothing_went_anywhere_but_to_the_hub(session: Session):
    endpoints = {urlsplit(url).port for url in (session.hub.url, session.hub.cdn.url)}
    assert session.contacts, "the recorder heard nothing"
    asked = [path for path in session.hub.asked if "telemetry" in path]
    assert asked == []
    agents = {headers.get("user-agent", "") for _, _, headers in session.hub.requests}
    # Libraries name their versions; what tells sessions apart says that it is not to be counted.
    named = [agent for agent in agents if "session_id" in agent]
    assert all(agent.endswith("telemetry/off") for agent in named), agents
    others = [c for c in session.contacts if c[2] not in endpoints]
    assert others == []
    assert {c[1] for c in session.contacts} <= {"127.0.0.1", "localhost"}
    assert len({c[3] for c in session.contacts}) > 1, "the kernel, and the run's own process"


def test_the_run_tells_where_its_data_went(session: Session):
    told = {path.parent.name: read(path.parent) for path in session.home.rglob(NAME)}
    hosts = {url: urlsplit(url) for url in (session.hub.url, session.hub.cdn.url)}
    heard = {(c[1], c[2]) for c in session.contacts}
    during = set()
    for known in told.values():
        assert known is not None
        for found in known.found:
            assert (found.host, found.port) in heard, "what the run tells is what was heard"
            assert found.port in {part.port for part in hosts.values()}
            assert found.times > 0
            during.add(found.during)
    assert during == {"training", "pushing"}
    kinds = {found.kind for known in told.values() if known for found in known.found}
    assert "hub" in kinds
    (first,) = session.home.rglob("report.html")
    assert 'data-testid="destinations"' in first.read_text()
    assert "the Hugging Face Hub; " in first.read_text()


def test_the_search_would_have_found_it(session: Session, tmp_path: Path):
    """The same places, each with the token put there."""
    state = session.saved.read_text()
    planted = tmp_path / "session.ipynb"
    planted.write_text(state.replace('"nbformat":', f'"x": "{TOKENS[2]}", "nbformat":', 1))
    assert below(tmp_path, TOKENS)
    (line, what, text) = session.processes.said[0]
    assert list(occurrences(f"{text}\nHF_TOKEN={TOKENS[0]}".encode(), TOKENS, f"{what} {line}"))
