"""Inference fleets: requests become prompts to read and tokens to write, and these power."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Context, Link, Port
from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.data import table

SUBSTEP_S = 0.5
"""Longest step of the batch: sequences live for seconds."""
FULL_KW, IDLE_KW = 0.7, 0.075
"""One H100, on which the curves were measured: board power (published), without work (unconfirmed)."""


class Curve(NamedTuple):
    r"""A quantity over the batch size: :math:`y = y_0 + L/(1 + e^{-k(\log_2 b - x_0)})` [1]_.

    References
    ----------
    .. [1] GPU-to-Grid (arXiv 2602.05116), eq. 2, for power, latency and throughput of a server.
    """

    low: float
    span: float
    steep_pu: float
    middle_pu: float

    def at(self, batch_count: float) -> float:
        """Return the value at a batch size of one or more."""
        x = math.log2(max(batch_count, 1.0))
        return self.low + self.span / (1.0 + math.exp(-self.steep_pu * (x - self.middle_pu)))


class Server(NamedTuple):
    """What one server of a model draws and writes, from the table `inference_models`."""

    gpus_count: float
    power_w: Curve
    tokens_per_s: Curve
    batch_min_count: float
    batch_most_count: float
    prefill_per_gpu_per_s: float
    """Prompt tokens an accelerator reads a second; 0: reading is within the server's curves."""

    def tokens(self, batch_count: float) -> float:
        """Return the tokens it writes a second; below the smallest measured batch in proportion to it."""
        least = self.batch_min_count
        rate = self.tokens_per_s.at(min(max(batch_count, least), self.batch_most_count))
        return rate * min(batch_count / least, 1.0)

    def dynamic_gpu(self, batch_count: float) -> float:
        """Return its power above idle, in accelerators at full power; in proportion below the least batch."""
        least = self.batch_min_count
        kw = self.power_w.at(min(max(batch_count, least), self.batch_most_count)) / 1e3
        share = (kw - IDLE_KW * self.gpus_count) / (FULL_KW - IDLE_KW)
        return max(share, 0.0) * min(batch_count / least, 1.0)


def server(model: str) -> Server:
    """Return the server of a model of the table. Raises KeyError when there is none."""
    row = table("inference_models")[model]

    def curve(*columns: str) -> Curve:
        return Curve(*(float(row[column]) for column in columns))

    return Server(
        gpus_count=float(row["gpus_count"]),
        power_w=curve("power_low_w", "power_span_w", "power_steep_pu", "power_middle_pu"),
        tokens_per_s=curve("tokens_low_per_s", "tokens_span_per_s", "tokens_steep_pu", "tokens_middle_pu"),
        batch_min_count=float(row["batch_min_count"]),
        batch_most_count=float(row["batch_most_count"]),
        prefill_per_gpu_per_s=float(row["prefill_per_gpu_per_s"]),
    )


class InferenceParams(Params):
    """One fleet of equal servers."""

    requests_of: str | None = Field(default=None, description="demand unit whose requests it answers")
    model: str = Field(default="llama31_70b", description="row of the table of models: curves of its server")
    servers_count: float = Field(gt=0, description="servers that write")
    prefill_gpu: float = Field(
        default=0.0, ge=0, description="accelerators that read prompts, for models that read apart"
    )
    context_tokens_count: float = Field(
        default=1155.0, gt=0, description="tokens of a prompt; Azure 2023: 1155 conversation, 2048 code"
    )
    generated_tokens_count: float = Field(
        default=211.0, gt=0, description="tokens of an answer; Azure 2023: 211 conversation, 28 code"
    )
    batch_most_count: float | None = Field(
        default=None, gt=0, description="sequences a server writes at once; by default all that were measured"
    )
    serves: str | None = Field(default=None, description="hall that does the work")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        models = table("inference_models")
        if self.model not in models:
            msg = f"model {self.model!r} is not in the table: {', '.join(models)}"
            raise ValueError(msg)
        apart = self.the_server().prefill_per_gpu_per_s > 0.0
        if apart != (self.prefill_gpu > 0.0):
            why = "needs accelerators that read" if apart else "reads within its servers: leave it out"
            msg = f"prefill_gpu={self.prefill_gpu:g}: model {self.model} {why}"
            raise ValueError(msg)
        return self

    def the_server(self) -> Server:
        """Return its server, with the batch it may have."""
        known = server(self.model)
        if self.batch_most_count is None:
            return known
        most = max(self.batch_most_count, known.batch_min_count)
        return known._replace(batch_most_count=min(most, known.batch_most_count))


