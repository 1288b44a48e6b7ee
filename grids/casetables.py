"""The tables of a grid case: which columns they have and what each cell may hold."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "whole", "switch", "reference"]

EVIDENCE = ("published", "derived", "synthetic")


@dataclass(frozen=True)
class Column:
    """What a cell may hold; a cell may be empty only where there is a `default` (or `optional`)."""

    name: str
    kind: Kind = "text"
    above: float | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    """Tables whose names a reference may name."""
    required: bool = True
    """The column itself must be there."""
    default: str | None = None
    """Stands in for an empty cell or a column left out; None means a value must be given."""

    def allowed(self) -> str:
        """Say in words what a cell may hold."""
        if self.choices:
            return "one of " + ", ".join(choice or "(empty)" for choice in self.choices)
        bounds = [
            f"{sign} {value:g}"
            for sign, value in ((">", self.above), (">=", self.least), ("<=", self.most))
            if value is not None
        ]
        what = {
            "text": "text",
            "number": "a number",
            "whole": "a whole number",
            "switch": "true or false",
            "reference": "a name in " + " or ".join(f"{table}.csv" for table in self.refers_to),
        }[self.kind]
        return " ".join([what, *([" and ".join(bounds)] if bounds else [])])


@dataclass(frozen=True)
class Table:
    """One csv file of a case."""

    name: str
    columns: tuple[Column, ...]
    required: bool = False
    """The file must be there."""
    not_empty: bool = False
    key: tuple[str, ...] = ("name",)
    by_name: dict[str, Column] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})


def _text(name: str, **rules: object) -> Column:
    return Column(name, **rules)  # type: ignore[arg-type]


def _number(name: str, default: str | None = None, **rules: object) -> Column:
    required = default is None
    return Column(name, "number", default=default, required=required, **rules)  # type: ignore[arg-type]


def _whole(name: str, default: str, **rules: object) -> Column:
    return Column(name, "whole", default=default, required=False, **rules)  # type: ignore[arg-type]


def _optional(name: str, **rules: object) -> Column:
    """Return a number that may stay unknown (nan)."""
    return _number(name, "nan", **rules)


def _switch(name: str, default: str) -> Column:
    return Column(name, "switch", default=default, required=False)


def _bus(name: str = "bus") -> Column:
    return Column(name, "reference", refers_to=("bus",))


_NAME = _text("name")
_ORIGIN = (
    _text("evidence", choices=EVIDENCE),
    _text("source"),
    _text("name_zh", default="", required=False),
    _text("note", default="", required=False),
)
_IN_SERVICE = _switch("in_service", "true")
_PLACE = (_optional("lat", least=-90, most=90), _optional("lon", least=-180, most=180))

LINE_ELECTRIC = (
    _optional("r_ohm_per_km"),  # below 0 in equivalents of networks
    _optional("x_ohm_per_km"),
    _optional("c_nf_per_km", least=0),
    _number("g_us_per_km", "0", least=0),
    _optional("max_i_ka", above=0),
)
"""A line's own data: given in line.csv, or by its std_type."""

TRAFO_ELECTRIC = (
    _optional("sn_mva", above=0),
    _optional("vn_hv_kv", above=0),
    _optional("vn_lv_kv", above=0),
    _optional("vk_percent", least=-100, most=100),  # below 0 in a leg of a star
    _optional("vkr_percent", least=-100, most=100),
    _number("pfe_kw", "0", least=0),
    _number("i0_percent", "0"),  # below 0 where a branch with charging stands for it
    _number("shift_degree", "0", least=-360, most=360),
    _text("tap_side", choices=("", "hv", "lv"), default="", required=False),
    _optional("tap_neutral"),
    _optional("tap_min"),
    _optional("tap_max"),
    _optional("tap_step_percent"),
    _optional("tap_step_degree"),
    _text("tap_changer_type", choices=("", "Ratio", "Symmetrical", "Ideal"), default="", required=False),
)
"""A transformer's own data: given in trafo.csv, or by its std_type."""

MACHINE = (
    _optional("h_s", least=0, most=100),
    _optional("responding_pu", least=0, most=1),
)
"""What a row may say about its own machine instead of its plant type."""

_BUS_COLUMNS = (
    _NAME,
    _number("vn_kv", above=0, most=1500),
    _text("type", choices=("b", "n", "m"), default="b", required=False),
    _text("zone", default="", required=False),
    Column("area", "reference", refers_to=("areas",)),
    *_PLACE,
    _number("min_vm_pu", "0.9", least=0.5, most=1.5),
    _number("max_vm_pu", "1.1", least=0.5, most=1.5),
    _whole("busbars", "1", least=1),
    _optional("spacing_km", above=0),
    *_ORIGIN,
)

_LINE_COLUMNS = (
    _NAME,
    _bus("from_bus"),
    _bus("to_bus"),
    _number("length_km", above=0),
    _text("std_type", default="", required=False),
    *LINE_ELECTRIC,
    _whole("parallel", "1", least=1),
    _number("df", "1", above=0, most=1),
    _number("max_loading_percent", "100", above=0),
    _IN_SERVICE,
    *_ORIGIN,
)

