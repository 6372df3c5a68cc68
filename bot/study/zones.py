"""Time zones as staff type them: IANA names in any case, and cities in Chinese and English."""

import zoneinfo
from functools import cache

DEFAULT_ZONE = "Asia/Shanghai"

_NO_PLACE = frozenset({"Factory", "localtime"})
"""Names that a zone database may hold and that mean no place."""

_CITIES = {
    "Asia/Shanghai": "北京 上海 广州 深圳 中国 beijing china",
    "Asia/Hong_Kong": "香港",
    "Asia/Macau": "澳门 澳門",
    "Asia/Taipei": "台北 臺北 台湾 臺灣 taiwan",
    "Asia/Urumqi": "乌鲁木齐 烏魯木齊 新疆",
    "Asia/Singapore": "新加坡",
    "Asia/Kuala_Lumpur": "吉隆坡 马来西亚 馬來西亞 malaysia",
    "Asia/Tokyo": "东京 東京 日本 japan",
    "Asia/Seoul": "首尔 首爾 韩国 韓國 korea",
    "Asia/Kolkata": "印度 india",
    "Asia/Dubai": "迪拜",
    "Europe/London": "伦敦 倫敦 英国 英國 britain",
    "Europe/Berlin": "柏林 德国 德國 germany",
    "Europe/Paris": "巴黎 法国 法國 france",
    "Europe/Moscow": "莫斯科",
    "America/New_York": "纽约 紐約 波士顿 boston",
    "America/Chicago": "芝加哥",
    "America/Los_Angeles": "洛杉矶 洛杉磯 旧金山 舊金山 西雅图 西雅圖 san_francisco seattle",
    "America/Toronto": "多伦多 多倫多",
    "America/Vancouver": "温哥华 溫哥華",
    "Australia/Sydney": "悉尼 雪梨",
    "Australia/Melbourne": "墨尔本 墨爾本",
    "Pacific/Auckland": "奥克兰 奧克蘭 新西兰 紐西蘭 new_zealand",
    "UTC": "世界时 世界時 gmt",
}
"""Zones that are offered first, and what else people call them."""


def zone_named(text: str) -> str | None:
    """The IANA name that ``text`` means, whatever its case; None where there is no such zone."""
    wanted = _plain(text)
    named = next((zone for zone in _all_zones() if zone.casefold() == wanted), None)
    return named or next((zone for zone, names in _CITIES.items() if wanted in names.split()), None)


def zones_like(typed: str, limit: int) -> tuple[str, ...]:
    """At most ``limit`` zones that ``typed`` may be the beginning of or a part of, best first."""
    wanted = _plain(typed)
    ranked = sorted(
        (rank, place, zone)
        for place, zone in enumerate((*_CITIES, *sorted(_all_zones() - _CITIES.keys())))
        if (rank := _rank(zone, wanted)) is not None
    )
    return tuple(zone for _, _, zone in ranked[:limit])


def _rank(zone: str, wanted: str) -> int | None:
    """How well ``wanted`` names ``zone``, 0 the best; None not at all."""
    names = [zone.casefold(), zone.casefold().rpartition("/")[2], *_CITIES.get(zone, "").split()]
    if any(name.startswith(wanted) for name in names):
        return 0
    return 1 if any(wanted in name for name in names) else None


def _plain(text: str) -> str:
    return "_".join(text.casefold().split())


@cache
def _all_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - _NO_PLACE)
