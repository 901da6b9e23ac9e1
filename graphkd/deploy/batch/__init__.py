"""Rows of a file of any size, scored block by block into another file; see ``graphkd predict``."""
