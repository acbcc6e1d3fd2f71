"""Record a real run for `studio(replay="builtin:NAME")`: train a template, keep what it wrote down.

    python tools/record_run.py requests generation

trains the built-in project of that task, with analytics, on this machine, and writes
`src/easymodel_nb/builtin/recorded/requests.zip`: log, samples and scores, without the model and
without the paths of this machine. Nothing in it is edited by hand.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

from easymodel_nb.report.files import record
from easymodel_nb.store.templates import TEMPLATES
from easymodel_nb.train.api import train

RECORDED = Path(__file__).parents[1] / "src/easymodel_nb/builtin/recorded"
LARGEST = 200_000


def main(name: str, task: str) -> int:
    """Train, then pack; 1 where the run did not finish or is too large for the package."""
    with tempfile.TemporaryDirectory() as home:
        workflow = TEMPLATES[task]()
        for node in workflow.of_type("finetune"):
            node.data["analytics_budget"] = 1.0  # the recording is to show every panel
        (run,) = train(workflow.dump(), home=home)
        if run.status != "finished":
            print(f"The run is {run.status}: {run.view.problem}")
            return 1
        RECORDED.mkdir(exist_ok=True)
        target = RECORDED / f"{name}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in record(run.folder):
                archive.writestr(f"{run.id}/{Path(file.name).name}", file.content)
        types = [json.loads(line)["type"] for line in (run.folder / "events.jsonl").open()]
    size = target.stat().st_size
    print(f"{target}: {size:,} bytes, {len(types)} events")
    return int(size > LARGEST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
