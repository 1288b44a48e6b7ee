"""A component kind as a process of its own: the near end.

To mosaik it is one simulator of the ring like any other. What it adds to mosaik's own remote simulators:
only the arrays the kind needs cross the wire, and a process that raises, hangs or dies is an error with
the kind's name, where mosaik would log it and return as if the run had ended well.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from mosaik.exceptions import ConnectionClosedError
from mosaik.proxies import BaseProxy, RemoteProxy
from mosaik.starters import Starter
from mosaik_api_v3.connection import Channel, RemoteException

from cosim.core.component import Ledger
from cosim.results import Event
from cosim.simulators import process
from cosim.simulators.base import ENTITY, LATE, META, MODEL, NOW, ROWS, Inputs, board_in
from cosim.simulators.board import Board
from cosim.simulators.check import StepError
from cosim.simulators.desk import Desk
from cosim.simulators.watch import hung

T = TypeVar("T")

CONNECT_S = 60.0
"""Longest time [s] a process may take to import its packages and connect."""

SENDER = "run"


class ProcessProxy(BaseProxy):  # type: ignore[misc]  # mosaik has no usable types
    """The near end of one process.

    Attributes
    ----------
    exchanges_count
        How many exchanges it has done.
    """

    def __init__(self, desk: Desk, far: Any, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        super().__init__()
        self.desk, self.exchanges_count = desk, 0
        self._far, self._popen, self._log = far, popen, log
        self._board = Board()
        self._ledgers: dict[str, Ledger] = {}

    @property
    def meta(self) -> Any:
        """The description of a simulator of the ring."""
        return META

    def ledgers(self) -> Mapping[str, Ledger]:
        """Return the tables of single things, which come with the last exchange."""
        return self._ledgers

    async def init(self, sid: str, *, time_resolution: float, **sim_params: Any) -> list[int]:
        """Construct and reset the component over there."""
        del sim_params
        plan, context = self.desk.plan, self.desk.shared.context
        zone = context.start.tzinfo
        setup = {
            "component": process.import_path(type(plan.component)),
            "params": [params.model_dump(mode="json") for params in plan.params],
            "units": plan.units,
            "start": context.start.isoformat(),
            "zone": zone.key if isinstance(zone, ZoneInfo) else "",
            "seed": context.streams.seed,
        }
        try:
            await self._guarded(self._far.init(sid, time_resolution=time_resolution, **setup), 0.0)
            await self._guarded(self._far.send(["create", (1, process.MODEL), {}]), 0.0)
        except StepError:
            await self.stop()  # mosaik only stops simulators whose start succeeded
            raise
        return [3, 0]

    async def send(self, request: Any) -> Any:
        """Answer mosaik's requests."""
        name, arguments = request[0], request[1]
        if name == "create":
            return [{"eid": ENTITY, "type": MODEL}]
        if name == "step":
            return await self._step(arguments[0], arguments[1])
        if name == "get_data":
            return {ENTITY: {NOW: self._board, ROWS: self.exchanges_count}}
        return None  # setup_done has nothing left to do

    async def stop(self) -> None:
        """Ask the process to end, and see to it that it does."""
        with contextlib.suppress(OSError, ConnectionClosedError):
            await self._far.stop()
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        if self._log.is_file() and self._log.stat().st_size == 0:
            self._log.unlink()

    async def _step(self, tick: int, inputs: Inputs) -> int:
        shared, kind = self.desk.shared, self.desk.kind
        now = board_in(inputs, NOW)
        ports = self.desk.inputs(tick, now, board_in(inputs, LATE))
        at = shared.at(tick)
        sent = {
            "t_s": at.t_s,
            "dt_s": at.dt_s,
            "following": at.following,
            "ports": {port: values.tolist() for port, values in ports.items()},
        }
        due = [(c.unit_index, c.name, c.params.model_dump(mode="json")) for c in self.desk.commands(tick)]
        packed = {process.ENTITY: {process.INPUTS: {SENDER: sent}, process.COMMANDS: {SENDER: due}}}
        began = perf_counter()
        await self._guarded(self._far.send(["step", (tick, packed, at.following), {}]), at.t_s)
        is_last = at.following == shared.clock.until
        more = [process.LEDGERS] if is_last else []
        wanted = {process.ENTITY: [process.OUTPUTS, process.EVENTS, *more]}
        reply = await self._guarded(self._far.send(["get_data", (wanted,), {}]), at.t_s)
        shared.watch.spend(kind, perf_counter() - began)
        found = reply[process.ENTITY]
        shared.events.extend(Event(*event) for event in found[process.EVENTS])
        self._ledgers = found.get(process.LEDGERS, {})
        self._board = now.with_outputs({kind: self.desk.accept(at.t_s, found[process.OUTPUTS])})
        self.exchanges_count += 1
        return at.following

    async def _guarded(self, answer: Awaitable[T], t_s: float) -> T:
        """Await an answer within the limit. Raises StepError when the process raises, hangs or dies."""
        kind, limit_s = self.desk.kind, self.desk.shared.watch.limit_s
        try:
            return await asyncio.wait_for(answer, limit_s)
        except TimeoutError:
            self._popen.kill()
            raise hung(kind, t_s, limit_s) from None
        except RemoteException as error:
            with self._log.open("a", encoding="utf-8") as log:
                log.writelines(error.further_args)
            raise StepError(
                kind, t_s, f"{error.remote_type}: {error.remote_msg} (see {self._log})"
            ) from error
        except (ConnectionClosedError, asyncio.IncompleteReadError, OSError) as error:
            raise StepError(kind, t_s, f"its process {_epitaph(self._popen, self._log)}") from error


