"""OGB's readers of raw files, which load no pickles, have no prompts and download nothing."""

from __future__ import annotations

from graphkd.datasets.ogb.package import no_version_check

with no_version_check():
    from ogb.io.read_graph_raw import read_binary_graph_raw, read_csv_graph_raw

__all__ = ["read_binary_graph_raw", "read_csv_graph_raw"]
