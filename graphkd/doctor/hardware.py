"""Checks of CPUs, memory, compilers and accelerators."""

from __future__ import annotations

import os
import shlex
import shutil

from graphkd.doctor.line import Line
from graphkd.system import memory, readable, usable_cpus


def cpus() -> list[Line]:
    """Returns a line with the number of usable CPUs, and of torch's threads."""
    count = usable_cpus()
    try:
        import torch

        threads = f", threads of torch: {torch.get_num_threads()}"
    except Exception:  # reported in torch's own line
        threads = ""
    return [Line("ok", "cpus", f"{count}{threads}")]


def main_memory() -> list[Line]:
    """Returns a line with free and total memory, within a container's limit."""
    system = memory()
    if system is None:
        return [Line("note", "memory", "unknown on this system: runs are not checked against it")]
    return [Line("ok", "memory", f"{readable(system.free)} free of {readable(system.total)}")]


def compilers() -> list[Line]:
    """Returns lines for the compilers used for a student's C files and by ``torch.compile``."""
    uses = {
        "c compiler": ("CC", "cc", "graphkd predict's native runtime and its checks of exported C"),
        "c++ compiler": ("CXX", "g++", "training.compile on a CPU"),
    }
    return [_compiler(name, *use) for name, use in uses.items()]


def _compiler(name: str, variable: str, default: str, use: str) -> Line:
    command = (shlex.split(os.environ.get(variable) or default) or [default])[0]
    path = shutil.which(command)
    if path is not None:
        return Line("ok", name, path)
    get = f"install one, such as Debian's gcc and g++, or set {variable}"
    return Line("missing", name, f"there is no {command}: optional, for {use}: {get}")


def accelerators() -> list[Line]:
    """Returns a line per CUDA device, or a note if there is none."""
    import torch

    if not torch.cuda.is_available():
        built = "" if torch.version.cuda else ", and this torch is built without CUDA"
        return [Line("note", "cuda", f"no device{built}: runs use the CPU")]
    return [_device(index) for index in range(torch.cuda.device_count())]


def _device(index: int) -> Line:
    import torch

    free, total = torch.cuda.mem_get_info(index)
    name = torch.cuda.get_device_name(index)
    return Line("ok", f"cuda:{index}", f"{name}, {readable(free)} free of {readable(total)}")
