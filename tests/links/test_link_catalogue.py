"""The catalogue of links agrees with itself and with geography."""

import math
import re

import pytest

from grids.case import load_case
from grids.links.catalogue import link_catalogue
from grids.portrait import evidence_shares

EARTH_KM = 6371.0


def great_circle_km(link):
    lat = [math.radians(x) for x in (link.from_lat_degree, link.to_lat_degree)]
    half = math.radians(link.to_lon_degree - link.from_lon_degree) / 2.0
    h = math.sin((lat[1] - lat[0]) / 2.0) ** 2 + math.cos(lat[0]) * math.cos(lat[1]) * math.sin(half) ** 2
    return 2.0 * EARTH_KM * math.asin(math.sqrt(h))


def test_no_line_is_shorter_than_the_great_circle_between_its_ends():
    for link in link_catalogue():
        if link.kind == "lcc":
            assert 0.93 * great_circle_km(link) < link.length_km < 1.45 * great_circle_km(link), link.name


def test_losses_are_those_of_two_stations_and_of_the_conductors_a_row_names():
    """I2R at 29 ohm mm2/km in every pole, of what the rectifier hands on."""
    for link in link_catalogue():
        found = re.search(r"I2R of (\d)x(\d+) mm2", link.source)
        if found is None:
            continue
        r_ohm = 29.0 * link.length_km / (int(found[1]) * int(found[2]))
        sent_mw = 0.9925 * link.sn_mw
        line_mw = link.poles_count * (sent_mw / link.poles_count / link.vn_kv) ** 2 * r_ohm
        percent = 100.0 * (1.0 - 0.9925 * (sent_mw - line_mw) / link.sn_mw)
        assert link.loss_percent == pytest.approx(percent, abs=0.15), link.name


def test_losses_of_a_line_fall_with_the_square_of_its_voltage():
    known = {link.name: link for link in link_catalogue()}
    stations = 100.0 * (1.0 - 0.9925**2)
    long, short = known["Yidu-Huaxin"], known["Xiangjiaba-Shanghai"]  # 4x720 and 6x720 mm2
    per_km = [(link.loss_percent - stations) / link.length_km / link.sn_mw for link in (long, short)]
    assert per_km[1] / per_km[0] == pytest.approx((500.0 / 800.0) ** 2 * 4.0 / 6.0, rel=0.02)


def test_names_are_unique_and_every_row_has_a_source():
    names = [link.name for link in link_catalogue()]
    assert len(names) == len(set(names))
    assert all(link.source for link in link_catalogue())


def test_what_a_report_says_of_evidence_counts_links(two_areas):
    assert evidence_shares(load_case(str(two_areas())).net)["links"] == {"synthetic": 1.0}
