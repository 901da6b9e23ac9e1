"""What computes a student without torch: a file per runtime, none of them imported before it is asked for."""
