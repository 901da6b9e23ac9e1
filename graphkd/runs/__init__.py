"""Runs and their folders."""

from graphkd.runs.advice import advice
from graphkd.runs.angles import Angles
from graphkd.runs.batched import Job, train_ahead
from graphkd.runs.folder import CHECKSUMS, PLACES, RunFolder, data_checksums, read_config, read_metrics
from graphkd.runs.influence import InfluenceProfile
from graphkd.runs.metrics import NAMES, PARTS, PLAIN, TESTS, TRANSFORMED, default_name, summarise, versions
from graphkd.runs.preflight import check_disk, check_memory
from graphkd.runs.run import Run
from graphkd.runs.secondary_rank import check_shared, open_run
from graphkd.runs.seed import SeedRun

__all__ = [
    "CHECKSUMS",
    "NAMES",
    "PARTS",
    "PLACES",
    "PLAIN",
    "TESTS",
    "TRANSFORMED",
    "Angles",
    "InfluenceProfile",
    "Job",
    "Run",
    "RunFolder",
    "SeedRun",
    "advice",
    "check_disk",
    "check_memory",
    "check_shared",
    "data_checksums",
    "default_name",
    "open_run",
    "read_config",
    "read_metrics",
    "summarise",
    "train_ahead",
    "versions",
]
