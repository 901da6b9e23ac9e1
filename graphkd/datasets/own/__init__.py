"""A person's own graph → ``torch_geometric`` data: from networkx, scipy, pandas, or a folder of files."""

from graphkd.datasets.own.folder import custom
from graphkd.datasets.own.frames import from_frames
from graphkd.datasets.own.networkx import from_networkx
from graphkd.datasets.own.scipy import from_scipy

__all__ = ["custom", "from_frames", "from_networkx", "from_scipy"]
