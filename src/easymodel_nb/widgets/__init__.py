"""What is seen in the cell: the workbench (React), the dashboard (bqplot) and their box."""
