"""Encoding of raw tables: numbers of any scale, missing values, categories, booleans and dates become features.

Fitted with scikit-learn, replayed with numpy alone.
"""

from graphkd.columns.encoding import ColumnEncoding

__all__ = ["ColumnEncoding"]
