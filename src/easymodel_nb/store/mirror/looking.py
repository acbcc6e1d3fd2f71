"""What the other machines have there, the newest of each first."""

from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.manifest import KEPT, Manifest, machines, manifests


def look(folder: Synced, depth: int = KEPT) -> dict[str, list[Manifest]]:
    """By machine: the newest manifests that can be read, so many of each."""
    found = {}
    for machine in machines(folder):
        kept = []
        for manifest in manifests(folder, machine):
            kept.append(manifest)
            if len(kept) == depth:
                break
        if kept:
            found[machine] = kept
    return found
