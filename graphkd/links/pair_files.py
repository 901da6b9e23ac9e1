"""Files of pairs: read in parts, and written with their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.atomic_io import whole_file
from graphkd.errors import GraphKDError
from graphkd.io.parquet import open_parquet
from graphkd.links.predictor import LinkPredictor

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("source", "target")
"""Columns of a file of pairs, as of a file of edges."""

PART = 2**18
"""Pairs that are read, scored and written at a time."""

BLOCK = 2**24
"""Scores of nodes against all others that are held at a time."""


def score_pairs(predictor: LinkPredictor, source: Path, target: Path) -> int:
    """Scores the pairs of a file, and writes ``source``, ``target``, ``score`` and ``probability`` of each.

    Args:
        predictor: of links.
        source: ``.csv`` or ``.parquet`` with columns ``source`` and ``target``, the ids of nodes; others are left.
        target: ``.csv`` or ``.parquet``.

    Returns:
        The number of pairs.

    Raises:
        GraphKDError: a file of another kind, without these columns, or with an id that is no node.
    """

    def scored(part: pd.DataFrame, first: int) -> pd.DataFrame:
        where = f"{source} rows {first} to {first + len(part) - 1}"
        ends = [predictor.nodes.numbers(_column(part, name, source), f"{where}, {name}") for name in ENDS]
        scores = predictor.score(np.stack([end.numpy() for end in ends], axis=1)).numpy()
        return part[list(ENDS)].assign(score=scores, probability=probabilities_of(scores))

    return _written(_numbered(_parts(source), scored), target)


def write_top_k(predictor: LinkPredictor, k: int, known: list[np.ndarray[Any, Any]], target: Path) -> int:
    """Finds the best ``k`` partners of every node, and writes ``source``, ``target``, ``rank``, ``score``.

    Args:
        predictor: of links.
        k: of each node; fewer where it has not as many.
        known: of each node, the numbers of those that it is linked with, which are left out.
        target: ``.csv`` or ``.parquet``.

    Returns:
        The number of rows.
    """
    return _written(_nearest(predictor, k, known), target)


def _nearest(predictor: LinkPredictor, k: int, known: list[np.ndarray[Any, Any]]) -> Iterator[pd.DataFrame]:
    """Yields the partners of a block of nodes at a time, whose scores against all nodes fit in memory."""
    import pandas as pd

    count, ids = predictor.num_nodes, predictor.nodes
    size, k = max(1, BLOCK // count), min(k, count)
    for start in range(0, count, size):
        nodes = np.arange(start, min(start + size, count))
        scores, found = (part.numpy() for part in predictor.top_k_each(nodes, k, known[start : start + size]))
        kept = np.isfinite(scores)
        row, rank = kept.nonzero()
        own, partner = ids.named(nodes[row]), ids.named(found[kept])
        yield pd.DataFrame({"source": own, "target": partner, "rank": rank + 1, "score": scores[kept]})


def _numbered(
    parts: Iterator[pd.DataFrame], scored: Callable[[pd.DataFrame, int], pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    first = 0
    for part in parts:
        yield scored(part, first)
        first += len(part)


def _parts(file: Path) -> Iterator[pd.DataFrame]:
    """Yields the rows of a file in order; the texts of a csv as they are written."""
    import pandas as pd

    if not file.is_file():
        raise GraphKDError(f"{file} is no file: give pairs as .csv or .parquet, with columns source and target")
    if file.suffix == ".csv":
        try:
            with pd.read_csv(file, chunksize=PART, dtype=str, keep_default_na=False, encoding="utf-8") as reader:
                yield from reader
        except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise GraphKDError(f"{file} cannot be read as csv ({reason}): correct it") from None
        return
    if file.suffix != ".parquet":
        raise GraphKDError(f"{file} is neither .csv nor .parquet: give pairs in one of them")
    with open_parquet(file) as table:
        try:
            for batch in table.iter_batches(PART):
                yield batch.to_pandas()
        except (ValueError, OSError) as error:  # the base classes of pyarrow's errors
            reason = " ".join(str(error).split())
            raise GraphKDError(f"{file} cannot be read as parquet ({reason}): write it again") from None


def _column(part: pd.DataFrame, name: str, file: Path) -> Any:
    if name not in part.columns:
        shown = ", ".join(map(str, part.columns[:8]))
        raise GraphKDError(f"{file} has no column '{name}', but {shown or 'none'}: pairs have source and target")
    return part[name].to_numpy()


def probabilities_of(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Computes the sigmoid of logits, in double precision and without overflow.

    >>> probabilities_of(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    half: np.ndarray[Any, Any] = 0.5 * (1 + np.tanh(0.5 * scores.astype(np.float64)))
    return half.astype(np.float32)


def _written(parts: Iterator[pd.DataFrame], target: Path) -> int:
    """Writes frames of the same columns one after another, to a whole file."""
    with whole_file(target) as draft:
        return _to_csv(parts, draft) if target.suffix == ".csv" else _to_parquet(parts, draft)


def _to_csv(parts: Iterator[pd.DataFrame], draft: Path) -> int:
    count = 0
    with draft.open("w", encoding="utf-8", newline="") as file:
        for at, part in enumerate(parts):
            part.to_csv(file, index=False, header=at == 0)
            count += len(part)
    return count


def _to_parquet(parts: Iterator[pd.DataFrame], draft: Path) -> int:
    import pyarrow
    import pyarrow.parquet

    count, writer = 0, None
    try:
        for part in parts:
            table = pyarrow.Table.from_pandas(part, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(draft, table.schema)
            writer.write_table(table)
            count += len(part)
    finally:
        if writer is not None:
            writer.close()
    return count
