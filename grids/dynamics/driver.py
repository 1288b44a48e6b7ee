"""One compiled time loop for the models a case has, ours and a stranger's alike.

The kernels of the models present are called from a small generated module, written into the kernel
cache under a name that is a hash of its text and of every file its kernels, and what these call, stand
in. Numba compiles and links them as if they had been written together; the next run of the same set
loads machine code.
`docs/decisions/0010-generated-driver.md` has the alternatives and the measured compile times.
"""

import hashlib
import importlib.util
import inspect
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from cosim.core.jit import called_files, kernel_cache
from grids.dynamics import device as device_module
from grids.dynamics.device import Device
from grids.dynamics.kernels import loop, steps

MARK = "# --- mark ---"


class Part(NamedTuple):
    """One model of a driver."""

    cls: type[Device]
    injects: bool
    nonlinear: bool


def _import(part: Part, number: int, name: str) -> str:
    kernel = getattr(part.cls, name)
    return f"from {kernel.__module__} import {kernel.__name__} as {name}_{number}"


def _source_files(parts: Sequence[Part]) -> list[Path]:
    """Return the files whose edit must give another driver."""
    files = {Path(device_module.__file__)}
    for part in parts:
        for name in ("inject", "measure", "rhs", "after"):
            kernel = getattr(part.cls, name)
            if kernel is not None:
                files.add(Path(inspect.getfile(sys.modules[kernel.__module__])))
                files |= called_files(kernel)
    return sorted(files)


def _call(name: str, i: int, rest: str) -> str:
    """Return the call of a kernel."""
    return f"{name}_{i}(blocks[{i}], xs[{i}], work.v, work.w, {rest})"


def _evaluate(parts: Sequence[Part], order: Sequence[int]) -> list[str]:
    numbered = list(enumerate(parts))
    linear = [i for i, p in numbered if p.injects and not p.nonlinear]
    bent = [i for i, p in numbered if p.injects and p.nonlinear]
    lines = ["", "", "@jit_lent", "def evaluate(blocks, wiring, net, work, x, xs, s, dxs):"]
    lines += ["    centres(wiring, work, x)", "    clear(work.current)", "    work.tally[STAGES] += 1"]
    lines += ["    " + _call("inject", i, "work.current") for i in linear]
    lines += ["    darken(wiring, work.current)"]
    if bent:
        lines += ["    for trial in range(MAX_SOLVES):", "        copy_complex(work.current, work.now)"]
        lines += ["        " + _call("inject", i, "work.now") for i in bent]
        lines += ["        darken(wiring, work.now)", "        work.tally[SOLVES] += 1"]
        lines += [
            "        if solve_shifted(net, work.now, work.v, work.fresh, work.spare) <= work.tolerance[0]:"
        ]
        lines += ["            break", "    else:", "        return False"]
    else:
        lines += ["    work.tally[SOLVES] += 1", "    solve(net, work.current, work.v, work.spare)"]
    lines += ["    " + _call("measure", i, "s") for i, p in numbered if p.cls.measure is not None]
    for i in order:
        if parts[i].cls.rhs is not None:
            lines.append("    " + _call("rhs", i, f"s, dxs[{i}]"))
    return [*lines, "    return True"]


def _inject(parts: Sequence[Part]) -> list[str]:
    """Return the functions that only inject: of them the Jacobian and the first guess are taken."""
    kinds = {"inject": (True,), "inject_linear": (False,), "inject_all": (False, True)}
    lines: list[str] = []
    for name, nonlinear in kinds.items():
        lines += ["", "", "@jit_lent", f"def {name}(blocks, work, xs, current):"]
        lines += ["    clear(current)"]
        lines += [
            "    " + _call("inject", i, "current")
            for i, part in enumerate(parts)
            if part.injects and part.nonlinear in nonlinear
        ]
    return lines


def _after(parts: Sequence[Part]) -> list[str]:
    lines = ["", "", "@jit_lent", "def after(t_s, h_s, blocks, work, xs, s):"]
    wanted = [i for i, p in enumerate(parts) if p.cls.after is not None]
    if wanted:
        lines += ["    act = False"]
        lines += ["    act = " + _call("after", i, "s, t_s, h_s") + " or act" for i in wanted]
        return [*lines, "    return act"]
    return [*lines, "    return False"]


def source(parts: Sequence[Part], order: Sequence[int]) -> str:
    """Return the text of the driver for these models; `order` is that of their `rhs`."""
    digest = hashlib.sha256()
    for path in _source_files(parts):
        digest.update(path.read_bytes())
    imports = [
        _import(part, i, name)
        for i, part in enumerate(parts)
        for name in ("inject", "measure", "rhs", "after")
        if getattr(part.cls, name) is not None and (name != "inject" or part.injects)
    ]
    shared = [
        n
        for n, value in vars(steps).items()
        if n.isupper() or getattr(value, "__module__", "") == steps.__name__
    ]
    lines = [f'"""Generated; models from files with hash {digest.hexdigest()}."""', "from typing import Any"]
    lines += ["from cosim.core.jit import jit_lent", "from cosim.core.types import Floats"]
    lines += [f"from grids.dynamics.kernels.steps import {', '.join(shared)}"]
    lines += ["from grids.dynamics.kernels.network import Net"]
    lines += ["from grids.dynamics.kernels.network import solve, solve_shifted", *imports]
    lines += [inspect.getsource(loop).partition(f"\n{MARK}\n")[2]]
    lines += [*_evaluate(parts, order), *_inject(parts), *_after(parts)]
    return "\n".join(lines) + "\n"


@cache
def driver(parts: tuple[Part, ...], order: tuple[int, ...]) -> ModuleType:
    """Return the compiled loop for these models: `advance`, `observe`, `evaluate`, `inject`."""
    text = source(parts, order)
    name = f"suandian_driver_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    folder = kernel_cache() or Path(tempfile.mkdtemp(prefix="suandian-"))
    path = folder / f"{name}.py"
    if not path.is_file():
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".py", delete=False) as file:
            file.write(text)
        Path(file.name).replace(path)  # two runs may write it at once
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:  # pragma: no cover - a .py file always has a loader
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
