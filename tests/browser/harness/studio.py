"""The studio as a user sees it, found by its test hooks."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from harness.waiting import until

ENDED = re.compile("finished|stopped|failed|interrupted")
TRAINING_PATIENCE = 180_000
"""Milliseconds a run may take on a machine that does much else."""


class StudioPage:
    """A page with a studio in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def hook(self, name: str, **attributes: str) -> Locator:
        """The visible parts with a test hook; the attributes are `data_...` names."""
        selector = f'[data-testid="{name}"]' + "".join(
            f'[{key.replace("_", "-")}="{value}"]' for key, value in attributes.items()
        )
        return self.page.locator(selector).locator("visible=true")

    def ready(self) -> Locator:
        """The studio, once it can be used."""
        studio = self.page.locator('[data-testid="em-studio"][data-state="ready"]').last
        expect(studio).to_be_visible()
        return studio

    def node(self, kind: str = "finetune") -> Locator:
        """The node of a type."""
        return self.hook("node", data_node_type=kind)

    def menu(self, kind: str = "finetune") -> Locator:
        """The menu of the node of a type, open.

        A click misses the button where the canvas gets another width under it, as it does
        while a panel beside it goes; a second click then meets it.
        """
        menu = self.hook("context-menu")

        def opened() -> bool:
            if not menu.is_visible():
                self.node(kind).locator(".em-menu-button").click()
            return menu.is_visible()

        until(opened, f"menu of the {kind} node")
        return menu

    def details(self, kind: str = "finetune") -> None:
        """Open the details of the node of a type by its menu."""
        self.menu(kind).get_by_role("menuitem", name="Details").click()
        expect(self.hook("node-panel")).to_be_visible()

    def status(self, *wanted: str) -> None:
        """Wait until the finetuning node has one of these statuses."""
        expect(self.node()).to_have_attribute(
            "data-status", re.compile("|".join(wanted)), timeout=TRAINING_PATIENCE
        )

    def field(self, name: str) -> Locator:
        """One field of the open node or of the inspector."""
        return self.hook(f"field-{name}")

    def input(self, name: str) -> Locator:
        """What one types in, or chooses from, in a field."""
        field = self.field(name)
        inside = field.locator("input, select, textarea")
        return inside if inside.count() else field

    def train(self) -> None:
        """Click Train Model."""
        self.hook("train").click()

    def token(self, name: str) -> str:
        """A colour or other token of the studio's stylesheet, as computed."""
        return str(
            self.ready().evaluate("(e, n) => getComputedStyle(e).getPropertyValue(n)", name)
        ).strip()

    def computed(self, locator: Locator, name: str) -> str:
        """A computed style."""
        return str(locator.evaluate("(e, n) => getComputedStyle(e)[n]", name))

    def table(self, chart: str) -> list[list[str]]:
        """The accessible table of a chart, row by row."""
        found: Any = self.page.locator(f'[data-testid="{chart}"] table').first.evaluate(
            "(t) => [...t.rows].map((r) => [...r.cells].map((c) => c.textContent.trim()))"
        )
        return [list(row) for row in found]
