"""Tables of a million rows and more: in memory, or in files that are mapped into it."""

from graphkd.outofcore.options import TableOptions
from graphkd.outofcore.store import TableStore, table_store

__all__ = ["TableOptions", "TableStore", "table_store"]
