"""What a hand-over of work needs to know: halls, data to copy, durations, and the order to move."""

from typing import Literal

from pydantic import Field, field_validator

from cosim.core.params import Params

GBIT_PER_GB = 8.0


class Migrate(Params):
    """An order to move work."""

    share_pu: float = Field(
        ge=-1, le=1, description="share of all work that moves to the target; below 0 it moves back"
    )
    over_s: float = Field(gt=0, description="time from the order until the work has moved")

    @field_validator("share_pu")
    @classmethod
    def _moves(cls, value: float) -> float:
        if value == 0.0:
            msg = "0 moves nothing: above 0 work goes to the target, below 0 it comes back"
            raise ValueError(msg)
        return value


class HandoverParams(Params):
    """Two halls, what has to travel between them and how long each phase takes."""

    work: str = Field(description="demand unit whose work is shared between the halls")
    source: str = Field(description="hall that does the work at first")
    target: str = Field(description="hall that takes it over")
    state_gb: float = Field(
        default=141.0,
        ge=0,
        description="data to copy before sessions can move: weights of a 70B model are 141 GB in bf16,"
        " training states 16 byte per parameter (derived); 0 where all is in place",
    )
    bandwidth_gbit_per_s: float = Field(default=100.0, gt=0, description="rate of the line between the halls")
    overlap_pu: float = Field(
        default=0.0, ge=0, le=1, description="part of the copy that may run while the destination warms up"
    )
    warm_up_s: float = Field(
        default=60.0, ge=0, description="time to load weights: 30 to 180 s (unconfirmed)"
    )
    warm_up_pu: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="GPUs kept busy by loading, per GPU of moving work: 0.25 to 0.40 (unconfirmed)",
    )
    drain_s: float = Field(
        default=60.0,
        ge=0,
        description="least time for sessions to end at the origin: 10 to 120 s for inference (unconfirmed);"
        " an order that leaves more time drains longer",
    )
    drain: Literal["linear", "exponential"] = Field(
        default="exponential", description="how sessions end: evenly, or at random with new ones elsewhere"
    )
    double_running_s: float = Field(
        default=15.0, ge=0, description="time both halls run together before the cut-over (unconfirmed)"
    )
    double_running_pu: float = Field(
        default=0.2, ge=0, le=1, description="part of the moved work the origin still runs then (unconfirmed)"
    )
    cut_over_s: float = Field(
        default=1.0, ge=0, description="time in which the moving work waits while routes change (unconfirmed)"
    )
    stops_during_transfer: bool = Field(
        default=False, description="the work stands still while it is copied, as training does"
    )
    catch_up_pu: float = Field(
        default=0.5,
        ge=0,
        description="fastest working-off of a backlog, per GPU of work at the destination; the Hefei to"
        " Huaibei demonstration reports +50 % load per machine (published)",
    )
    reserved_source_gpu: float = Field(
        default=0.0, ge=0, description="room kept free at the source, beside other work there"
    )
    reserved_target_gpu: float = Field(
        default=0.0, ge=0, description="room kept free at the target, beside other work there"
    )
    moved_start_pu: float = Field(
        default=0.0, ge=0, le=1, description="share of the work that is at the target at t_s = 0"
    )

    @property
    def copy_s(self) -> float:
        """Time the whole copy takes."""
        return self.state_gb * GBIT_PER_GB / self.bandwidth_gbit_per_s

    def durations(self, over_s: float) -> tuple[float, float, float, float, float]:
        """Return how long warm-up, transfer, drain, double running and cut-over last [s].

        What `over_s` leaves beyond the least times goes to the drain.
        """
        transfer_s = self.copy_s - min(self.overlap_pu * self.copy_s, self.warm_up_s)
        fixed_s = self.warm_up_s + transfer_s + self.double_running_s + self.cut_over_s
        return self.warm_up_s, transfer_s, over_s - fixed_s, self.double_running_s, self.cut_over_s

    def least_s(self) -> float:
        """Return the shortest time in which work can move."""
        return self.drain_s - self.durations(0.0)[2]
