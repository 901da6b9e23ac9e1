"""Metadata in an exported file: which rows it takes, and the names of its features and classes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from graphkd.deploy.exports.raw_columns import RawColumn
from graphkd.deploy.files import SCHEMA_VERSION, Bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.scaling import Scaling, scaling_of, too_far


@dataclass(frozen=True)
class Stamp:
    """Preprocessing and names of a bundle.

    Args:
        features: ``stored`` or ``binary``, see ``graphkd.datasets.Preprocessing``.
        row_normalize: see ``graphkd.datasets.Preprocessing``.
        hops: number of hops that the rows must be propagated over beforehand; 0 if the file takes raw rows.
        class_names: ``C`` names; numbers if the classes have no names.
        feature_names: ``D'`` names, or empty.
        positions: whether the rows contain positions of nodes, which must be looked up beforehand.
        columns: raw columns of the table whose encoding the features are, or empty.
        scaling: of raw columns, if that is their whole encoding and the file includes it; or None.
    """

    features: str
    row_normalize: bool
    hops: int
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    positions: bool = False
    columns: tuple[RawColumn, ...] = ()
    scaling: Scaling | None = None

    @classmethod
    def of(cls, bundle: Bundle) -> Stamp:
        """Reads the stamp from a bundle's description."""
        description = bundle.description
        sizes, steps = description["student"]["arguments"], description["preprocessing"]
        parts = InputParts.of(description)
        classes = description["class_names"] or range(int(sizes["num_classes"]))
        names = tuple(map(str, description.get("feature_names") or ()))
        return cls(
            str(steps["features"]),
            bool(steps["row_normalize"]),
            parts.hops,
            tuple(map(str, classes)),
            names if len(names) == int(sizes["num_features"]) else (),  # features concatenated over hops have none
            parts.dim > 0,
            RawColumn.of(bundle.columns),
            scaling_of(bundle),
        )

    @property
    def steps(self) -> list[str]:
        """Names of the preprocessing steps."""
        return ["binary features"] * (self.features == "binary") + ["row normalisation"] * self.row_normalize

    @property
    def folded(self) -> bool:
        """Whether the file includes the preprocessing; impossible if rows are propagated in between."""
        return self.takes_raw_rows and bool(self.steps)

    @property
    def takes_raw_rows(self) -> bool:
        """Whether nothing is computed for a row beforehand."""
        encoded = bool(self.columns) and self.scaling is None
        return self.hops == 0 and not self.positions and not encoded

    @property
    def line(self) -> str:
        """One-line description of the rows that the file takes."""
        text = " and ".join(self.steps)
        if not self.takes_raw_rows:
            hops = [f"{self.hops} hop{'s' if self.hops > 1 else ''}"] if self.hops else []
            parts = ["the encoding of columns"] * bool(self.columns) + [f"preprocessing ({text})"] * bool(text)
            parts += [*hops, *["positions"] * self.positions]
            several = len(parts) > 1 or self.hops > 1 or self.positions
            return f"takes rows from prepare(): {' and '.join(parts)} {'are' if several else 'is'} not in the file"
        if self.scaling is not None:
            return "takes raw rows, numbers in the order of columns (NaN if missing): their scaling is in the file"
        if text:
            return f"takes raw rows: preprocessing ({text}) is in the file"
        return "takes raw rows: the student has no preprocessing"

    @property
    def record(self) -> dict[str, object]:
        """Entries of ``exports.json``: the preprocessing and the encoding in the files, empty if there is none."""
        steps = {"features": self.features, "row_normalize": self.row_normalize}
        scaled = {} if self.scaling is None else {"columns": "scaled"}
        return {**({"preprocessing": steps} if self.folded else {}), **scaled}

    @property
    def metadata(self) -> dict[str, str]:
        """Key → text, for formats with metadata."""
        from graphkd import __version__

        return {
            "graphkd_version": __version__,
            "schema_version": str(SCHEMA_VERSION),
            "rows": "raw" if self.takes_raw_rows else "prepared",
            "preprocessing": json.dumps({"features": self.features, "row_normalize": self.row_normalize}),
            "preprocessing_in_file": json.dumps(self.folded),
            "hops": str(self.hops),
            "class_names": json.dumps(self.class_names, ensure_ascii=False),
            "feature_names": json.dumps(self.feature_names, ensure_ascii=False),
            "columns": json.dumps([column.record for column in self.columns], ensure_ascii=False),
            "columns_in_file": json.dumps(self.scaling is not None),
        }


def why_not_scaled(bundle: Bundle) -> str:
    """Returns why a file leaves out the scaling of columns that is their whole encoding; empty if it does not."""
    column = too_far(bundle.columns)
    if column is None or not InputParts.of(bundle.description).is_raw:
        return ""
    return (
        f"column '{' '.join(column.name.split())}' is {abs(column.shift):.3g} from zero and varies by "
        f"{column.scale:.3g}, of which single precision loses too much: its scaling is left to prepare()"
    )


def quoted(text: str) -> str:
    """Returns a string literal of C and of protobuf's text format: octal escapes for all but plain characters."""
    plain = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "replace")
    )
    return f'"{"".join(plain)}"'
