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
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

CACHE_VARIABLE = "SUANDIAN_CACHE_DIR"
"""Environment variable that moves the cache of compiled kernels."""

_ROOT = Path(__file__).resolve().parents[2]
_OURS = ("cosim", "grids", "datacenters")


def _kernel_files() -> list[Path]:
    ours = [path for package in _OURS for path in (_ROOT / package).glob("**/kernels/*.py")]
    return sorted([*ours, Path(__file__)])


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


@cache
def cache_key(files: tuple[Path, ...]) -> str:
    """Return a key that changes with any kernel's text, Numba, Python and the processor."""
    digest = hashlib.sha256()
    numba_version = importlib.metadata.version("numba")
    digest.update(f"{numba_version} {sys.version} {platform.machine()} {platform.processor()}".encode())
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
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
    return cache_folder(cache_key(tuple(_kernel_files())))


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
    files = (*_kernel_files(), *_foreign_files(module, filename))
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
