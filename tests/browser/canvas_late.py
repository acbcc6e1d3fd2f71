"""The pictures of docs/canvas.md that need more than one hand on one canvas.

Sweeps and old runs, other notebooks, a kernel that is gone, projects by the dozen.
"""

from pathlib import Path

from harness.lab import LabPage
from harness.late import come_back, held_elsewhere, lose_kernel
from harness.projects import WHOLE, prepare
from pictures import Taker
from playwright.sync_api import expect

from easymodel_nb.store.projects import ProjectStore

TRAINING = 600_000
BRIEF = {**WHOLE, "epochs": 1, "eval_size": 16, "analytics_budget": 0}
NAMES = [
    "Support tickets, German and English",
    "Rechtsschutzversicherungsgesellschaften 2026",
    "مشروع تصنيف الرسائل الطويلة",
    "Poems",
    "Slots of requests",
    "Spam or not",
    "Résumé parser",
    "Translation, second try with a smaller learning rate",
]


def desk(home: Path) -> str:
    """Some projects, of which the first one is open."""
    project = prepare(home, BRIEF)
    store = ProjectStore(home)
    for name in NAMES:
        store.create(name)
    return project


class Late:
    """One studio with a home of its own."""

    def __init__(self, page: LabPage, taker: Taker, home: Path, project: str) -> None:
        self.page = page
        self.take = taker.take
        self.home = home
        self.project = project

    def fit(self) -> None:
        """All nodes in view."""
        self.page.page.get_by_role("button", name="Show everything").first.click()

    def sweep(self) -> None:
        """Several values of a field: typed, trained, compared, laid out as nodes."""
        self.page.hook("advanced").click()
        rate = self.page.input("learning_rate")
        rate.fill("1e-6, 1e-4, 1e-3")
        expect(self.page.hook("sweep-runs")).to_have_text("3 runs")
        rate.scroll_into_view_if_needed()
        self.take("sweep")
        self.page.hook("node-panel-close").click()
        self.page.hook("train").click()
        rows = self.page.hook("variants").locator("li")
        for at in range(3):
            expect(rows.nth(at)).to_have_attribute("data-status", "finished", timeout=TRAINING)
        self.take("sweep-runs")
        self.page.node("finetune").focus()
        self.page.page.keyboard.press("i")
        old = self.page.hook("run-row").nth(1)
        old.locator(".em-run-open").click()
        expect(old.get_by_test_id("run-plan")).to_be_visible()
        old.locator(".em-run-open").evaluate("(e) => e.scrollIntoView({block: 'start'})")
        self.take("history")
        self.page.hook("sweep-layout").click()
        expect(self.page.hook("node-panel")).to_have_count(0)  # its node is now three
        self.fit()
        expect(self.page.node("finetune")).to_have_count(3)
        self.take("sweep-laid-out")
        self.page.hook("undo").click()
        expect(self.page.node("finetune")).to_have_count(1)
        self.page.hook("undo").click()
        self.page.node("finetune").focus()
        self.fit()

    def projects(self) -> None:
        """The list with its search; what was deleted, and the question before it is gone."""
        expect(self.page.hook("audit")).to_have_attribute("data-state", "done")
        self.page.hook("project-search").fill("re")
        self.take("projects")
        self.page.hook("project-search").fill("")
        for name in NAMES[3:6]:
            self.page.execute(f"studio.command('project_new', name={name + ' 2'!r})")
            item = self.page.page.locator(f'[data-testid="project-item"][title="{name} 2"]')
            expect(item).to_have_attribute("aria-current", "true")
            item.focus()
            self.page.page.keyboard.press("Delete")
            expect(item).to_have_count(0)
        self.page.hook("project-item", data_project_id=self.project).click()
        self.page.hook("projects-more").click()
        self.page.hook("project-trash").click()
        self.page.hook("trash-empty").click()
        self.take("trash")
        self.page.page.get_by_role("button", name="Keep").click()
        self.page.page.keyboard.press("Escape")
        self.page.page.get_by_role("button", name="Close").first.click()

    def elsewhere(self) -> None:
        """Another notebook has the project; then a kernel that is gone, and edits meanwhile."""
        with held_elsewhere(self.page, self.home, self.project):
            self.take("held")
        fields = self.page.page.get_by_title("Press to show the fields")
        if fields.count():
            fields.click()
        lose_kernel(self.page, self.home, epochs="31", batch_size="16")
        self.take("kept")
        come_back(self.page, self.home, self.project, epochs=51, batch_size=4)
        expect(self.page.hook("audit")).to_have_attribute("data-state", "done")
        self.take("offered")
        self.page.hook("draft-use").click()
        expect(self.page.hook("conflict")).to_be_visible()
        self.take("conflict")
