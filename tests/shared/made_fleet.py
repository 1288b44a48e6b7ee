"""Sites at work, for tests: `Run`, and a fleet with one job."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.streams import Streams
from datacenters.fleet import FleetParams
from datacenters.network import NetworkParams, RouteParams
from datacenters.site import Site, SiteParams
from datacenters.workload import Population

PLACES = ("hefei", "huaibei", "shanghai")


class Run:
    """Sites at work, with what they told."""

    def __init__(self, fleet: FleetParams, gpus: Sequence[float], seed: int = 1, **site: Any) -> None:
        self.events: list[tuple[float, str, str, str]] = []
        params = [
            SiteParams(place=place, gpus_count=count, fleet=fleet if i == 0 else None, **site)
            for i, (place, count) in enumerate(zip(PLACES, gpus, strict=False))
        ]
        self.sites = Site(params)
        context = Context(
            names=PLACES[: len(gpus)],
            streams=Streams(seed),
            emit=lambda t, unit, kind, text, data="": self.events.append((t, unit, kind, text)),
        )
        self.sites.reset(context)
        self.quiet = {port.name: np.full(len(gpus), port.default) for port in self.sites.inputs}
        self.t_s = 0.0
        self.rows: list[dict[str, Any]] = []

    def go(self, until_s: float, dt_s: float = 1.0, **inputs: Any) -> dict[str, Any]:
        given = {**self.quiet, **{name: np.array(v, dtype=float) for name, v in inputs.items()}}
        while self.t_s < until_s - 1e-9:
            self.rows.append(dict(self.sites.step(self.t_s, dt_s, given)))
            self.t_s += dt_s
        return self.rows[-1]

    def told(self, kind: str) -> list[str]:
        return [text for _, _, what, text in self.events if what == kind]

    def books(self) -> dict[str, float]:
        return dict(self.sites.fleet.roster.books())


def one_job(**changes: Any) -> FleetParams:
    """Return a fleet with one training job of 100 accelerators for an hour, which starts at hefei at once."""
    job = {
        "name": "job", "kind": "training", "jobs_count": 1, "home": "hefei", "gpus_median_gpu": 100.0,
        "gpus_sigma_pu": 0.0, "duration_median_h": 1.0, "duration_sigma_pu": 0.0, "busy_pu": 1.0,
        "state_gb_per_gpu": 10.0, "checkpoint_every_s": 600.0, "checkpoint_s": 10.0, "load_s": 30.0,
    }  # fmt: skip
    network = NetworkParams(routes=(RouteParams(between=("hefei", "huaibei"), bandwidth_gbit_per_s=100.0),))
    return FleetParams(jobs=(Population(**{**job, **changes}),), jobs_over_h=1e-6, network=network)
