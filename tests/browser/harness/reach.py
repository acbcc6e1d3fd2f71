"""What people see who see badly, and reach who use no mouse: axe-core, contrast, the focus."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from harness.browser import RESULTS

_HERE = Path(__file__).parent
_AXE = _HERE.parents[2] / "src/easymodel_nb/js/node_modules/axe-core/axe.min.js"
_RUN = """async (selector) => {
  const {violations} = await axe.run(selector, {
    resultTypes: ['violations'], iframes: false,
    rules: {'color-contrast': {enabled: false}}, // `pale` looks closer, and in every dress
  });
  return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) =>
    `${v.id} (${v.impact}): ${v.help}\\n` + v.nodes.slice(0, 4).map((n) =>
      `    ${n.target} ${n.html.slice(0, 160)} ${n.failureSummary?.split('\\n')[1]}`
    ).join('\\n'));
}"""
STUDIO = '[data-testid="em-studio"]'
THEMES = ("light", "dark")
CONTRASTS = ("no-preference", "more")
LEAST = 4.5
"""The contrast of text that WCAG 2 asks for (1.4.3)."""


class Reach:
    """The looks at one page; the scripts they need are put into it once."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def _have(self, name: str, script: Path) -> None:
        if not self.page.evaluate(f"() => Boolean(window.{name})"):
            assert script.exists(), f"{script} is missing: run `npm ci` in src/easymodel_nb/js."
            self.page.evaluate(script.read_text(encoding="utf-8"))

    def violations(self) -> list[str]:
        """What axe-core finds of serious and critical weight in the studio."""
        self._have("axe", _AXE)
        return [str(found) for found in self.page.evaluate(_RUN, STUDIO)]

    def pale(self, least: float = LEAST) -> list[str]:
        """The texts of the studio whose contrast is too small, as sentences."""
        self._have("emnbReach", _HERE / "reach.js")
        looked: dict[str, Any] = self.page.evaluate(
            "([selector, least]) => emnbReach.pale(document.querySelector(selector), least)",
            [STUDIO, least],
        )
        assert looked["seen"] > 5, "No text was seen: the look is wrong, not the studio."
        return [
            f"{text!r} ({classes}): {_rgb(colour)} on {_rgb(behind)} is {ratio}"
            for text, colour, behind, ratio, classes in looked["found"]
        ]

    def dress(self, theme: str, contrast: str) -> None:
        """Theme and contrast as the page around the studio has them, with nothing pressed."""
        self.page.emulate_media(contrast=contrast)  # type: ignore[arg-type]
        light = "true" if theme == "light" else "false"
        self.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light }", light)
        frame = self.page.locator(STUDIO)
        expect(frame).to_have_attribute("data-theme", theme)
        expect(frame).to_have_attribute("data-contrast", "more" if contrast == "more" else "normal")
        self.page.wait_for_function(
            "() => document.getAnimations().every("
            "(a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)"
        )

    def look(self, state: str) -> list[str]:
        """All that is wrong with one state: by axe-core, and in every dress by contrast."""
        wrong = [f"{state}: {line}" for line in self.violations()]
        for contrast in CONTRASTS:
            for theme in THEMES:
                self.dress(theme, contrast)
                told = f"{state}, {theme}, contrast {contrast}"
                wrong += [f"{told}: {line}" for line in self.pale()]
        self.dress("light", "no-preference")
        return wrong

    def focused(self) -> dict[str, Any] | None:
        """What has the focus, or None where nothing has it."""
        self._have("emnbReach", _HERE / "reach.js")
        found: dict[str, Any] | None = self.page.evaluate("() => emnbReach.focused()")
        return found

    def picture(self, name: str) -> None:
        """Keep what was looked at, to be looked at."""
        RESULTS.mkdir(exist_ok=True)
        self.page.locator(STUDIO).screenshot(path=RESULTS / f"reach-{name}.png")


def _rgb(colour: list[float]) -> str:
    return "#" + "".join(f"{round(c):02x}" for c in colour[:3])