_TRAFO_COLUMNS = (
    _NAME,
    _bus("hv_bus"),
    _bus("lv_bus"),
    _text("std_type", default="", required=False),
    *TRAFO_ELECTRIC,
    _whole("parallel", "1", least=1),
    _number("df", "1", above=0, most=1),
    _number("max_loading_percent", "100", above=0),
    _optional("tap_pos"),
    _text("tap_control", choices=("", "hv", "lv"), default="", required=False),
    _optional("vm_set_pu", least=0.8, most=1.2),
    _optional("vm_deadband_pu", above=0, most=0.2),
    _optional("delay_s", least=0),
    _IN_SERVICE,
    *_ORIGIN,
)

_GEN_COLUMNS = (
    _NAME,
    _bus(),
    _text("plant_type"),
    _number("sn_mva", above=0),
    _number("p_mw"),
    _number("vm_pu", least=0.8, most=1.2),
    _number("min_p_mw"),
    _number("max_p_mw"),
    _number("min_q_mvar"),
    _number("max_q_mvar"),
    _switch("dispatchable", "true"),
    _number("participation_pu", "1", least=0),
    *MACHINE,
    _IN_SERVICE,
    *_ORIGIN,
)

_LINK_COLUMNS = (
    _NAME,
    _text("from_element", default="", required=False),
    _text("to_element", default="", required=False),
    _number("sn_mw", above=0),
    _whole("poles", "2", least=1, most=4),
    _optional("vn_kv", above=0, most=1500),
    _optional("length_km", least=0),
    _number("loss_percent", least=0, most=30),
    _number("station_loss_percent", "0.75", least=0, most=5),
    _number("ramp_mw_per_min", "100", above=0),
    _number("min_pu", "0.1", least=0, most=1),
    _number("overload_pu", "1", least=1, most=2),
    _number("overload_s", "7200", least=0),
    _number("filter_pu", "0.6", least=0, most=1),
    _number("filter_trip_s", "0", least=0),
    _number("support_from_mw_per_hz", "0", least=0),
    _number("support_to_mw_per_hz", "0", least=0),
    _number("support_deadband_hz", "0.1", least=0, most=5),
    _number("support_limit_mw", "0", least=0),
    _number("support_time_s", "0.1", above=0),
    *_ORIGIN,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("bus", _BUS_COLUMNS, required=True, not_empty=True),
        Table("line", _LINE_COLUMNS, required=True),
        Table("trafo", _TRAFO_COLUMNS),
        Table(
            "load",
            (
                _NAME,
                _bus(),
                _text("type", default="", required=False),
                _number("p_mw"),
                _number("q_mvar"),
                _IN_SERVICE,
                *_ORIGIN,
            ),
            required=True,
        ),
        Table("gen", _GEN_COLUMNS),
        Table(
            "sgen",
            (
                _NAME,
                _bus(),
                _text("type", default="", required=False),
                _optional("sn_mva", above=0),
                _number("p_mw"),
                _number("q_mvar"),
                _IN_SERVICE,
                *_ORIGIN,
            ),
        ),
        Table(
            "shunt",
            (
                _NAME,
                _bus(),
                _number("q_mvar"),
                _number("p_mw", "0"),
                _whole("step", "1", least=0),
                _whole("max_step", "1", least=1),
                _text("control", choices=("", "voltage"), default="", required=False),
                _optional("vm_low_pu", least=0.5, most=1.5),
                _optional("vm_high_pu", least=0.5, most=1.5),
                _optional("delay_s", least=0),
                _IN_SERVICE,
                *_ORIGIN,
            ),
        ),
        Table(
            "ext_grid",
            (
                _NAME,
                _bus(),
                _number("vm_pu", least=0.8, most=1.2),
                _number("va_degree", "0", least=-360, most=360),
                _IN_SERVICE,
                *_ORIGIN,
            ),
            required=True,
            not_empty=True,
        ),
        Table(
            "points",
            (_NAME, _bus(), _text("description", default="", required=False), *_PLACE, *_ORIGIN),
            required=True,
        ),
        Table(
            "areas",
            (
                _NAME,
                _number("f_nominal_hz", least=10, most=100),
                _number("rest_load_mw", "0", least=0),
                _number("load_damping_pu", least=0, most=10),
                _number("agc_bias_mw_per_hz", "0", least=0),
                *_ORIGIN,
            ),
            required=True,
            not_empty=True,
        ),
        Table(
            "rest_fleet",
            (
                Column("area", "reference", refers_to=("areas",)),
                _text("plant_type"),
                _number("sn_mva", above=0),
                _number("p_mw"),
                *MACHINE,
                *_ORIGIN,
            ),
            key=("area", "plant_type"),
        ),
        Table(
            "ties",
            (
                Column("element", "reference", refers_to=("gen", "sgen", "ext_grid")),
                Column("area", "reference", refers_to=("areas",)),
                _number("share_pu", least=0, most=1),
                *_ORIGIN,
            ),
            key=("element", "area"),
        ),
        Table("links", _LINK_COLUMNS),
    )
}
"""Table name -> columns, in the order of docs/cases.md."""
