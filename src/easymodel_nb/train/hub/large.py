"""What is too large to be downloaded without a question, and sizes in words."""

from easymodel_nb.errors import Problem, StudioError


class TooLarge(StudioError):  # noqa: N818  it says what a download is
    """More than the caller may download; `bytes` says how much it is."""

    def __init__(self, name: str, size: float) -> None:
        self.bytes = int(size)
        super().__init__(
            Problem(
                code="download.large",
                severity="note",
                message=f"{name} takes a download of {megabytes(size)}, which begins when "
                "training starts. Until then its rows are not known.",
                field="source",
            )
        )


def refuse_large(name: str, size: float | None, limit: int | None) -> None:
    """Raise TooLarge for what is larger than the limit; an unknown size is let through."""
    if limit is not None and size is not None and size > limit:
        raise TooLarge(name, size)


def megabytes(size: float) -> str:
    """A size in words: "8 MB", "1.2 GB"."""
    if size >= 1e9:  # noqa: PLR2004  a gigabyte
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"  # noqa: PLR2004
