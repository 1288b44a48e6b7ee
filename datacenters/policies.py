"""Where work should go, and when: policies, ours and those a package brings."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import ClassVar, Protocol

import numpy as np
from pydantic import Field

from cosim.core.params import Params
from cosim.core.registry import Registry
from cosim.core.types import Bools, Floats

POLICIES = "suandian.policies"
"""Entry points of policies: a class with `params_type` and `rank`."""


@dataclass(frozen=True)
class View:
    """What a policy sees at the beginning of an exchange; arrays over sites."""

    t_s: float
    dt_s: float
    names: Sequence[str]
    price_cny_per_mwh: Floats
    carbon_kg_per_mwh: Floats
    green_mw: Floats
    """Power of wind, sun and storage the site may call its own."""
    load_mw: Floats
    """What its work draws now."""
    free_gpu: Floats
    up: Bools


@dataclass(frozen=True)
class Ranking:
    """What a policy says: work goes where the score is lowest, jobs that may wait start where it is open."""

    score: Floats
    is_open: Bools
    away: float = 1e-9
    """How much lower a score must be to send work away from its data."""
    strict: bool = False
    """The first job that waits lets none pass."""
    moves_above: float = np.inf
    """Running work leaves a site whose score is higher than another's by more than this."""
    stays: float = 0.0
    """A service leaves a site only where the score of another is lower by more than this, beside `per_mw`."""
    per_mw: float = 0.0
    """How much the score of a site rises with a megawatt of load that comes."""


class Policy(Protocol):
    """Ranks sites; one object per run."""

    params_type: ClassVar[type[Params]]

    def __init__(self, params: Params) -> None:
        """Take its parameters."""

    def rank(self, view: View) -> Ranking:
        """Return the ranking that holds over the exchange."""


class NoParams(Params):
    """A policy without settings."""


class FirstCome:
    """Jobs start in the order of their coming, near their data; the first without room blocks the rest."""

    params_type: ClassVar[type[Params]] = NoParams

    def __init__(self, params: Params) -> None:
        del params

    def rank(self, view: View) -> Ranking:
        """Return equal scores: the order of the sites decides."""
        return Ranking(np.zeros(len(view.names)), np.ones(len(view.names), dtype=np.bool_), strict=True)


class Backfill(FirstCome):
    """As first come, but jobs that delay nobody may pass (EASY)."""

    def rank(self, view: View) -> Ranking:
        """Return scores by how full a site is, so that load spreads; to services a tenth matters."""
        stays = 0.1 * float(view.free_gpu.max(initial=0.0)) / 1e9
        return Ranking(-view.free_gpu / 1e9, np.ones(len(view.names), dtype=np.bool_), stays=stays)


class ThresholdParams(Params):
    """A policy that waits for good hours and moves when it pays."""

    waits_share_pu: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="jobs that may wait start in the best hours: this share of those seen",
    )
    memory_h: float = Field(default=24.0, gt=0, description="hours looked back at to know what is good")
    moves: bool = Field(default=False, description="running work follows, too")


class PriceParams(ThresholdParams):
    """Settings of policy `price`."""

    away_cny_per_mwh: float = Field(
        default=20.0, ge=0, description="least saving to run away from data, or to send a service elsewhere"
    )
    moves_above_cny_per_mwh: float = Field(
        default=150.0, ge=0, description="least saving to move running work"
    )


class CarbonParams(ThresholdParams):
    """Settings of policy `carbon`."""

    away_kg_per_mwh: float = Field(
        default=50.0, ge=0, description="least saving to run away from data, or to send a service elsewhere"
    )
    moves_above_kg_per_mwh: float = Field(
        default=200.0, ge=0, description="least saving to move running work"
    )


class GreenParams(ThresholdParams):
    """Settings of policy `green`."""

    away_mw: float = Field(
        default=0.5,
        ge=0,
        description="least gain in unused green power to run away from data, or to send a service elsewhere",
    )
    moves_above_mw: float = Field(default=20.0, ge=0, description="least gain to move running work")


class _BySignal(ABC):
    """Follows a signal of the sites, and opens a site while it is among the best share of the last hours."""

    unit: ClassVar[str]
    """Unit of the signal, in the names of its settings."""
    per_mw: ClassVar[float] = 0.0
    """How much the signal rises with a megawatt of load."""

    def __init__(self, params: ThresholdParams) -> None:
        self._params = params
        self._away = float(getattr(params, f"away_{self.unit}"))
        self._above = float(getattr(params, f"moves_above_{self.unit}")) if params.moves else np.inf
        self._seen: list[tuple[float, Floats]] = []

    @abstractmethod
    def score(self, view: View) -> Floats:
        """Return the signal, shape (sites,): lower is better."""

    def rank(self, view: View) -> Ranking:
        """Return the signal as scores."""
        score = self.score(view)
        return Ranking(
            score,
            self._opens(view, score),
            self._away,
            moves_above=self._above,
            stays=self._away,
            per_mw=self.per_mw,
        )

    def _opens(self, view: View, score: Floats) -> Bools:
        """Return at which sites jobs that may wait start now."""
        p = self._params
        if p.waits_share_pu >= 1.0:
            return np.ones(score.size, dtype=np.bool_)
        step_s = p.memory_h * 3600.0 / 96.0
        if not self._seen or view.t_s - self._seen[-1][0] >= step_s:
            self._seen = [*self._seen, (view.t_s, score.copy())][-96:]
        past = np.concatenate([values for _, values in self._seen])
        return np.asarray(score <= np.quantile(past, p.waits_share_pu) + 1e-12)


class Price(_BySignal):
    """Work goes where and when electricity is cheap."""

    params_type: ClassVar[type[Params]] = PriceParams
    unit = "cny_per_mwh"

    def score(self, view: View) -> Floats:
        """Return prices."""
        return view.price_cny_per_mwh


class Carbon(_BySignal):
    """Work goes where and when electricity is clean."""

    params_type: ClassVar[type[Params]] = CarbonParams
    unit = "kg_per_mwh"

    def score(self, view: View) -> Floats:
        """Return carbon intensities."""
        return view.carbon_kg_per_mwh


class Green(_BySignal):
    """Work goes where wind and sun are left over."""

    params_type: ClassVar[type[Params]] = GreenParams
    unit, per_mw = "mw", 1.0

    def score(self, view: View) -> Floats:
        """Return what is lacking: load less green power."""
        return view.load_mw - view.green_mw


@cache
def policies() -> Registry:
    """Return the policies by name: ours and those of installed packages."""
    return Registry(POLICIES, entry_points(group=POLICIES))
