"""Drives real notebook servers and a real browser; waits on conditions, never for a time."""
