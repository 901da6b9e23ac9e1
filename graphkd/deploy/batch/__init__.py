"""Batch scoring: rows of a file of any size are scored in blocks into another file; see ``graphkd predict``."""
