"""Feature store: propagated rows on disk, kept up to date as the graph changes; needs numpy alone."""

from graphkd.deploy.store.store import FeatureStore

__all__ = ["FeatureStore"]
