"""What is scheduled: commands, set inputs and grid events, sorted by the exchange they belong to."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cosim.core.clock import Clock, exact
from cosim.core.errors import ScenarioError

T = TypeVar("T")


class Agenda(Generic[T]):
    """Items by the tick at which an exchange starts.

    Raises ScenarioError for an item at an instant where no exchange starts.
    """

    def __init__(self, clock: Clock, items: Iterable[T], at_s: Callable[[T], float]) -> None:
        self._due: dict[int, list[T]] = {}
        for item in items:
            if not clock.contains(at_s(item)):
                msg = f"{item}: no exchange starts at {at_s(item):g} s"
                raise ScenarioError(msg)
            self._due.setdefault(int(exact(at_s(item)) / clock.tick_s), []).append(item)

    def due(self, tick: int) -> tuple[T, ...]:
        """Return what belongs to the exchange that starts at `tick`, in the order given."""
        return tuple(self._due.get(tick, ()))
