"""Conversion of custom graphs to ``torch_geometric`` data: from networkx, scipy, pandas, or a folder."""

from graphkd.datasets.custom.folder import custom
from graphkd.datasets.custom.frames import from_frames
from graphkd.datasets.custom.networkx import from_networkx
from graphkd.datasets.custom.scipy import from_scipy

__all__ = ["custom", "from_frames", "from_networkx", "from_scipy"]
