"""The colours of the studio that Python has to know: data series, and static pictures.

The workbench and the dashboard's CSS define the same tokens as `--em-NAME`.
"""

from typing import Literal

Shade = Literal["light", "dark"]

# The light colour, then the dark one.
TOKENS: dict[str, tuple[str, str]] = {
    "canvas": ("#F6F7F9", "#121316"),
    "surface": ("#FFFFFF", "#1A1C20"),
    "line": ("#E2E4E9", "#2A2D33"),
    "line2": ("#CDD1D8", "#3C414A"),
    "line3": ("#858B96", "#767D89"),
    "text": ("#1A1D23", "#E8EAED"),
    "text2": ("#515864", "#ADB3BD"),
    "text3": ("#626974", "#949BA7"),
    "accenttext": ("#3D3EC6", "#ABA8FF"),
    "hover": ("#E9EBEF", "#26292F"),
    "ok": ("#17713F", "#62C790"),
    "warn": ("#845400", "#E3AE52"),
    "err": ("#B4231C", "#FF8F86"),
    "sunken": ("#F3F4F6", "#131518"),
    "accentsoft": ("#EDEDFB", "#22223D"),
    "oksoft": ("#E5F3EB", "#15291F"),
    "warnsoft": ("#FBF0DA", "#2D2413"),
    "errsoft": ("#FCEBEA", "#351C1B"),
    "accent": ("#3D3EC6", "#625DD9"),
    "onaccent": ("#FFFFFF", "#FFFFFF"),
    "dot": ("#D5D9E0", "#2B2F36"),
    "kmodel": ("#87398D", "#D79EDB"),
    "kdataset": ("#0B6E76", "#5FC3CB"),
    "base": ("#787E86", "#B2B5BA"),
    "train": ("#1A9ADE", "#8BC7F9"),
    "validation": ("#CA6515", "#E88F2B"),
    "tuned": ("#3D3EC6", "#837DEE"),
    "human": ("#175838", "#239E79"),
}


def color(name: str, shade: Shade) -> str:
    """A token's colour in one theme."""
    light, dark = TOKENS[name]
    return dark if shade == "dark" else light
