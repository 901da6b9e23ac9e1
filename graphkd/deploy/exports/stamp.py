"""What an exported file states about itself: which rows it takes, and what its inputs and outputs are called."""

from __future__ import annotations

import json
from dataclasses import dataclass

from graphkd.deploy.files import SCHEMA_VERSION, Bundle


@dataclass(frozen=True)
class Stamp:
    """Preprocessing and names of a bundle.

    Args:
        features: ``stored`` or ``binary``, see ``graphkd.datasets.Preprocessing``.
        row_normalize: likewise.
        hops: that rows are propagated over before they reach the file; 0 where it takes raw rows.
        class_names: ``C``; numbers where there are no names.
        feature_names: ``D'``, or empty.
    """

    features: str
    row_normalize: bool
    hops: int
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, bundle: Bundle) -> Stamp:
        """Reads the description of a bundle."""
        about = bundle.description
        sizes, steps = about["student"]["arguments"], about["preprocessing"]
        classes = about["class_names"] or range(int(sizes["num_classes"]))
        names = tuple(map(str, about.get("feature_names") or ()))
        return cls(
            str(steps["features"]),
            bool(steps["row_normalize"]),
            int(about["propagation"]["hops"]),
            tuple(map(str, classes)),
            names if len(names) == int(sizes["num_features"]) else (),  # those of pooled hops have none
        )

    @property
    def steps(self) -> list[str]:
        """The preprocessing in words."""
        return ["binary features"] * (self.features == "binary") + ["row normalisation"] * self.row_normalize

    @property
    def folded(self) -> bool:
        """Whether the file preprocesses rows itself: it cannot where they are propagated in between."""
        return self.hops == 0 and bool(self.steps)

    @property
    def line(self) -> str:
        """Which rows the file takes, in one line."""
        what = " and ".join(self.steps)
        if self.hops:
            hops = f"{self.hops} hop{'s' if self.hops > 1 else ''}"
            parts = f"preprocessing ({what}) and {hops}" if what else hops
            return f"takes rows from prepare(): {parts} {'are' if what or self.hops > 1 else 'is'} not in the file"
        if what:
            return f"takes raw rows: preprocessing ({what}) is in the file"
        return "takes raw rows: the student has no preprocessing"

    @property
    def record(self) -> dict[str, object]:
        """For ``exports.json``: the preprocessing inside the files, nothing where there is none inside."""
        steps = {"features": self.features, "row_normalize": self.row_normalize}
        return {"preprocessing": steps} if self.folded else {}

    @property
    def metadata(self) -> dict[str, str]:
        """Key → text, for formats that have a place for it."""
        from graphkd import __version__

        return {
            "graphkd_version": __version__,
            "schema_version": str(SCHEMA_VERSION),
            "rows": "prepared" if self.hops else "raw",
            "preprocessing": json.dumps({"features": self.features, "row_normalize": self.row_normalize}),
            "preprocessing_in_file": json.dumps(self.folded),
            "hops": str(self.hops),
            "class_names": json.dumps(self.class_names, ensure_ascii=False),
            "feature_names": json.dumps(self.feature_names, ensure_ascii=False),
        }


def quoted(text: str) -> str:
    """A string literal of C and of protobuf's text format: all but plain characters are octal bytes."""
    plain = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "replace")
    )
    return f'"{"".join(plain)}"'
