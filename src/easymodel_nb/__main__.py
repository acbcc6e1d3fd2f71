"""`python -m easymodel_nb` is the `easymodel` command."""

import sys


def run() -> int:
    """Run the command; an interrupt while it is still being imported ends it without a trace."""
    try:
        from easymodel_nb.cli import main  # noqa: PLC0415

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
