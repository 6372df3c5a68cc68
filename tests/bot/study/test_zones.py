import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.study.zones import DEFAULT_ZONE, zone_named, zones_like


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("  asia/shanghai ", "Asia/Shanghai"),
        ("america/new york", "America/New_York"),
        ("北京", "Asia/Shanghai"),
        ("Beijing", "Asia/Shanghai"),
        ("臺北", "Asia/Taipei"),
        ("utc", "UTC"),
        ("Etc/GMT+8", "Etc/GMT+8"),
        ("火星", None),
        ("Asia", None),
        ("", None),
        ("localtime", None),
        ("../etc/passwd", None),
        ("Asia/Shanghai\x00", None),
    ],
)
def test_a_zone_is_known_by_its_name_or_a_citys(typed: str, zone: str | None) -> None:
    assert zone_named(typed) == zone


def test_nothing_typed_offers_the_usual_zones() -> None:
    assert zones_like("", 3) == ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Macau")
    assert DEFAULT_ZONE == "Asia/Shanghai"


def test_what_begins_as_typed_comes_before_what_only_holds_it() -> None:
    assert zones_like("ber", 2) == ("Europe/Berlin", "Atlantic/Bermuda")
    assert zones_like("深圳", 5) == ("Asia/Shanghai",)
    assert zones_like("los an", 1) == ("America/Los_Angeles",)
    assert zones_like("火星", 5) == ()


def test_what_cities_stand_for_are_zones_that_exist() -> None:
    offered = zones_like("", 24)
    assert set(offered) <= zoneinfo.available_timezones()


@given(typed=st.text(max_size=12))
def test_whatever_is_offered_is_accepted(typed: str) -> None:
    offered = zones_like(typed, 25)
    assert len(offered) <= 25
    assert [zone_named(zone) for zone in offered] == list(offered)