class Fleet:
    """State of one fleet: prompts not read yet, and sequences being written or waiting for it."""

    def __init__(self, params: InferenceParams) -> None:
        self._params, self._server = params, params.the_server()
        self._read_per_s = (
            params.prefill_gpu * self._server.prefill_per_gpu_per_s / params.context_tokens_count
        )
        """Prompts its accelerators can read a second."""
        self.unread = 0.0
        self.running = 0.0
        self.settled = False

    @property
    def batch_count(self) -> float:
        """Sequences each server writes now."""
        return min(self.running / self._params.servers_count, self._server.batch_most_count)

    @property
    def waiting(self) -> float:
        """Requests that are not read yet, or wait for room in a batch."""
        return self.unread + self.running - self.batch_count * self._params.servers_count

    def settle(self, requests_per_s: float) -> None:
        """Start with the batch at which as much is written as is asked for, or the largest."""
        low, high = 0.0, self._server.batch_most_count
        wanted = requests_per_s * self._params.generated_tokens_count / self._params.servers_count
        if self._read_per_s > 0.0:
            wanted = min(wanted, self._read_per_s * self._params.generated_tokens_count)
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._server.tokens(middle) < wanted else (low, middle)
        self.running = high * self._params.servers_count
        self.settled = True

    def go_on(self, requests_per_s: float, h_s: float) -> tuple[float, float, float, float]:
        """Advance by `h_s`: return accelerators reading and writing, tokens and answers a second."""
        read_per_s = requests_per_s
        if self._read_per_s > 0.0:
            read_per_s = min(requests_per_s + self.unread / h_s, self._read_per_s)
            self.unread = max(self.unread + (requests_per_s - read_per_s) * h_s, 0.0)
        reading = self._params.prefill_gpu * read_per_s / self._read_per_s if self._read_per_s > 0.0 else 0.0
        first, servers = self.batch_count, self._params.servers_count
        ended = self._ended_per_s(first)
        ahead = max(self.running + (read_per_s - ended) * h_s, 0.0)
        second = min(ahead / servers, self._server.batch_most_count)
        ended = min(0.5 * (ended + self._ended_per_s(second)), read_per_s + self.running / h_s)
        self.running += (read_per_s - ended) * h_s
        power = 0.5 * (self._server.dynamic_gpu(first) + self._server.dynamic_gpu(second))
        return reading, servers * power, ended * self._params.generated_tokens_count, ended

    def _ended_per_s(self, batch_count: float) -> float:
        written = self._params.servers_count * self._server.tokens(batch_count)
        return written / self._params.generated_tokens_count


class Inference:
    r"""Fleets that read prompts and write answers; see `docs/models/work.md`.

    The batch of a server is the number of sequences it writes at once. It grows with the requests and shrinks
    with what is written, :math:`\dot N = a - S\,T(N/S)/g`, and throughput `T` and power follow the batch by
    the published logistic curves. Reading is bound by arithmetic and draws full power; models measured as a
    whole have it within their curves. `work_gpu` counts accelerators at full power: a hall's
    `work_intensity_pu` stays 1.
    """

    params_type: ClassVar[type[Params]] = InferenceParams
    inputs: ClassVar[tuple[Port, ...]] = (Port("requests_per_s", "requests that arrive, mean over the step"),)
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "accelerators at full power that draw as much above idle, mean over the step"),
        Port("reading_gpu", "part of it: prompts read apart"),
        Port("writing_gpu", "part of it: servers"),
        Port("batch_count", "sequences each server writes at once, at the end"),
        Port("running_count", "sequences being written, at the end"),
        Port("waiting_count", "requests not read yet or without room in a batch, at the end"),
        Port("tokens_per_s", "tokens written, mean over the step"),
        Port("answers_per_s", "requests ended, mean over the step"),
    )
    links: ClassVar[tuple[Link, ...]] = (
        Link("requests_of", takes={"requests_per_s": "requests_per_s"}),
        Link("serves", gives={"work_gpu": "work_gpu"}),
    )

    def __init__(self, params: Sequence[InferenceParams]) -> None:
        self._params = tuple(params)
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget all requests; the first step begins with the batch that its requests need."""
        del context
        self._fleets = [Fleet(unit) for unit in self._params]

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance every fleet in steps of at most half a second (Heun's rule; every request is kept)."""
        del t_s
        steps = max(math.ceil(dt_s / SUBSTEP_S - 1e-9), 1)
        rows = []
        arriving = inputs["requests_per_s"].tolist()
        for fleet, params, requests_per_s in zip(self._fleets, self._params, arriving, strict=True):
            if not fleet.settled:
                fleet.settle(requests_per_s)
            means = np.zeros(4)
            for _ in range(steps):
                means += fleet.go_on(requests_per_s, dt_s / steps)
            reading, writing, tokens, answers = (means / steps).tolist()
            batch, waiting = fleet.batch_count, fleet.waiting
            running = batch * params.servers_count
            rows.append((reading + writing, reading, writing, batch, running, waiting, tokens, answers))
        columns = np.array(rows).reshape(-1, len(self.outputs)).T
        return {port.name: row.copy() for port, row in zip(self.outputs, columns, strict=True)}
