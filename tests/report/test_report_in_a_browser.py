"""Opens the page in a headless browser, where there is one."""

import shutil
import subprocess

import pytest
from made_run import made_run
from made_work import made_work

from cosim.compare import read_runs, write_page
from cosim.report import write_report
from cosim.verdict import judge

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
    "--window-size=1366,768",
    "--enable-logging=stderr",
    "--v=0",
]

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium installed")


def opened(page, folder):
    """Return the document after its scripts ran, and what the browser said."""
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout, done.stderr


def spied(page):
    """Let the page write what it loads, and what fails, into the document, where a test can read it."""
    spy = (
        "<script>const said=[];addEventListener('error',e=>said.push(String(e.message)));"
        "addEventListener('securitypolicyviolation',e=>said.push('blocked '+e.blockedURI));"
        "addEventListener('load',()=>setTimeout(()=>{"
        "const loaded=performance.getEntriesByType('resource').map(r=>r.name)"
        ".filter(n=>!n.startsWith('data:'));"
        "document.body.dataset.said=JSON.stringify(said);document.body.dataset.loaded=JSON.stringify(loaded)},500))"
        "</script>"
    )
    text = page.read_text(encoding="utf-8").replace("<head>", f"<head>{spy}", 1)
    page.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    run = made_run(folder / "run", trip_at_s=600.0, unsolved_s=(900.0,))
    page = folder / "report.html"
    write_report(run, judge(run, ["cn"]), page)
    spied(page)
    return opened(page, folder)


def test_no_script_fails_and_the_console_stays_silent(seen):
    document, said = seen
    assert 'data-said="[]"' in document
    assert "CONSOLE" not in said


def test_nothing_is_loaded_from_anywhere(seen):
    assert 'data-loaded="[]"' in seen[0]


def test_every_plot_and_the_map_are_drawn(seen):
    document, _ = seen
    assert 'data-ready="1"' in document
    folded = document.split('<section id="more">')[1].split("</section>")[0].count("<figure")
    assert document.count('data-drawn="1"') == document.count("<figure") - folded
    assert document.count('class="main-svg"') >= 10
    assert "t = 600 s" in document
    assert "huaibei_220 (huaibei, bess)" in document


def test_map_flows_and_panels_of_work_are_drawn_without_a_word_of_the_console(tmp_path):
    run = made_work(tmp_path / "run")
    page = tmp_path / "report.html"
    write_report(run, judge(run, []), page)
    spied(page)
    document, said = opened(page, tmp_path)
    assert 'data-said="[]"' in document
    assert 'data-loaded="[]"' in document
    assert "CONSOLE" not in said
    work = document.split('<section id="work">')[1].split("</section>")[0]
    assert work.count('data-drawn="1"') == work.count("<figure")
    assert "t = 110 s: 2 under way (2,000 GPU), 0 came" in work
    assert "rolled back: 1 trip, 1,000 GPU" in work
    assert "west, 60 MW" in work


def test_runs_side_by_side_are_drawn_without_a_word_of_the_console(tmp_path):
    for name, shift_mw in (("one", 30.0), ("two", 20.0)):
        made_work(tmp_path / name, shift_mw=shift_mw)
    page = tmp_path / "compare.html"
    write_page(read_runs([tmp_path / "one", tmp_path / "two"]), page)
    spied(page)
    document, said = opened(page, tmp_path)
    assert 'data-said="[]"' in document
    assert 'data-loaded="[]"' in document
    assert "CONSOLE" not in said
    assert document.count('data-drawn="1"') == document.count("<figure") > 0
