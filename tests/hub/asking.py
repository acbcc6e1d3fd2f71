"""Asks a Hub what a studio asks it, in one process that has HF_ENDPOINT set.

A line of JSON in, a line out: {"do": "look", "kind", "data", "finetune"?}, {"do": "suggest", ...},
{"do": "token", "token"}, {"do": "forget"}.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.widgets.hub import Hub
from easymodel_nb.widgets.methods import SuggestParams
from easymodel_nb.widgets.suggest import Suggestions, on_the_hub, on_this_machine
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

_PATIENCE = 60.0


class Desk:
    """What one studio keeps between its questions."""

    def __init__(self, home: Path) -> None:
        self.token: str | None = None
        self.looks = Hub(home, lambda: self.token)
        self.suggestions = Suggestions(on_this_machine, on_the_hub(lambda: self.token))

    def answer(self, question: dict[str, Any]) -> Any:
        """One question."""
        match question.pop("do"):
            case "look":
                return self._look(question)
            case "suggest":
                return self._suggest(SuggestParams(**question))
            case "token":
                self.token = question["token"]
            case "forget":
                self.looks.forget()
                self.suggestions.forget()
        return {}

    def _look(self, question: dict[str, Any]) -> Any:
        data = (ModelData if question["kind"] == "model" else DatasetData)(**question["data"])
        finetune = FinetuneData(**question["finetune"]) if question.get("finetune") else None
        try:
            found = self.looks.describe(data, finetune)
        except StudioError as error:
            return {"refused": error.problems[0].model_dump()}
        assert found is not None
        problem = found.problem.model_dump() if found.problem else None
        plain = dataclasses.asdict(dataclasses.replace(found, problem=None))
        return {**plain, "problem": problem, "facts": {d.name: d.value for d in found.details}}

    def _suggest(self, params: SuggestParams) -> Any:
        ends = time.monotonic() + _PATIENCE
        answer = self.suggestions.ask(params)
        while answer.checking and time.monotonic() < ends:
            time.sleep(0.02)
            answer = self.suggestions.ask(params)
        return answer.model_dump()


if __name__ == "__main__":
    desk = Desk(Path(sys.argv[1]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(desk.answer(json.loads(line)), default=str) + "\n")
        sys.stdout.flush()
