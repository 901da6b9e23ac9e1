"""Tables of a million rows and more: in memory, or in memory-mapped files."""

from graphkd.outofcore.options import TableOptions
from graphkd.outofcore.store import TableStore, table_store

__all__ = ["TableOptions", "TableStore", "table_store"]
