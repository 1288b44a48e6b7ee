"""The cache of compiled kernels follows the text of the kernels and never fails a run."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import cosim.core.jit as door
from cosim.core.jit import CACHE_VARIABLE, cache_folder, cache_key

CALLER = """
from cosim.core.jit import jit
from strangers.callee import twice

@jit
def four_times(x: float) -> float:
    return twice(twice(x))
"""
CALLEE = """
from cosim.core.jit import jit

@jit
def twice(x: float) -> float:
    return {factor} * x
"""


def run(folder: Path, **environment: str) -> float:
    code = "from strangers.caller import four_times; print(four_times(1.0))"
    # Python itself takes old bytecode for a file of the same length rewritten within a second
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder), **environment}
    env[CACHE_VARIABLE] = environment.get(CACHE_VARIABLE, str(folder / "cache"))
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "strangers"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "caller.py").write_text(textwrap.dedent(CALLER))
    (folder / "callee.py").write_text(CALLEE.format(factor="2.0"))
    return tmp_path


def test_editing_a_callee_in_another_file_reaches_the_cached_caller(package):
    assert run(package) == 4.0
    assert list((package / "cache").rglob("*.nbi"))
    (package / "strangers" / "callee.py").write_text(CALLEE.format(factor="3.0"))
    assert run(package) == 9.0


def test_editing_a_callee_reaches_a_caller_in_another_package(package):
    (package / "callee.py").write_text(CALLEE.format(factor="2.0"))  # a module of its own, no package
    caller = package / "strangers" / "caller.py"
    caller.write_text(textwrap.dedent(CALLER).replace("strangers.callee", "callee"))
    assert run(package) == 4.0
    (package / "callee.py").write_text(CALLEE.format(factor="3.0"))
    assert run(package) == 9.0


def test_no_place_to_write_is_no_failure(package):
    # a file where each folder would be stands for a read-only disk, also when the tests run as root
    wall = package / "wall"
    wall.write_text("")
    nowhere = {CACHE_VARIABLE: str(wall), "XDG_CACHE_HOME": str(wall), "HOME": str(wall), "TMPDIR": str(wall)}
    assert run(package, **nowhere) == 4.0


def test_the_key_changes_with_any_file(tmp_path):
    one = tmp_path / "one.py"
    one.write_text("x = 1")
    before = cache_key((one,))
    cache_key.cache_clear()
    door._text_hash.cache_clear()
    one.write_text("x = 2")
    assert cache_key((one,)) != before


def test_the_chosen_folder_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    cache_folder.cache_clear()
    folder = cache_folder("abc")
    cache_folder.cache_clear()
    assert folder == tmp_path / "kernels" / "abc"


def test_with_no_place_at_all_kernels_still_compile(tmp_path, monkeypatch):
    wall = tmp_path / "wall"
    wall.write_text("")
    monkeypatch.setattr(door, "_candidates", lambda: iter([wall]))
    cache_folder.cache_clear()
    assert cache_folder("nowhere") is None
    assert door.jit(lambda x: 2.0 * x)(1.5) == 3.0
    cache_folder.cache_clear()
