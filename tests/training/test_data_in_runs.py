"""What was guessed of a file stands in the run's plan, what is worth a word among its warnings."""

from pathlib import Path

from small_runs import small

from easymodel_nb.train.api import train


def test_guesses_and_notes_of_a_run(tmp_path: Path):
    lines = "".join(f"Frage {n}, bitte;Antwort für {n}\n\n" for n in range(20))
    path = tmp_path / "a.csv"
    path.write_bytes(f"prompt;target\n{lines}".encode("cp1252"))
    (run,) = train(small(str(path), epochs=1))
    assert run.status == "finished", run.view.detail
    chosen = {choice["field"]: choice for choice in run.plan["choices"]}
    assert chosen["format.delimiter"]["value"] == ";"
    assert chosen["format.encoding"]["value"] == "cp1252"
    assert chosen["format.header"]["value"] is True
    assert all(choice["reason"] for choice in chosen.values())
    warned = {w.code: (w.node, w.field) for w in run.view.warnings}
    assert warned["rows.blank"] == ("d1", "source")


def test_the_user_names_the_format(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("".join(f"say {n};it is {n}\n" for n in range(20)))
    form = {"format": {"header": False, "delimiter": ";"}}
    fields = {"prompt_field": "column_0", "target_field": "column_1"}
    (run,) = train(small(str(path), dataset=form, epochs=1, **fields))
    assert run.status == "finished", run.view.detail
    assert run.plan["dataset"]["train_rows"] + run.plan["dataset"]["eval_rows"] == 20
    assert not any(c["field"] == "format.header" for c in run.plan["choices"])
