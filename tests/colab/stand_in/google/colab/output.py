"""The one call that anywidget makes there."""


def enable_custom_widget_manager() -> None:
    """Classic Notebook needs no other widget manager."""
