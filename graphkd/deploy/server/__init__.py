"""HTTP server of a student, without torch: the Open Inference Protocol for programs, ``/predict`` for users.

FastAPI and uvicorn are imported by the modules of this package, not by the package itself.
"""
