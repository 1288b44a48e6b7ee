"""Is this installation sound? Each finding says what was looked at and what it showed."""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cosim.core.errors import SuandianError
from cosim.core.registry import components, grids

PACKAGES = ("cosim", "grids", "datacenters")
LIBRARIES = (
    "mosaik",
    "pandapower",
    "lightsim2grid",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "plotly",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    good: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'FAIL'} {self.text}"


def examine() -> list[Finding]:
    """Return every finding; the installation is sound when all are good."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions,
        _owners,
        _entry_points,
        _cache,
        _solver,
    )
    return [finding for check in checks for finding in check()]


def _versions() -> Iterator[Finding]:
    yield Finding(
        good=True, text=f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    for name in ("suandian", *LIBRARIES):
        try:
            yield Finding(good=True, text=f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding(good=False, text=f"{name} is not installed")


def _owners() -> Iterator[Finding]:
    # the import names are generic: somebody else's package of the same name would shadow ours
    owned = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        owners = sorted(set(owned.get(package, ["suandian"])))
        yield Finding(good=owners == ["suandian"], text=f"package {package!r} belongs to {', '.join(owners)}")


def _entry_points() -> Iterator[Finding]:
    for registry in (components(), grids()):
        for name in registry.names():
            try:
                loaded = registry.get(name)
            except SuandianError as error:
                yield Finding(good=False, text=str(error))
            else:
                yield Finding(
                    good=True, text=f"{registry.group}: {name} = {loaded.__module__}.{loaded.__name__}"
                )


def _cache() -> Iterator[Finding]:
    from cosim.core import jit  # noqa: PLC0415 - Numba takes most of a second to import

    folder = jit.kernel_cache()
    where = "nowhere to write: kernels compile in every process" if folder is None else str(folder)
    yield Finding(good=True, text=f"compiled kernels: {where}")


def _solver() -> Iterator[Finding]:
    from grids.expected import check_case  # noqa: PLC0415 - pandapower takes seconds to import

    began = time.perf_counter()
    rows = check_case("two_bus")
    took_s = time.perf_counter() - began
    failed = [row.text() for row in rows if not row.good]
    text = f"power flow of the two-bus case: {len(rows)} numbers as expected in {took_s:.1f} s"
    yield Finding(good=not failed, text="; ".join(failed) or text)
