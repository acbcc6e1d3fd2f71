"""The copy of a home on a synced folder, such as Google Drive: saved to, restored from.

Work happens on the local disk. On the synced folder each machine writes only below a folder of
its own; a file there is written once and never changed, and counts when a manifest, written last,
names it with its checksum. So neither delays nor stale reads nor a kill can mix two states.
"""
