"""Columns that lie in one array, and are taken out by name."""

from collections.abc import Iterator, Mapping, Sequence

from cosim.core.types import Floats


class Shelf(Mapping[str, Floats]):
    """Read-only columns by name: rows of one array, made a view when somebody asks for them.

    What is handed on each exchange is one array instead of fifty, and whoever takes all copies it at once.

    Parameters
    ----------
    places
        Name -> row of `block`, counting up from 0. One mapping serves many shelves.
    block
        Shape (columns, elements); read-only from now on.
    """

    __slots__ = ("block", "places")

    def __init__(self, places: Mapping[str, int], block: Floats) -> None:
        block.flags.writeable = False
        self.places, self.block = places, block

    def __getitem__(self, name: str) -> Floats:
        """Return a column, shape (elements,)."""
        column: Floats = self.block[self.places[name]]
        return column

    def __iter__(self) -> Iterator[str]:
        """Go over the names, in their order."""
        return iter(self.places)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self.places)


def places_of(names: Sequence[str]) -> dict[str, int]:
    """Return where each name lies on a shelf."""
    return {name: place for place, name in enumerate(names)}
