"""Runs and their folders."""

from graphkd.runs.advice import advice, class_warnings
from graphkd.runs.angles import Angles
from graphkd.runs.batched import Job, train_ahead
from graphkd.runs.evaluation import Evaluation
from graphkd.runs.folder import CHECKSUMS, PLACES, RunFolder, data_checksums, read_config, read_metrics
from graphkd.runs.influence import InfluenceProfile
from graphkd.runs.live_log import LiveLog
from graphkd.runs.metrics import (
    NAMES,
    PARTS,
    PLAIN,
    TESTS,
    TRANSFORMED,
    RunFacts,
    default_name,
    selected,
    summarise,
    versions,
)
from graphkd.runs.preflight import check_disk, check_memory
from graphkd.runs.run import Run
from graphkd.runs.secondary_rank import SecondaryRank, check_shared, open_run
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
    "Evaluation",
    "InfluenceProfile",
    "Job",
    "LiveLog",
    "Run",
    "RunFacts",
    "RunFolder",
    "SecondaryRank",
    "SeedRun",
    "advice",
    "check_disk",
    "check_memory",
    "check_shared",
    "class_warnings",
    "data_checksums",
    "default_name",
    "open_run",
    "read_config",
    "read_metrics",
    "selected",
    "summarise",
    "train_ahead",
    "versions",
]
