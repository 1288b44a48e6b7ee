"""Every kind of broken scenario file, each with its full message.

The files in `broken/` end in the message they must cause, as comments; `[...]` stands for a list of
names that is none of that file's business.
"""

import re
from pathlib import Path

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from cosim.scenario import load

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


def said(name: str) -> list[str]:
    """Return the lines a broken file promises to cause."""
    _, _, promise = (FOLDER / name).read_text(encoding="utf-8").partition("# says:\n")
    return [line.removeprefix("#   ") for line in promise.splitlines()]


def fits(line: str, promise: str) -> bool:
    pattern = ".+".join(re.escape(part) for part in promise.split("[...]"))
    return re.fullmatch(pattern, line) is not None


def test_there_are_at_least_twenty_kinds_of_mistakes():
    assert len(FILES) >= 20


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_told_in_full(name, models, monkeypatch):
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ScenarioError) as caught:
        prepare(name, **models)
    lines, promises = str(caught.value).splitlines(), said(name)
    assert promises, f"{name} promises no message"
    assert len(lines) == len(promises), "\n".join(lines)
    for line, promise in zip(lines, promises, strict=True):
        assert fits(line, promise), f"{line}\n  is not\n{promise}"


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith(("cyclic", "missing_parent", "yaml"))])
def test_what_cannot_be_read_is_refused_by_load_alike(name, models, monkeypatch):
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ScenarioError) as caught:
        load(name, **models)
    for line, promise in zip(str(caught.value).splitlines(), said(name), strict=True):
        assert fits(line, promise), f"{line}\n  is not\n{promise}"


def test_every_line_names_a_file_that_exists_and_a_line_in_it(models, monkeypatch):
    monkeypatch.chdir(FOLDER)
    for name in FILES:
        for line in said(name):
            file, number, _ = line.split(":", 2)
            assert 1 <= int(number) <= len(Path(file).read_text(encoding="utf-8").splitlines()), line


def test_an_unknown_scenario_is_answered_with_the_shipped_ones():
    with pytest.raises(
        ScenarioError, match=r"neither a file nor a shipped scenario; shipped: .*anhui_handover"
    ):
        load("anhui_handovr")
    with pytest.raises(ScenarioError, match=r"Did you mean 'anhui_handover'\?"):
        load("anhui_handovr")


def test_a_file_that_is_not_there_is_no_scenario():
    with pytest.raises(ScenarioError, match=r"nowhere/study\.yaml: no such file"):
        load("nowhere/study.yaml")


def test_a_folder_or_binary_file_cannot_be_read(tmp_path, monkeypatch, models):
    monkeypatch.chdir(tmp_path)
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00title: a")
    with pytest.raises(ScenarioError, match=r"binary\.yaml: cannot be read: not UTF-8 text"):
        load("binary.yaml", **models)
