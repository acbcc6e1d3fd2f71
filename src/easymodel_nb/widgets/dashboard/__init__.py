"""The Analytics tab: what `report` says of a run, drawn with bqplot in plain boxes."""
