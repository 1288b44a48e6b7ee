"""The list of KPIs: each a name with its unit, what it means, and where its numbers come from."""

from collections.abc import Callable
from dataclasses import dataclass

from cosim.kpi.measures import (
    OSCILLATION_WINDOW_S,
    RAMP_WINDOW_S,
    RECOVERED_PU,
    VOLTAGE_STEP_WINDOW_S,
    angle_spread,
    disconnected,
    energy_weighted_ratio,
    handover_time,
    moves,
    no_solution,
    oscillation,
    oscillation_frequency,
    outage,
    ramp,
    spectral_share,
    throttled,
    voltage_recovery,
    voltage_step,
    water_use,
)
from cosim.kpi.metering import green_share, maximum_demand, own_share, power_factor
from cosim.kpi.orders import delivered_share, slowest_response
from cosim.kpi.reduce import (
    Measure,
    end_off_nominal,
    highest,
    integral_h,
    integral_magnitude_h,
    largest_magnitude,
    lowest,
)
from cosim.kpi.spectrum import BAND_HZ
from cosim.kpi.work import added_up, counted, data_gb, net_of, weighted_mean


@dataclass(frozen=True)
class Kpi:
    """A number computed from a run.

    `columns` are read from the first of `tables` that the run has, or, when `tables` is empty, from
    every component kind that publishes all of them: a stranger's hall counts as ours does. A KPI `of_orders`
    has no columns: it is measured from what was promised and what came of it.
    """

    name: str
    description: str
    columns: tuple[str, ...]
    measure: Callable[..., Measure]
    tables: tuple[str, ...] = ()
    of_orders: bool = False


_VOLTAGE, _BRANCH, _AREA, _GRID = ("bus", "point"), ("line", "trafo", "trafo3w"), ("area",), ("grid",)
_MACHINE = ("gen",)
_POINT, _METER, _CAMPUS, _SERVICE = ("point",), ("meter",), ("campus",), ("service",)

