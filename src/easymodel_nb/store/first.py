"""The first project: a built-in model and data set, connected, ready to train."""

from easymodel_nb.errors import StudioError
from easymodel_nb.store.projects import Project, ProjectStore
from easymodel_nb.workflow.document import (
    DatasetData,
    Edge,
    FinetuneData,
    ModelData,
    Node,
    Position,
    Workflow,
)

NAME = "First model"


def first_workflow() -> Workflow:
    """tiny-gpt2 learns the requests: three epochs, under a minute and a half on two cores."""
    finetune = FinetuneData(epochs=3, batch_size=8, max_length=128, subset_size=1000, eval_size=200)
    return Workflow(
        name=NAME,
        nodes=[
            Node(
                id="m1",
                type="model",
                position=Position(x=0, y=0),
                data=ModelData(source="builtin:tiny-gpt2").model_dump(),
            ),
            Node(
                id="d1",
                type="dataset",
                position=Position(x=0, y=190),
                data=DatasetData(source="builtin:requests", eval_fraction=0.1).model_dump(),
            ),
            Node(
                id="f1",
                type="finetune",
                position=Position(x=404, y=0),
                data=finetune.model_dump(),
            ),
        ],
        edges=[
            Edge(id="e1", source="m1", sourceHandle="model", target="f1", targetHandle="model"),
            Edge(id="e2", source="d1", sourceHandle="dataset", target="f1", targetHandle="dataset"),
        ],
    )


def ensure_project(store: ProjectStore) -> Project:
    """The project to open: the remembered one, else any, else the first one, made now."""
    with store.transaction():
        settings = store.settings.read()
        ids = [info.id for info in store.list_projects()]
        for project_id in (settings.active, *ids):
            if project_id in ids:
                try:
                    project = store.load(project_id)
                except StudioError:  # from a newer version: kept, listed, not opened
                    continue
                store.settings.remember(active=project.id)
                return project
        project = store.create(NAME, first_workflow())
        store.settings.remember(active=project.id, first_project=project.id)
        return project
