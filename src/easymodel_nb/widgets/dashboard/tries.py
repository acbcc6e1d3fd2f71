"""The prompt box: the form stays as it is while answers come, so that nobody's typing is lost."""

from easymodel_nb.report.try_box import tried_html, try_form
from easymodel_nb.runlog.tried import Tried
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, plain_box, put


class Tries:
    """The prompt box of a run; hidden while no model could answer."""

    def __init__(self) -> None:
        self._form = html_box("emnb-try-form")
        self._answers = html_box("emnb-try-answers emnb-samples")
        self.box = plain_box("emnb-try emnb-t-try emnb-off", self._form, self._answers)

    def clear(self) -> None:
        """Show none."""
        hide(self.box, on=True)

    def show(self, view: RunView, tried: Tried | None) -> None:
        """Show the box of this run, and what was tried last."""
        form = try_form(view)
        hide(self.box, on=not form)
        put(self._form, form)
        answers = tried_html(tried)
        put(self._answers, answers)
        hide(self._answers, on=not answers)
