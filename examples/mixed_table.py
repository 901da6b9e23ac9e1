"""From a raw table (two scales, missing values, a category, a boolean, a date) to a model, in two lines."""

from pathlib import Path

import graphkd

data = graphkd.load_dataset("custom", path=Path(__file__).parent / "visitors")
run = graphkd.distill(data)

print("\n".join(data.column_encoding.summary()))
print("share of test nodes:", run.metrics["mean"])
