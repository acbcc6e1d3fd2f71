"""A digest of rows, by which a later reader knows them again."""

import hashlib
import json

import pyarrow as pa


def fingerprint(table: pa.Table) -> str:
    """A digest of the rows and their columns."""
    digest = hashlib.sha256()
    digest.update(json.dumps(table.column_names).encode())
    for batch in table.to_batches(max_chunksize=10_000):
        digest.update(json.dumps(batch.to_pylist(), default=str, ensure_ascii=False).encode())
    return digest.hexdigest()[:16]