class ProcessStarter(Starter):  # type: ignore[misc]  # mosaik has no usable types
    """Starts the process of one kind.

    Parameters
    ----------
    desk
        The kind's place in the exchange.
    log
        File that receives what the process prints; removed again when it prints nothing.
    """

    api_version = None

    def __init__(self, desk: Desk, log: Path) -> None:
        self._desk, self._log = desk, log
        self.proxy: ProcessProxy | None = None

    @classmethod
    def from_starter_config(cls, starter_config: Any) -> None:
        """Decline: this starter is only made by hand."""
        del starter_config

    async def start(self, sim_id: str, mosaik_remote: Any, mosaik_config: Any) -> ProcessProxy:
        """Start the process and wait until it calls. Raises StepError when it does not."""
        arrived: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.set_result(Channel(reader, writer, name=sim_id))

        server = await asyncio.start_server(answer, *mosaik_config["addr"])
        async with server:
            host, port = server.sockets[0].getsockname()[:2]
            popen = self._launch(f"{host}:{port}")
            try:
                channel = await self._call(arrived, popen)
            except StepError:
                popen.kill()
                popen.wait()
                raise
            self.proxy = ProcessProxy(self._desk, RemoteProxy(channel, mosaik_remote), popen, self._log)
        return self.proxy

    def _launch(self, address: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", process.__name__, address]
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 # our own module, in our own interpreter
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    async def _call(self, arrived: "asyncio.Future[Any]", popen: "subprocess.Popen[bytes]") -> Any:
        until = perf_counter() + CONNECT_S
        while not arrived.done():
            await asyncio.wait([arrived], timeout=0.1)
            if popen.poll() is not None and not arrived.done():
                raise StepError(self._desk.kind, 0.0, f"its process {_epitaph(popen, self._log)}")
            if perf_counter() > until:
                raise StepError(self._desk.kind, 0.0, f"its process did not connect within {CONNECT_S:g} s")
        return arrived.result()


def _epitaph(popen: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return how a process ended and the last it said."""
    try:
        code = popen.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return "closed its connection"
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    return f"{ended}: {said[-1]}" if said else ended
