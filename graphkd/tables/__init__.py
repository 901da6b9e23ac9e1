"""Tables of a million rows and more: in memory, or in files that are mapped into it."""

from graphkd.tables.storage import Storage
from graphkd.tables.workspace import Workspace, workspace

__all__ = ["Storage", "Workspace", "workspace"]
