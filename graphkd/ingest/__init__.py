"""Ingest of large tables of edges and nodes to CSR matrices in memory-mapped files, out of core."""

from graphkd.ingest.csr import MappedCSR
from graphkd.ingest.folder import ingest_folder
from graphkd.ingest.graph import MappedGraph

__all__ = ["MappedCSR", "MappedGraph", "ingest_folder"]
