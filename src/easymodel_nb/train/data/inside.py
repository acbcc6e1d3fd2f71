"""Paths that stay inside the folder the user named."""

from pathlib import Path

from easymodel_nb.train.data.reading import Reading, refusal

_MOST = 20_000  # files and folders


def everything(folder: Path, reading: Reading) -> list[Path]:
    """Every file and folder in a folder and those in it, sorted.

    Raises
    ------
    StudioError
        When there are far more than a dataset has: the disk's root was named by mistake.

    """
    found = []
    for path in folder.rglob("*"):
        found.append(path)
        if len(found) > _MOST:
            raise refusal(
                "source.too_many",
                f"{folder} holds more than {_MOST:,} files. Choose the folder that holds the data "
                "alone.",
            )
        if len(found) % 100 == 0:
            reading.check()
    return sorted(found)


def inside(folder: Path, path: Path) -> Path:
    """The path, when it lies in the folder also after its links were followed.

    A snapshot in the Hub's own cache is a folder of links to the blobs beside it: they count
    as inside.

    Raises
    ------
    StudioError
        When it leads elsewhere.

    """
    root = folder.resolve()
    allowed = [root]
    if root.parent.name == "snapshots":
        allowed.append(root.parent.parent / "blobs")
    target = path.resolve()
    if not any(target.is_relative_to(place) for place in allowed):
        raise refusal(
            "source.outside",
            f"{path.name} in {folder.name} leads to a place outside the folder, so it was not "
            "read. Put the file into the folder, or choose it by its own path.",
        )
    return path
