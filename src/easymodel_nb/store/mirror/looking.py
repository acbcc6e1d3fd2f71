"""What the other machines have there, the newest of each first."""

from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.manifest import KEPT, Manifest, machines, manifests


def look(folder: Synced) -> dict[str, list[Manifest]]:
    """By machine: the manifests that can be read, a few of each."""
    found = {}
    for machine in machines(folder):
        kept = []
        for manifest in manifests(folder, machine):
            kept.append(manifest)
            if len(kept) == KEPT:
                break
        if kept:
            found[machine] = kept
    return found
