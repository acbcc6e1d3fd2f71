"""Colours for the traits of bqplot's marks."""

from functools import cache

import ipywidgets

from easymodel_nb.report.theme import color


@cache
def takes_css_variables() -> bool:
    """Whether the colour traits of the installed ipywidgets accept `var(--name)`.

    Version 8 does; 7.7, which Colab has, does not.
    """
    return int(ipywidgets.__version__.split(".")[0]) >= 8  # noqa: PLR2004


def ink(token: str) -> str:
    """A colour token for a trait of a mark.

    Where ipywidgets takes no CSS variable it is the light value, which scoped
    CSS maps to the token of the theme.
    """
    return f"var(--em-{token})" if takes_css_variables() else color(token, "light")
