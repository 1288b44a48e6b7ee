"""A watchdog: names the model that hangs and ends the run.

A thread looks at who is at work since when. Past the limit it interrupts the main thread as Ctrl-C
would, which ends a Python loop or a sleep, and the adapter turns that into an error with the model's
name. Compiled code does not listen; then, after a grace, the watchdog closes the books and ends the
process.
"""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator
from time import perf_counter

from cosim.core.errors import CaseError, ScenarioError, SolveError
from cosim.simulators.check import StepError, raised

GRACE_S = 3.0
"""Time [s] a model has to listen to the interruption."""


def interrupt(thread: int) -> None:
    """Raise KeyboardInterrupt in a thread; in the main thread also out of a blocking system call."""
    if thread == threading.main_thread().ident and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signal.SIGINT)
        return
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))


class Watch:
    """Who is at work, since when, and for how long altogether.

    Parameters
    ----------
    limit_s
        Longest wall-clock time [s] one step of one model may take.
    give_up
        Called from the watchdog's thread, with the error, when a model does not listen; does not return.
    """

    def __init__(self, limit_s: float, give_up: Callable[[StepError], None]) -> None:
        self.limit_s = limit_s
        self.spent_s: dict[str, float] = {}
        self.culprit: StepError | None = None
        self._give_up = give_up
        self._at_work: tuple[str, float, float] | None = None
        self._born = perf_counter()
        self._thread = 0
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calling thread."""
        self._thread = threading.get_ident()
        self._watcher = threading.Thread(target=self._look, name="suandian-watch", daemon=True)
        self._watcher.start()
        try:
            yield
        finally:
            self._stop.set()
            self._watcher.join()

    def turn(self, name: str, t_s: float) -> "Turn":
        """Return a `with` block during which a model is at work."""
        return Turn(self, name, t_s)

    def begin(self, name: str, t_s: float) -> None:
        """Note that a model is at work from now on."""
        self._at_work = (name, t_s, perf_counter())

    def end(self) -> None:
        """Note that the model is done."""
        work, self._at_work = self._at_work, None
        if work is not None:
            self.spend(work[0], perf_counter() - work[2])

    def spend(self, name: str, wall_s: float) -> None:
        """Add wall-clock time to somebody's account."""
        self.spent_s[name] = self.spent_s.get(name, 0.0) + wall_s

    def spend_rest(self, name: str) -> None:
        """Add to somebody's account what has passed since the watch was made and nobody has spent."""
        self.spend(name, perf_counter() - self._born - sum(self.spent_s.values()))

    def _look(self) -> None:
        while not self._stop.wait(min(1.0, self.limit_s / 4)):
            work = self._at_work
            if work is None or perf_counter() - work[2] < self.limit_s:
                continue
            self.culprit = hung(work[0], work[1], self.limit_s)
            interrupt(self._thread)
            self._wait_for_the_end(work)
            return

    def _wait_for_the_end(self, work: tuple[str, float, float]) -> None:
        if self._stop.wait(GRACE_S) or self._at_work is not work:
            return
        if self.culprit is not None:
            self._give_up(self.culprit)
        os._exit(3)


class Turn:
    """A model at work: watched, timed, and its exceptions turned into errors with its name.

    Raises StepError, from what was raised. Errors whose text already says who can act pass unchanged.
    """

    __slots__ = ("_name", "_t_s", "_watch")

    def __init__(self, watch: Watch, name: str, t_s: float) -> None:
        self._watch, self._name, self._t_s = watch, name, t_s

    def __enter__(self) -> None:
        self._watch.begin(self._name, self._t_s)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._watch.end()
        if error is None or isinstance(error, (StepError, SolveError, ScenarioError, CaseError)):
            return
        if isinstance(error, KeyboardInterrupt) and self._watch.culprit is not None:
            raise self._watch.culprit from None
        if isinstance(error, (Exception, SystemExit)):
            raise raised(self._name, self._t_s, error) from error


def hung(name: str, t_s: float, limit_s: float) -> StepError:
    """Return the error for a model that took longer than the limit."""
    return StepError(name, t_s, f"still not done with one step after {limit_s:g} s, so it seems to hang")
