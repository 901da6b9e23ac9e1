"""Training of teacher and student: settings, stages, the loop, seeds.

>>> from graphkd.training import Training
>>> Training(lr=0.005, batch_size=4096).teacher_lr
0.01
"""

from graphkd.training.settings import Training

__all__ = ["Training"]
