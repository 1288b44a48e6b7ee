"""How far a run is, and where its time went."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

EVERY_S = 0.1
"""Wall-clock time [s] between two looks at the bar: it must not cost what it measures."""


def clock_time(t_s: float) -> str:
    """Return simulated time as `h:mm:ss`.

    >>> clock_time(3723.5)
    '1:02:03'
    """
    minutes, seconds = divmod(int(t_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


class _Speed(ProgressColumn):
    """Simulated seconds per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} x real time" if task.speed else "")


@contextlib.contextmanager
def progress_bar(title: str, until_s: float, *, shown: bool) -> Iterator[Callable[[float], None]]:
    """Show a bar and yield the function that is told the simulated time [s] reached."""
    if not shown:
        yield lambda _t_s: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[reached]} of {task.fields[end]}"),
        _Speed(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=until_s, reached=clock_time(0.0), end=clock_time(until_s))
        looked = perf_counter()

        def beat(t_s: float) -> None:
            nonlocal looked
            if perf_counter() - looked < EVERY_S and t_s < until_s:
                return
            looked = perf_counter()
            bar.update(task, completed=t_s, reached=clock_time(t_s))

        yield beat


def time_table(timings_s: Mapping[str, float], exchanges: int) -> Table:
    """Return a table of where the time went, the largest share first."""
    total_s = sum(timings_s.values()) or 1.0
    table = Table(title="where the time went")
    for column in ("", "s", "share", "ms per exchange"):
        table.add_column(column, justify="right" if column else "left")
    for name, wall_s in sorted(timings_s.items(), key=lambda item: -item[1]):
        each_ms = 1e3 * wall_s / max(exchanges, 1)
        table.add_row(name, f"{wall_s:.2f}", f"{wall_s / total_s:.0%}", f"{each_ms:.3f}")
    table.add_row("all", f"{total_s:.2f}", "100%", f"{1e3 * total_s / max(exchanges, 1):.3f}")
    return table
