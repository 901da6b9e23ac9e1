"""Scores a parquet folder with Spark: spark-submit examples/score_with_spark.py BUNDLE ROWS OUTPUT."""

import sys

import pandas as pd
from pyspark.sql import SparkSession

import graphkd

bundle, rows, output = sys.argv[1:]


def score(batches):
    """Loads the student once per partition, then takes frames."""
    model = graphkd.load_bundle(bundle, runtime="onnx")
    for frame in batches:
        proba = model.predict_proba(frame[model.feature_names].to_numpy("float32"))
        names = [str(model.class_names[best]) for best in proba.argmax(axis=1)]
        yield pd.DataFrame({"id": frame["id"], "name": names, "probability": proba.max(axis=1)})


spark = SparkSession.builder.getOrCreate()
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 4096)
scored = spark.read.parquet(rows).mapInPandas(score, "id string, name string, probability float")
scored.write.parquet(output)
