"""A run is an append-only log of events; everything else is a view of it."""
