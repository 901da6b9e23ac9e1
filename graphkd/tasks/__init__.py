"""Tasks: what a node is asked for, by which everything that reads labels or answers is determined.

>>> sorted(task.name for task in TASKS.values())
['binary', 'multiclass', 'multilabel', 'regression']
"""

from graphkd.tasks.base import Task
from graphkd.tasks.binary import Binary
from graphkd.tasks.choice import TASKS
from graphkd.tasks.multiclass import Multiclass
from graphkd.tasks.multilabel import Multilabel
from graphkd.tasks.regression import Regression

__all__ = ["TASKS", "Binary", "Multiclass", "Multilabel", "Regression", "Task"]
