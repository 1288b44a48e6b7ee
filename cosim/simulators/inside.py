"""Handing mosaik a simulator that lives in this process and exists already."""

from typing import Any

from mosaik.proxies import BaseProxy, LocalProxy
from mosaik.starters import Starter

from cosim.simulators.base import RingSimulator


class InsideProxy(LocalProxy):  # type: ignore[misc]  # mosaik has no usable types
    """A simulator in this process."""

    async def send(self, request: Any) -> Any:
        """Call the simulator. Ours are no generators, for which mosaik would look at every call."""
        name, arguments, options = request
        return getattr(self.sim, name)(*arguments, **options)


class InsideStarter(Starter):  # type: ignore[misc]  # mosaik has no usable types
    """Starts what is there."""

    api_version = None

    def __init__(self, simulator: RingSimulator) -> None:
        self._simulator = simulator

    @classmethod
    def from_starter_config(cls, starter_config: Any) -> None:
        """Decline: this starter is only made by hand."""
        del starter_config

    async def start(self, sim_id: str, mosaik_remote: Any, mosaik_config: Any) -> BaseProxy:
        """Return the simulator for mosaik to talk to."""
        del sim_id, mosaik_config
        return InsideProxy(self._simulator, mosaik_remote)
