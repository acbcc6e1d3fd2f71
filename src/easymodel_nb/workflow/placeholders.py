"""What stands in an exported project for a file or folder of the machine it came from."""

CHOOSE = "choose:"  # choose:reviews.csv


def placeholder(name: str) -> str:
    """The source that says: choose the file of that name again."""
    return f"{CHOOSE}{name}"


def to_choose(source: str) -> str | None:
    """The name of what has to be chosen again; None where the source is one."""
    text = source.strip()
    return text.removeprefix(CHOOSE).strip() or "a file" if text.startswith(CHOOSE) else None
