"""What a run says of itself: findings, panels, tables, pages. Views of the log; no widget.

Whoever shows them draws the same content: bqplot in the notebook, SVG in a page without a kernel.
"""
