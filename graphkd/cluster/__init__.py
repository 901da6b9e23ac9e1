"""Clusters on which tables are computed and files are scored; their tasks are in ``graphkd.cluster.session``."""

from graphkd.cluster.parts import NoCluster, Ray

__all__ = ["NoCluster", "Ray"]
