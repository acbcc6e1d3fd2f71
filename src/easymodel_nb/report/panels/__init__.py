"""One panel a file: what it shows of a run, as content that any renderer draws."""
