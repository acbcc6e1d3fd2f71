"""While a run is quiet, nothing of it is printed and everybody else logs as ever."""

import contextlib
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

pytest.importorskip("datasets")  # its progress bars are among those that are off meanwhile

from easymodel_nb.secrets import redact
from easymodel_nb.train.quiet import MAX_LINES, LogBuffer, quiet

TOKEN = "hf_" + "abcdefgh" * 4


@pytest.fixture
def printed() -> Iterator[StringIO]:
    """What a handler of the root logger prints, as after logging.basicConfig()."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@contextlib.contextmanager
def bare_root() -> Iterator[None]:
    """A root logger without handlers, as in a notebook; pytest adds its own before each test."""
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers.clear()
    yield
    root.handlers[:] = before


def run(work: Callable[[], None], name: str = "easymodel-run-1") -> None:
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()


def run_quietly(work: Callable[[], None]) -> LogBuffer:
    """Do work in a run's thread, quietly."""
    buffer = LogBuffer(redact)

    def quietly() -> None:
        with quiet(buffer):
            work()

    run(quietly)
    return buffer


def say(text: str = "said", logger: str = "some.library") -> None:
    logging.getLogger(logger).warning(text)


# ------------------------------------------------------------ the run


@pytest.mark.parametrize("logger", ["transformers", "datasets.builder", "httpx2", "some.library"])
def test_a_run_s_records_go_to_the_buffer_alone(
    printed: StringIO, capfd: pytest.CaptureFixture[str], logger: str
):
    buffer = run_quietly(lambda: say("a word", logger))
    assert [line for line in buffer.lines() if "a word" in line] == [f"WARNING {logger}: a word"]
    assert printed.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_also_where_nobody_handles_records(capfd: pytest.CaptureFixture[str]):
    with bare_root():
        buffer = run_quietly(lambda: say("a word", "some.library"))
    assert buffer.lines() == ["WARNING some.library: a word"]
    assert capfd.readouterr() == ("", "")


def test_helper_threads_of_a_run_belong_to_it(printed: StringIO):
    buffer = run_quietly(lambda: run(say, "easymodel-run-1-work"))
    assert len(buffer.lines()) == 1
    assert printed.getvalue() == ""


def test_warnings_are_kept(capfd: pytest.CaptureFixture[str]):
    buffer = run_quietly(lambda: warnings.warn("careful", UserWarning, stacklevel=1))
    assert buffer.lines() == ["warning UserWarning: careful"]
    assert capfd.readouterr() == ("", "")


def test_a_token_is_not_kept():
    buffer = run_quietly(lambda: say(f"with {TOKEN} and\nmore {TOKEN}"))
    assert TOKEN not in "\n".join(buffer.lines())
    assert len(buffer.lines()) == 2


def test_a_traceback_is_kept():
    def fail() -> None:
        try:
            raise ValueError(TOKEN)  # noqa: TRY301
        except ValueError:
            logging.getLogger("transformers").exception("it failed")

    lines = run_quietly(fail).lines()
    assert lines[0] == "ERROR transformers: it failed"
    assert lines[-1] == "ValueError: [redacted]"


def test_a_record_whose_arguments_do_not_fit_costs_nothing():
    buffer = run_quietly(lambda: logging.getLogger("transformers").warning("%d rows", "many"))
    assert buffer.lines() == ["WARNING transformers: %d rows"]


def test_the_buffer_is_bounded():
    buffer = LogBuffer(redact)
    for number in range(10 * MAX_LINES):
        buffer.add(f"line {number}")
    assert len(buffer.lines()) == MAX_LINES
    assert buffer.lines()[-1] == f"line {10 * MAX_LINES - 1}"


# ------------------------------------------------------------ everybody else


def meanwhile(work: Callable[[], None]) -> LogBuffer:
    """Do work in another thread while a run is quiet."""
    return run_quietly(lambda: run(work, "somebody-else"))


def test_other_threads_log_where_they_did(printed: StringIO):
    assert meanwhile(say).lines() == []
    assert printed.getvalue() == "said\n"


def test_other_threads_reach_the_last_resort(capfd: pytest.CaptureFixture[str]):
    with bare_root():
        meanwhile(lambda: say("to stderr", "some.library"))
    assert capfd.readouterr().err == "to stderr\n"


def test_other_threads_can_configure_logging():
    stream = StringIO()
    with bare_root():
        meanwhile(lambda: (logging.basicConfig(stream=stream), say("heard", "some.library")))
    assert "heard" in stream.getvalue()


def test_other_threads_warn_as_ever(recwarn: pytest.WarningsRecorder):
    assert meanwhile(lambda: warnings.warn("mine", UserWarning, stacklevel=1)).lines() == []
    assert [str(warning.message) for warning in recwarn] == ["mine"]


def test_everything_is_as_it_was_afterwards(printed: StringIO):
    from huggingface_hub.utils import are_progress_bars_disabled

    names = ["", "transformers", "datasets", "huggingface_hub"]
    before = [(logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in names]
    show, bars = warnings.showwarning, are_progress_bars_disabled()

    def fail() -> None:
        with quiet(LogBuffer(redact)):
            assert are_progress_bars_disabled()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    after = [(logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in names]
    assert after == before
    assert warnings.showwarning is show
    assert are_progress_bars_disabled() == bars
    assert all(not handler.filters for handler in logging.getLogger().handlers)
    say("again")
    assert printed.getvalue() == "again\n"


def test_the_last_of_several_puts_everything_back():
    from huggingface_hub.utils import are_progress_bars_disabled

    show, bars = warnings.showwarning, are_progress_bars_disabled()
    audit, training = quiet(LogBuffer(redact)), LogBuffer(redact)
    audit.__enter__()

    def train() -> None:
        with quiet(training):
            audit.__exit__(None, None, None)  # it ends while the run goes on
            assert are_progress_bars_disabled()
            warnings.warn("of the run", UserWarning, stacklevel=1)

    run(train, "easymodel-run-1")
    assert training.lines() == ["warning UserWarning: of the run"]
    assert warnings.showwarning is show
    assert are_progress_bars_disabled() == bars
