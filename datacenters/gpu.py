"""What a node and its rack draw, from their parts and the converters that feed them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cosim.core.params import LISTED, Params


class Stage(Params):
    """Converters in front of the nodes: what goes in for what comes out, as ExaDigiT/RAPS counts it."""

    eta_pu: float = Field(gt=0, le=1, description="output and constant loss over input")
    loss_kw: float = Field(default=0.0, ge=0, description="constant loss of one converter")
    nodes_count: float = Field(default=1.0, gt=0, description="nodes one converter feeds")
    beside_kw: float = Field(
        default=0.0, ge=0, description="constant power it feeds besides, for each node (switches)"
    )

    def drawn_kw(self, p_out_kw: float) -> float:
        r"""Return the power of one node before the converter [kW]: :math:`P_{in} = (P_{out} + c)/\eta` [1]_.

        References
        ----------
        .. [1] ExaDigiT/RAPS, `raps/power.py`, `compute_loss`; W. Brewer et al., A digital twin framework
           for liquid-cooled supercomputers as demonstrated at exascale, SC24, arXiv 2410.05133.
        """
        return (p_out_kw + self.beside_kw + self.loss_kw / self.nodes_count) / self.eta_pu


class Node(Params):
    """Parts of one node, powers at their own terminals."""

    gpus_count: float = Field(gt=0, description="accelerators of a node")
    gpu_idle_kw: float = Field(ge=0, description="one accelerator without work")
    gpu_full_kw: float = Field(gt=0, description="one accelerator at full work")
    cpus_count: float = Field(default=0.0, ge=0, description="processors of a node")
    cpu_idle_kw: float = Field(default=0.0, ge=0, description="one processor without work")
    cpu_full_kw: float = Field(default=0.0, ge=0, description="one processor at full work")
    fixed_kw: float = Field(default=0.0, ge=0, description="memory, network and storage of a node")
    fan_idle_kw: float = Field(default=0.0, ge=0, description="fans of a node that does nothing")
    fan_full_kw: float = Field(default=0.0, ge=0, description="fans of a node at full work")
    stages: Annotated[tuple[Stage, ...], LISTED] = Field(
        default=(), description="converters, from the node to the rack's inlet"
    )

    @model_validator(mode="after")
    def _draws_more_at_work(self) -> Self:
        for part in ("gpu", "cpu", "fan"):
            idle_kw, full_kw = getattr(self, f"{part}_idle_kw"), getattr(self, f"{part}_full_kw")
            if full_kw < idle_kw:
                msg = f"{part}_full_kw={full_kw:g} is below {part}_idle_kw={idle_kw:g}"
                raise ValueError(msg)
        return self

    def p_kw(self, gpu_pu: float, cpu_pu: float) -> float:
        r"""Return what a node draws at the inlet of its rack [kW].

        Accelerators and processors go in a straight line from idle to full [1]_; air for the fans rises with
        the work of the accelerators, their power with its cube: :math:`P_0 + K x^3`.

        Parameters
        ----------
        gpu_pu, cpu_pu
            Utilisation of accelerators and processors, 0 to 1.

        References
        ----------
        .. [1] ExaDigiT/RAPS, `raps/power.py`, `compute_node_power`.
        """
        power_kw = (
            self.gpus_count * (self.gpu_idle_kw + (self.gpu_full_kw - self.gpu_idle_kw) * gpu_pu)
            + self.cpus_count * (self.cpu_idle_kw + (self.cpu_full_kw - self.cpu_idle_kw) * cpu_pu)
            + self.fixed_kw
            + self.fan_idle_kw
            + (self.fan_full_kw - self.fan_idle_kw) * gpu_pu**3
        )
        for stage in self.stages:
            power_kw = stage.drawn_kw(power_kw)
        return power_kw


class Parts(Params):
    """A rack described by its nodes: gives `gpus_count`, `full_load_kw` and `idle_pu`."""

    node: Node = Field(description="one of its equal nodes")
    nodes_count: float = Field(gt=0, description="nodes in the rack")

    def rack_numbers(self) -> dict[str, float]:
        """Return the rack's accelerators, full load and idle share."""
        full_kw, idle_kw = self.node.p_kw(1.0, 1.0), self.node.p_kw(0.0, 0.0)
        return {
            "gpus_count": self.nodes_count * self.node.gpus_count,
            "full_load_kw": self.nodes_count * full_kw,
            "idle_pu": idle_kw / full_kw,
        }


FRONTIER_NODE = Node(
    gpus_count=4,
    gpu_idle_kw=0.088,
    gpu_full_kw=0.56,
    cpus_count=1,
    cpu_idle_kw=0.09,
    cpu_full_kw=0.28,
    fixed_kw=0.07426 + 4 * 0.02 + 0.03,
    stages=(
        Stage(eta_pu=0.98, loss_kw=0.013),
        Stage(eta_pu=0.96, loss_kw=0.017, nodes_count=4.0, beside_kw=0.0625),
    ),
)
"""One node of Frontier: four MI250X and one Trento behind SIVOC and rectifier.

Memory, four network cards and storage; four switches of 250 W for 16 nodes are fed by the rectifiers.
ExaDigiT/RAPS, `config/frontier.yaml` (published).
"""

H100_NODE = Node(
    gpus_count=8,
    gpu_idle_kw=0.075,
    gpu_full_kw=0.7,
    cpus_count=2,
    cpu_idle_kw=0.1,
    cpu_full_kw=0.35,
    fixed_kw=0.95,
    fan_idle_kw=0.15,
    fan_full_kw=0.8,
    stages=(Stage(eta_pu=0.95),),
)
"""One air-cooled 8 x H100 system at the inlet of its power supplies: 8.47 kW at full work, 2.0 kW at idle.

Board power (700 W) and processors (350 W) are published; the sum is what was measured at most (8.4-8.48 kW,
arXiv 2412.08602, published). Fans, switches, network, memory, supplies and idle powers (unconfirmed).
"""

H100_LIQUID_NODE = H100_NODE.model_copy(update={"fan_idle_kw": 0.05, "fan_full_kw": 0.15})
"""The same behind cold plates: fans for what the plates leave (unconfirmed)."""

GB200_TRAY = Node(
    gpus_count=4,
    gpu_idle_kw=0.125,
    gpu_full_kw=1.2,
    cpus_count=2,
    cpu_idle_kw=0.04,
    cpu_full_kw=0.4,
    fixed_kw=0.38,
    fan_idle_kw=0.03,
    fan_full_kw=0.15,
    stages=(Stage(eta_pu=0.965, beside_kw=0.3),),
)
"""One of 18 trays of a GB200 NVL72 with its part of the switch trays, at the inlet of the rectifiers.

Board power (1.2 kW), rectifiers of 0.965 at full load (ORv3) and the sum of 120 kW a rack are published; the
rest (unconfirmed).
"""
