"""Generates the JSON Schema from which js/protocol.ts is made."""

import json
from typing import Any

from pydantic import BaseModel  # noqa: TC002
from pydantic.json_schema import models_json_schema

from easymodel_nb.errors import Problem
from easymodel_nb.widgets.methods import METHODS
from easymodel_nb.widgets.rpc import ErrorReply
from easymodel_nb.widgets.state import STATE_MODELS, TRAITS
from easymodel_nb.workflow.document import DATA_MODELS, Workflow


def schema() -> dict[str, Any]:
    """One schema with every model of the protocol, and two tables: traits and methods."""
    used: list[type[BaseModel]] = [ErrorReply, Problem, Workflow]
    used += [*STATE_MODELS.values(), *DATA_MODELS.values()]
    for method in METHODS.values():
        used += [method.params, method.result]
    ordered = sorted(set(used), key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "serialization") for model in ordered])
    defs = definitions["$defs"]
    defs["Traits"] = _record({name: STATE_MODELS[name].__name__ for name in TRAITS})
    defs["Methods"] = _record(
        {
            name: {"params": method.params.__name__, "result": method.result.__name__}
            for name, method in METHODS.items()
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Protocol",
        **definitions,
    }


def _record(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fields),
        "properties": {
            name: _record(value) if isinstance(value, dict) else {"$ref": f"#/$defs/{value}"}
            for name, value in fields.items()
        },
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1, sort_keys=True))  # noqa: T201
