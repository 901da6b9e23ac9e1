"""A student behind HTTP, without torch: for machines by the Open Inference Protocol, for users by ``/predict``.

FastAPI and uvicorn are imported by the modules of this package, never by the package itself.
"""
