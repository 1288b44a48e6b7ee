"""The only door to Numba: one decorator, and a cache that can neither go stale nor fail.

Numba's own cache has two faults for a package like this one (measured with 0.68): editing a kernel
that is called from a kernel in another file leaves the caller's cached machine code in place without
a warning, and `cache=True` raises where neither the package nor the home directory can be written.
So the cache lives in a folder keyed by the text of all kernels, and is left out when there is no
place to write.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

CACHE_VARIABLE = "SUANDIAN_CACHE_DIR"
"""Environment variable that moves the cache of compiled kernels."""

_ROOT = Path(__file__).resolve().parents[2]
_OURS = ("cosim", "grids", "datacenters")


@cache
def _kernel_files() -> tuple[Path, ...]:
    ours = [path for package in _OURS for path in (_ROOT / package).glob("**/kernels/*.py")]
    return tuple(sorted([*ours, Path(__file__)]))


def _foreign_files(module: str, filename: str) -> list[Path]:
    """Return the files whose edit must invalidate a kernel of somebody else's package."""
    top = module.partition(".")[0]
    if top in _OURS:
        return []
    package = getattr(sys.modules.get(top), "__file__", None)
    if package is not None and Path(package).name == "__init__.py":
        return sorted(Path(package).parent.glob("**/*.py"))
    path = Path(filename)
    return [path] if path.is_file() else []


def called_files(function: Callable[..., Any]) -> frozenset[Path]:
    """Return the files of all compiled functions that `function` calls, and that these call.

    Their machine code becomes part of the caller's, and Numba does not look whether they have changed.
    """
    found: dict[int, Path] = {}
    todo = [function]
    while todo:
        inner = getattr(todo.pop(), "py_func", function)
        names = inner.__code__.co_names
        given = [inner.__globals__[name] for name in names if name in inner.__globals__]
        within = [
            getattr(module, n, None) for module in given if isinstance(module, ModuleType) for n in names
        ]
        for called in (*given, *within):
            code = getattr(getattr(called, "py_func", None), "__code__", None)
            if code is not None and id(called) not in found:
                found[id(called)] = Path(code.co_filename)
                todo.append(called)
    return frozenset(found.values())


@cache
def _text_hash(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def cache_key(files: tuple[Path, ...]) -> str:
    """Return a key that changes with any kernel's text, Numba, Python and the processor."""
    digest = hashlib.sha256()
    numba_version = importlib.metadata.version("numba")
    digest.update(f"{numba_version} {sys.version} {platform.machine()} {platform.processor()}".encode())
    for path in files:
        digest.update(path.name.encode())
        digest.update(_text_hash(path))
    return digest.hexdigest()[:16]


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get(CACHE_VARIABLE):
        yield Path(chosen)
    if user := os.environ.get("XDG_CACHE_HOME"):
        yield Path(user) / "suandian"
    with contextlib.suppress(RuntimeError):  # no home directory
        yield Path.home() / ".cache" / "suandian"
    owner = os.getuid() if hasattr(os, "getuid") else 0
    yield Path(tempfile.gettempdir()) / f"suandian-{owner}"


@cache
def cache_folder(key: str) -> Path | None:
    """Return a writable folder for compiled kernels of `key`, or None when there is no such place."""
    for base in _candidates():
        folder = base / "kernels" / key
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def kernel_cache() -> Path | None:
    """Return the folder our own compiled kernels are kept in, or None."""
    return cache_folder(cache_key(_kernel_files()))


@contextlib.contextmanager
def _numba_cache_at(folder: Path) -> Iterator[None]:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def _compiled(function: F, **options: Any) -> F:
    module, filename = function.__module__, function.__code__.co_filename
    ours = _kernel_files()
    called = called_files(function) - {*ours, Path(filename)}
    files = (*ours, *sorted({*_foreign_files(module, filename), *called}))
    folder = cache_folder(cache_key(files)) if Path(filename).is_file() else None
    if folder is None:
        return cast("F", numba.njit(error_model="numpy", nogil=True, **options)(function))
    with _numba_cache_at(folder):
        return cast("F", numba.njit(error_model="numpy", nogil=True, cache=True, **options)(function))


def jit(function: F) -> F:
    """Compile `function` with Numba in nopython mode, division by zero giving inf as in NumPy.

    NUMBA_DISABLE_JIT=1 leaves it plain Python, for coverage and debugging.
    """
    return _compiled(function)


def jit_lent(function: F) -> F:
    """Compile as `jit` does a function that only works on arrays lent to it and allocates none.

    Without counting references: where tuples of many arrays go from function to function, the
    counting takes longer than the arithmetic (measured: half of a stage of `grids.dynamics`).
    """
    return _compiled(function, _nrt=False)


def jit_sums(function: F) -> F:
    """Compile as `jit_lent` does, with leave to add up in any order and to fuse multiply with add.

    That is what makes vector code of a loop that adds up; results differ from NumPy's by rounding alone.
    """
    return _compiled(function, fastmath={"reassoc", "contract", "nsz"}, _nrt=False)
