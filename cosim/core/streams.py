"""Named random streams from one seed: adding a consumer never changes another's numbers."""

import hashlib

import numpy as np


class Streams:
    """Random generators derived from one seed by name.

    The stream of a name depends on the seed and the name alone, not on the order of asking.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> np.random.Generator:
        """Return a fresh generator for `name`, in its initial state."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))
