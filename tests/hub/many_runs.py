"""Trains many workflows in one process that has HF_ENDPOINT set: what came of each, as JSON.

Usage: python many_runs.py HOME < cases.json, a list of {"workflow", "token"}.
"""

import json
import sys

from easymodel_nb.errors import StudioError
from easymodel_nb.train.api import train

for case in json.load(sys.stdin):
    try:
        (run,) = train(case["workflow"], home=sys.argv[1], token=case["token"] or None)
    except StudioError as error:  # the audit's word, before there is a run
        problem = error.problems[0].model_dump()
        print(json.dumps({"status": "refused", "problem": problem, "detail": ""}))  # noqa: T201
        continue
    view = run.view
    problem = view.problem.model_dump() if view.problem else None
    print(json.dumps({"status": view.status, "problem": problem, "detail": view.detail}))  # noqa: T201
