"""Ingest of large tables of edges and nodes to CSR matrices in memory-mapped files, out of core.

>>> from pathlib import Path
>>> ingest_folder(Path("no-such-folder"), Path("mapped"))
Traceback (most recent call last):
...
graphkd.errors.GraphKDError: no-such-folder holds no folder edges of *.parquet: add it
"""

from graphkd.ingest.csr import MappedCSR
from graphkd.ingest.folder import ingest_folder
from graphkd.ingest.graph import MappedGraph

__all__ = ["MappedCSR", "MappedGraph", "ingest_folder"]
