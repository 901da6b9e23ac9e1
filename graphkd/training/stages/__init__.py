"""What a run computes, stage after stage: teacher, targets, student; and the cache that keeps it."""
