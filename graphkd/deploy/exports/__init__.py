"""Exports of a student: one module per format; the files enter the bundle after a parity check on real rows."""
