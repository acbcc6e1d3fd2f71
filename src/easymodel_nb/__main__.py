"""`python -m easymodel_nb` is the `easymodel` command."""

import sys

from easymodel_nb.cli import main

sys.exit(main())
