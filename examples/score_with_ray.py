"""Scores a parquet folder with Ray Data: python examples/score_with_ray.py BUNDLE ROWS OUTPUT."""

import sys

import numpy as np
import ray

import graphkd


class Score:
    """An actor: loads the student once, then takes batches."""

    def __init__(self, bundle):
        self.model = graphkd.load_bundle(bundle, runtime="onnx")

    def __call__(self, batch):
        """Columns of arrays in, columns out."""
        x = np.stack([batch[name] for name in self.model.feature_names], axis=1)
        proba = self.model.predict_proba(x)
        best = proba.argmax(axis=1)
        names = np.array(self.model.class_names)
        return {"id": batch["id"], "name": names[best], "probability": proba.max(axis=1)}


bundle, rows, output = sys.argv[1:]
actors = ray.data.ActorPoolStrategy(min_size=1, max_size=8)  # reading needs CPUs too
scored = ray.data.read_parquet(rows).map_batches(
    Score, fn_constructor_args=(bundle,), batch_size=4096, compute=actors
)
scored.write_parquet(output)