KPIS: dict[str, Kpi] = {
    kpi.name: kpi
    for kpi in (
        Kpi("vm_min_pu", "lowest voltage at a bus", ("vm_pu",), lowest, _VOLTAGE),
        Kpi("vm_max_pu", "highest voltage at a bus", ("vm_pu",), highest, _VOLTAGE),
        Kpi(
            "voltage_step_max_pu",
            f"largest change of a voltage within {VOLTAGE_STEP_WINDOW_S:g} s",
            ("vm_pu",),
            voltage_step,
            _VOLTAGE,
        ),
        Kpi("loading_max_percent", "highest loading of a branch", ("loading_percent",), highest, _BRANCH),
        Kpi("f_nadir_hz", "lowest frequency, within exchanges too", ("f_min_hz",), lowest, _AREA),
        Kpi("f_zenith_hz", "highest frequency, within exchanges too", ("f_max_hz",), highest, _AREA),
        Kpi(
            "rocof_max_hz_per_s",
            "fastest change of frequency, over 500 ms",
            ("rocof_hz_per_s",),
            largest_magnitude,
            _AREA,
        ),
        Kpi(
            "f_end_hz",
            "frequency at the end, furthest from nominal of all areas",
            ("f_hz",),
            end_off_nominal,
            _AREA,
        ),
        Kpi(
            "voltage_recovery_max_s",
            f"longest time of a bus below {RECOVERED_PU:g} pu",
            ("vm_pu",),
            voltage_recovery,
            _VOLTAGE,
        ),
        Kpi(
            "outage_max_s",
            "longest time of a bus that had a voltage without one",
            ("vm_pu",),
            outage,
            _VOLTAGE,
        ),
        Kpi(
            "angle_spread_max_degree",
            "largest angle between two rotors of one island",
            ("delta_degree",),
            angle_spread,
            _MACHINE,
        ),
        Kpi(
            "oscillation_max_pu",
            f"largest amplitude of a machine's speed that lasts through {OSCILLATION_WINDOW_S:g} s",
            ("speed_pu",),
            oscillation,
            _MACHINE,
        ),
        Kpi(
            "oscillation_frequency_hz",
            "how often that machine then swings",
            ("speed_pu",),
            oscillation_frequency,
            _MACHINE,
        ),
        Kpi("load_max_mw", "highest load of the grid", ("load_mw",), highest, _GRID),
        Kpi("losses_mwh", "energy lost in the network", ("losses_mw",), integral_h, _GRID),
        Kpi(
            "slack_residual_max_mw",
            "largest power the slack carried beyond its schedule",
            ("slack_residual_mw",),
            largest_magnitude,
            _GRID,
        ),
        Kpi("no_solution_count", "exchanges without a solution", ("converged_pu",), no_solution, _GRID),
        Kpi("tap_moves_count", "tap positions passed", ("tap_pos",), moves, ("trafo",)),
        Kpi(
            "droop_energy_mwh",
            "energy units delivered or took as fast frequency response",
            ("p_droop_mw",),
            integral_magnitude_h,
            ("point",),
        ),
        Kpi(
            "f_point_min_hz",
            "lowest frequency at a unit, of its own island, at the ends of exchanges",
            ("f_hz",),
            lowest,
            _POINT,
        ),
        Kpi("f_point_max_hz", "highest frequency at a unit, likewise", ("f_hz",), highest, _POINT),
        Kpi(
            "energy_import_mwh",
            "energy a campus drew from the grid, each exchange by itself",
            ("p_import_mw",),
            integral_h,
            _METER,
        ),
        Kpi(
            "energy_export_mwh",
            "energy a campus sent to the grid, each exchange by itself",
            ("p_export_mw",),
            integral_h,
            _METER,
        ),
        Kpi("export_max_mw", "highest power a meter sent to the grid", ("p_export_mw",), highest, _METER),
        Kpi(
            "demand_max_mw",
            "maximum demand of a meter: highest mean import over 15 minutes, moved by a minute",
            ("p_import_mw",),
            maximum_demand,
            _METER,
        ),
        Kpi(
            "power_factor_pu",
            "active energy drawn over its root of squares with the reactive energy, of the worst meter",
            ("p_import_mw", "q_mvar"),
            power_factor,
            _METER,
        ),
        Kpi(
            "own_share_pu",
            "energy of sources and gen-sets of campuses per energy their loads draw",
            ("p_load_mw", "p_source_mw", "p_genset_mw"),
            own_share,
            _CAMPUS,
        ),
        Kpi(
            "green_share_pu",
            "energy of fuel-free sources of campuses per energy their loads draw",
            ("p_load_mw", "p_source_mw"),
            green_share,
            _CAMPUS,
        ),
        Kpi(
            "campus_pue_pu",
            "energy of the halls of a campus per energy of their IT",
            ("p_facility_mw", "p_it_mw"),
            energy_weighted_ratio,
            _CAMPUS,
        ),
        Kpi("energy_mwh", "energy drawn", ("p_mw",), integral_h),
        Kpi("p_max_mw", "highest power drawn by one unit", ("p_mw",), highest),
        Kpi("p_min_mw", "lowest power drawn by one unit", ("p_mw",), lowest),
        Kpi(
            "ramp_max_mw_per_min",
            f"largest change of one unit's power within {RAMP_WINDOW_S:g} s",
            ("p_mw",),
            ramp,
        ),
        Kpi(
            "spectral_share_pu",
            f"variance of one unit's power between {BAND_HZ[0]:g} and {BAND_HZ[1]:g} Hz, of all of it",
            ("p_mw",),
            spectral_share,
        ),
        Kpi(
            "disconnected_max_mw",
            "most that supplies of halls together had off the grid",
            ("order_mw", "p_mw"),
            disconnected,
        ),
        Kpi("temp_die_max_degc", "hottest die of all racks", ("temp_die_max_degc",), highest),
        Kpi("temp_air_max_degc", "hottest hall air", ("temp_air_degc",), highest),
        Kpi("throttled_s", "time a hall computes slower for its heat", ("throttle_pu",), throttled),
        Kpi(
            "pue_pu",
            "energy of a hall per energy of its IT",
            ("facility_mw", "it_mw"),
            energy_weighted_ratio,
        ),
        Kpi(
            "wue_l_per_kwh",
            "fresh water of heat rejection per energy of IT",
            ("water_kg_per_s", "it_mw"),
            water_use,
        ),
        Kpi("work_done_gpu_h", "work done", ("work_done_gpu",), integral_h),
        Kpi("work_offered_gpu_h", "work offered", ("work_offered_gpu",), integral_h),
        Kpi("work_unserved_gpu_h", "work offered and not done", ("work_unserved_gpu",), integral_h),
        Kpi("soc_min_pu", "lowest charge of a store", ("soc_pu",), lowest),
        Kpi("soc_max_pu", "highest charge of a store", ("soc_pu",), highest),
        Kpi("handover_time_s", "from the order to the end of the last phase", ("phase_code",), handover_time),
        Kpi("backlog_max_gpu_h", "most work waiting", ("backlog_gpu_h",), highest),
        Kpi("double_running_gpu_h", "work run twice", ("double_running_gpu",), integral_h),
        Kpi("jobs_ended_count", "jobs that ended", ("ended_count",), counted),
        Kpi("jobs_late_count", "jobs that ended after their deadlines", ("late_count",), counted),
        Kpi("jobs_failed_count", "times a job fell back to its last checkpoint", ("failed_count",), counted),
        Kpi("jobs_moved_count", "times a job went on at another site", ("came_count",), counted),
        Kpi("job_work_gpu_h", "work of jobs done, repeated work too", ("job_gpu",), integral_h),
        Kpi("job_overhead_gpu_h", "accelerators kept busy by loading jobs", ("overhead_gpu",), integral_h),
        Kpi("job_lost_gpu_h", "work of jobs that must be done again", ("lost_gpu",), integral_h),
        Kpi("tokens_count", "tokens written", ("tokens_per_s",), added_up),
        Kpi(
            "tokens_served_count",
            "tokens of services and of batch inference, less those lost with a site",
            ("tokens_per_s", "tokens_lost_per_s"),
            net_of,
        ),
        Kpi(
            "unanswered_share_pu",
            "requests that waited too long, of all that came, by work",
            ("unanswered_gpu", "wanted_gpu"),
            energy_weighted_ratio,
        ),
        Kpi("latency_max_ms", "longest latency of what is answered", ("latency_ms",), highest),
        Kpi(
            "latency_mean_ms",
            "mean latency of what services answer, by work",
            ("latency_mean_ms", "served_gpu"),
            weighted_mean,
            _SERVICE,
        ),
        Kpi(
            "unanswered_tokens_count",
            "tokens of requests that waited too long",
            ("unanswered_tokens_per_s",),
            added_up,
            _SERVICE,
        ),
        Kpi("data_moved_gb", "data of jobs and sessions sent to other sites", ("sent_gbit_per_s",), data_gb),
        Kpi("network_energy_mwh", "energy of that data on its way", ("network_mw",), integral_h),
        Kpi("network_cost_cny", "cost of that data", ("network_cny_per_h",), integral_h),
        Kpi(
            "delivered_share_pu",
            "energy delivered of all that was promised when units were activated",
            (),
            delivered_share,
            of_orders=True,
        ),
        Kpi(
            "response_time_max_s",
            "longest time from an activation to 90 % of what was promised",
            (),
            slowest_response,
            of_orders=True,
        ),
    )
}
