"""Every code block of the README and the docs runs as printed.

Python blocks of a page share one namespace; shell blocks run with `set -e` in a scratch folder where
`suandian` writes its runs; YAML blocks that are whole scenarios are checked. A block that must not
run here says why in an HTML comment right above its fence: `<!-- not run: reason -->`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
)
FENCE = re.compile(r"(?P<before>[^\n]*)\n```(?P<language>\w+)\n(?P<code>.*?)\n```", re.DOTALL)
RUN = {"python", "bash", "yaml"}


def blocks():
    for page in PAGES:
        if not page.exists():
            continue
        found = [m for m in FENCE.finditer("\n" + page.read_text(encoding="utf-8")) if m["language"] in RUN]
        runnable = [(m["language"], m["code"]) for m in found if not m["before"].startswith("<!-- not run:")]
        if runnable:
            yield pytest.param(runnable, id=str(page.relative_to(ROOT)))


def run_bash(code: str, folder: Path) -> None:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e", "-c", code],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def check_yaml(code: str, folder: Path) -> None:
    if "\nunits:" not in code or "\ngrid:" not in code:
        return
    path = folder / "scenario.yaml"
    path.write_text(code, encoding="utf-8")
    run_bash("suandian check scenario.yaml", folder)


@pytest.mark.parametrize("page", list(blocks()))
def test_every_code_block_runs_as_printed(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "page"}
    for language, code in page:
        if language == "python":
            exec(compile(code, "<page>", "exec"), namespace)
        elif language == "bash":
            run_bash(code, tmp_path)
        else:
            check_yaml(code, tmp_path)
    assert page
