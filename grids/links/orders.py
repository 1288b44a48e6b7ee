"""What a scenario can tell a direct-current link, in every engine."""

from typing import ClassVar

from pydantic import Field

from cosim.core.grid import EventParams

LINK = "a link of the case, a dcline, or an element that carries a terminal"


class Block(EventParams):
    """Poles of a direct-current link are blocked at once, and restarted if so wished."""

    subject: ClassVar[str] = "link"
    link: str = Field(description=LINK)
    pole_share_pu: float = Field(default=1.0, gt=0, le=1, description="share of the poles the link has")
    restart_after_s: float | None = Field(
        default=None, gt=0, description="when they restart; by default never"
    )


class Ramp(EventParams):
    """The scheduled power of a direct-current link goes to another value."""

    subject: ClassVar[str] = "link"
    link: str = Field(description=LINK)
    to_mw: float = Field(description="new schedule, at the rectifier or the one end in the case")
    over_s: float | None = Field(
        default=None,
        gt=0,
        description="how long the ramp takes; default: as `links.csv` allows, 1 s for a dynamic model",
    )


class Runback(EventParams):
    """The power of a direct-current link is cut, fast, and stays so until its schedule is no higher."""

    subject: ClassVar[str] = "link"
    link: str = Field(description=LINK)
    to_mw: float = Field(description="what is left, at the rectifier or the one end in the case")
    over_s: float = Field(default=0.2, gt=0, description="how long the cut takes")


LINK_ACTIONS: dict[str, type[EventParams]] = {"dc_block": Block, "dc_ramp": Ramp, "dc_runback": Runback}
