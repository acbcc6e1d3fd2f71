"""A drawing as a PNG, by resvg: no browser, no cairo, one small wheel."""

from functools import cache

from easymodel_nb.errors import problem_error

_ZOOM = 2
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text y="15" font-family="sans-serif">M</text></svg>'
)


def png(drawing: str, *, zoom: float = _ZOOM) -> bytes:
    """The pixels of an SVG text; of the colours of "auto" the light ones.

    Raises
    ------
    StudioError
        When resvg-py is not installed, or this machine has no font to write with.

    """
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415  its fonts take a moment
    except ImportError:
        raise problem_error(
            "png.unavailable",
            "PNG files need the package resvg-py, which is not installed: pip install resvg-py. "
            "The SVG files are there, and the page saves PNG itself.",
        ) from None
    if not _writes():
        raise problem_error(
            "png.no_font",
            "This machine has no font, so a PNG would have no text. Install one (on Debian: "
            "apt-get install fonts-dejavu-core); the SVG files are there.",
        )
    return bytes(svg_to_bytes(svg_string=drawing, zoom=zoom))


@cache
def _writes() -> bool:
    """Whether a letter leaves a mark: without fonts a text is left out in silence."""
    from resvg_py import svg_to_bytes  # noqa: PLC0415

    blank = svg_to_bytes(svg_string=_PROBE, skip_system_fonts=True)
    return bytes(svg_to_bytes(svg_string=_PROBE)) != bytes(blank)
