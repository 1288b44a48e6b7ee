"""Where a service may be answered, and how long it takes to change sites."""

from collections.abc import Sequence

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Bools, Floats
from datacenters.data import table
from datacenters.network import Network, copy_s
from datacenters.service_params import MoveService, ServiceParams
from datacenters.sessions import DONE_PU


class Reach:
    """Latency of services and the sites near enough that hold their weights.

    Attributes
    ----------
    latency_ms, near
        Of each service, shape (sites,).

    Raises
    ------
    ScenarioError
        With everything that is wrong; where no site is within a bound, with the latencies there are.
    """

    def __init__(self, params: Sequence[ServiceParams], network: Network) -> None:
        self._params, self._network = tuple(params), network
        self.latency_ms: list[Floats] = []
        self.near: list[Bools] = []
        wrong: list[str] = []
        for service in params:
            try:
                self._add(service)
            except ScenarioError as error:
                wrong += str(error).splitlines()
        names = [p.name for p in params]
        wrong += [
            f"services: the name {n!r} is used twice" for n in dict.fromkeys(names) if names.count(n) > 1
        ]
        if wrong:
            raise ScenarioError("\n".join(wrong))

    def _add(self, service: ServiceParams) -> None:
        names = self._network.names
        wrong = [
            f"service {service.name}: staged_at {site!r} is no site (allowed: {', '.join(names)})"
            for site in service.staged_at
            if site not in names
        ]
        if service.requests != "steady" and service.requests not in table("inference_services"):
            known = ", ".join(("steady", *table("inference_services")))
            wrong.append(
                f"service {service.name}: requests={service.requests!r} is unknown (allowed: {known})"
            )
        try:
            latency_ms = self._network.from_users_ms(service.users)
        except ScenarioError as error:
            wrong.append(f"service {service.name}, users: {error}")
        if wrong:
            raise ScenarioError("\n".join(wrong))
        staged = np.array([not service.staged_at or n in service.staged_at for n in names], dtype=np.bool_)
        near = staged & (latency_ms <= service.latency_bound_ms)
        if not near.any():
            found = ", ".join(
                f"{n} {ms:.1f} ms" for n, ms, ok in zip(names, latency_ms, staged, strict=True) if ok
            )
            msg = (
                f"service {service.name}: no site answers users in {service.users} within "
                f"{service.latency_bound_ms:g} ms ({found})"
            )
            raise ScenarioError(msg)
        self.latency_ms.append(latency_ms)
        self.near.append(near)

    def unknown(self, name: str) -> str | None:
        """Return that there is no such service, or None."""
        if name in {p.name for p in self._params}:
            return None
        return f"service {name!r} is unknown (allowed: {', '.join(p.name for p in self._params) or 'none'})"

    def refusal(self, site: int, order: MoveService) -> str | None:
        """Return why an order to move a service to a site can never be obeyed, or None."""
        name = order.service
        if (told := self.unknown(name)) is not None or order.back:
            return told
        k = [p.name for p in self._params].index(name)
        p, where, latency_ms = self._params[k], self._network.names[site], self.latency_ms[k]
        if latency_ms[site] > p.latency_bound_ms:
            return (
                f"service {name} cannot go to {where}: {latency_ms[site]:.1f} ms from users in {p.users}, "
                f"bound {p.latency_bound_ms:g} ms"
            )
        if not self.near[k][site]:
            return f"service {name} cannot go to {where}: its weights ({p.weights_gb:g} GB) are not there"
        return _too_short(p, order)

    def too_slow(
        self, order: MoveService, site: int, load_gpu: Floats, route_gbit_per_s: Floats
    ) -> str | None:
        """Return why the state of sessions cannot be at a site in time when nothing else travels, or None."""
        p = next(p for p in self._params if p.name == order.service)
        gpus = order.share_pu * float(load_gpu.sum()) - float(load_gpu[site])
        source = int(np.argmax(np.where(np.arange(load_gpu.size) == site, -1.0, load_gpu)))
        if order.over_s is None or p.moves_by == "drain" or gpus <= 0.0 or source == site:
            return None
        names, access = self._network.names, self._network.access_gbit_per_s
        rate = float(min(route_gbit_per_s[source, site], access[source], access[site]))
        if rate <= 0.0:
            return (
                f"service {p.name} cannot go to {names[site]}: the line {names[source]}-{names[site]} is cut"
            )
        gigabytes = gpus * p.session_gb_per_gpu
        copy = copy_s(gigabytes, rate)
        if copy + p.cut_over_s <= order.over_s:
            return None
        needs_s = copy + p.cut_over_s
        return (
            f"service {p.name} cannot go to {names[site]} in {order.over_s:g} s: {needs_s:.1f} s are"
            f" needed: copy {copy:.1f} s ({gigabytes:g} GB at {rate:g} Gbit/s), cut-over {p.cut_over_s:g} s"
        )


def _too_short(p: ServiceParams, order: MoveService) -> str | None:
    r"""Return why not enough sessions end in time: :math:`T_s \ln(1/(1 - s))` for a share s."""
    stays_pu = 1.0 - order.share_pu + DONE_PU
    needs_s = p.session_s * float(np.log(1.0 / min(stays_pu, 1.0)))
    if order.over_s is None or p.moves_by == "state" or needs_s <= order.over_s:
        return None
    return (
        f"service {p.name} cannot have moved in {order.over_s:g} s: {needs_s:.1f} s are needed until"
        f" {1.0 - stays_pu:.0%} of its sessions of {p.session_s:g} s have ended"
    )
