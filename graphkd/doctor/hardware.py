"""CPUs, memory and accelerators."""

from __future__ import annotations

import os
import shlex
import shutil

from graphkd.doctor.line import Line
from graphkd.system import memory, readable, usable_cpus


def cpus() -> list[Line]:
    """CPUs that may be used, and how many of them torch uses."""
    count = usable_cpus()
    try:
        import torch

        threads = f", threads of torch: {torch.get_num_threads()}"
    except Exception:  # said in torch's own line
        threads = ""
    return [Line("ok", "cpus", f"{count}{threads}")]


def main_memory() -> list[Line]:
    """Free and total, a container's limit respected."""
    found = memory()
    if found is None:
        return [Line("note", "memory", "unknown on this system: runs are not checked against it")]
    return [Line("ok", "memory", f"{readable(found.free)} free of {readable(found.total)}")]


def compilers() -> list[Line]:
    """The compilers that C files of a student, and ``torch.compile``, are made with."""
    uses = {
        "c compiler": ("CC", "cc", "graphkd predict's native runtime and its checks of exported C"),
        "c++ compiler": ("CXX", "g++", "training.compile on a CPU"),
    }
    return [_compiler(name, *use) for name, use in uses.items()]


def _compiler(name: str, variable: str, default: str, use: str) -> Line:
    command = (shlex.split(os.environ.get(variable) or default) or [default])[0]
    place = shutil.which(command)
    if place is not None:
        return Line("ok", name, place)
    get = f"install one, such as Debian's gcc and g++, or set {variable}"
    return Line("missing", name, f"there is no {command}: optional, for {use}: {get}")


def accelerators() -> list[Line]:
    """A line per CUDA device, or one that says there is none."""
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
