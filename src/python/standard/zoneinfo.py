"""Time zones by the rules in force since 2020: enough for a service's present, not for history."""

from datetime import datetime, timedelta, tzinfo

__all__ = ["ZoneInfo", "ZoneInfoNotFoundError", "available_timezones"]


class ZoneInfoNotFoundError(KeyError):
    pass


class _Change:
    """A change of clocks: the `week`th Sunday of `month` (-1: the last), `hours` after midnight on the wall before it."""

    def __init__(self, month, week, hours):
        self.month = month
        self.week = week
        self.hours = hours
        self._known = {}

    def at(self, year):
        moment = self._known.get(year)
        if moment is None:
            moment = self._known[year] = self._compute(year)
        return moment

    def _compute(self, year):
        if self.week > 0:
            day = datetime(year, self.month, 1)
            day += timedelta(days=(6 - day.weekday()) % 7 + 7 * (self.week - 1))
        else:
            day = datetime(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
            day -= timedelta(days=(day.weekday() + 1) % 7)
        return day + timedelta(hours=self.hours)


def _europe(hours):
    """All of Europe changes at 01:00 UTC; `hours` is the offset in winter."""
    return (_Change(3, -1, 1 + hours), _Change(10, -1, 2 + hours))


_AMERICA = (_Change(3, 2, 2), _Change(11, 1, 2))
_AUSTRALIA = (_Change(10, 1, 2), _Change(4, 1, 3))
_NEW_ZEALAND = (_Change(9, -1, 2), _Change(4, 1, 3))

# name: (standard name, its offset in minutes, summer name, changes)
_ZONES = {
    "UTC": ("UTC", 0, None, None),
    "Etc/UTC": ("UTC", 0, None, None),
    "Africa/Johannesburg": ("SAST", 120, None, None),
    "Africa/Lagos": ("WAT", 60, None, None),
    "Africa/Nairobi": ("EAT", 180, None, None),
    "America/Anchorage": ("AKST", -540, "AKDT", _AMERICA),
    "America/Argentina/Buenos_Aires": ("-03", -180, None, None),
    "America/Bogota": ("-05", -300, None, None),
    "America/Chicago": ("CST", -360, "CDT", _AMERICA),
    "America/Denver": ("MST", -420, "MDT", _AMERICA),
    "America/Halifax": ("AST", -240, "ADT", _AMERICA),
    "America/Los_Angeles": ("PST", -480, "PDT", _AMERICA),
    "America/New_York": ("EST", -300, "EDT", _AMERICA),
    "America/Phoenix": ("MST", -420, None, None),
    "America/Sao_Paulo": ("-03", -180, None, None),
    "America/St_Johns": ("NST", -210, "NDT", _AMERICA),
    "America/Toronto": ("EST", -300, "EDT", _AMERICA),
    "America/Vancouver": ("PST", -480, "PDT", _AMERICA),
    "Asia/Bangkok": ("+07", 420, None, None),
    "Asia/Dubai": ("+04", 240, None, None),
    "Asia/Hong_Kong": ("HKT", 480, None, None),
    "Asia/Jakarta": ("WIB", 420, None, None),
    "Asia/Karachi": ("PKT", 300, None, None),
    "Asia/Kathmandu": ("+0545", 345, None, None),
    "Asia/Kolkata": ("IST", 330, None, None),
    "Asia/Manila": ("PST", 480, None, None),
    "Asia/Seoul": ("KST", 540, None, None),
    "Asia/Shanghai": ("CST", 480, None, None),
    "Asia/Singapore": ("+08", 480, None, None),
    "Asia/Taipei": ("CST", 480, None, None),
    "Asia/Tokyo": ("JST", 540, None, None),
    "Atlantic/Reykjavik": ("GMT", 0, None, None),
    "Australia/Brisbane": ("AEST", 600, None, None),
    "Australia/Melbourne": ("AEST", 600, "AEDT", _AUSTRALIA),
    "Australia/Perth": ("AWST", 480, None, None),
    "Australia/Sydney": ("AEST", 600, "AEDT", _AUSTRALIA),
    "Europe/Amsterdam": ("CET", 60, "CEST", _europe(1)),
    "Europe/Athens": ("EET", 120, "EEST", _europe(2)),
    "Europe/Berlin": ("CET", 60, "CEST", _europe(1)),
    "Europe/Brussels": ("CET", 60, "CEST", _europe(1)),
    "Europe/Bucharest": ("EET", 120, "EEST", _europe(2)),
    "Europe/Copenhagen": ("CET", 60, "CEST", _europe(1)),
    "Europe/Helsinki": ("EET", 120, "EEST", _europe(2)),
    "Europe/Istanbul": ("+03", 180, None, None),
    "Europe/Kyiv": ("EET", 120, "EEST", _europe(2)),
    "Europe/Lisbon": ("WET", 0, "WEST", _europe(0)),
    "Europe/London": ("GMT", 0, "BST", _europe(0)),
    "Europe/Madrid": ("CET", 60, "CEST", _europe(1)),
    "Europe/Moscow": ("MSK", 180, None, None),
    "Europe/Oslo": ("CET", 60, "CEST", _europe(1)),
    "Europe/Paris": ("CET", 60, "CEST", _europe(1)),
    "Europe/Prague": ("CET", 60, "CEST", _europe(1)),
    "Europe/Rome": ("CET", 60, "CEST", _europe(1)),
    "Europe/Stockholm": ("CET", 60, "CEST", _europe(1)),
    "Europe/Vienna": ("CET", 60, "CEST", _europe(1)),
    "Europe/Warsaw": ("CET", 60, "CEST", _europe(1)),
    "Europe/Zurich": ("CET", 60, "CEST", _europe(1)),
    "Pacific/Auckland": ("NZST", 720, "NZDT", _NEW_ZEALAND),
    "Pacific/Honolulu": ("HST", -600, None, None),
}
_known = {}
_NOTHING = timedelta(0)
_HOUR = timedelta(hours=1)


def available_timezones():
    return set(_ZONES)


class ZoneInfo(tzinfo):
    def __new__(cls, key):
        zone = _known.get(key)
        if zone is None:
            rule = _ZONES.get(key)
            if rule is None:
                raise ZoneInfoNotFoundError(f"No time zone found with key {key}. There are: {', '.join(_ZONES)}")
            zone = tzinfo.__new__(cls)
            zone.key = key
            zone._standard, minutes, zone._summer, zone._changes = rule
            zone._offset = timedelta(minutes=minutes)
            _known[key] = zone
        return zone

    @classmethod
    def no_cache(cls, key):
        return cls(key)

    def __repr__(self):
        return f"zoneinfo.ZoneInfo(key={self.key!r})"

    def __str__(self):
        return self.key

    def utcoffset(self, dt):
        if dt is None:
            return None if self._changes else self._offset
        return self._offset + self.dst(dt)

    def tzname(self, dt):
        if dt is None:
            return None if self._changes else self._standard
        return self._summer if self.dst(dt) else self._standard

    def dst(self, dt):
        if dt is None:
            return None if self._changes else _NOTHING
        if self._changes is None:
            return _NOTHING
        begins, ends = (change.at(dt.year) for change in self._changes)
        wall = dt.replace(tzinfo=None, fold=0)
        # The hour that is skipped reads as before the change, the hour that comes twice as its first pass; `fold` turns both.
        if dt.fold:
            ends -= _HOUR
        else:
            begins += _HOUR
        summer = begins <= wall < ends if begins < ends else not ends <= wall < begins
        return _HOUR if summer else _NOTHING

    def fromutc(self, dt):
        if dt.tzinfo is not self:
            raise ValueError("fromutc: dt.tzinfo is not self")
        standard = dt.replace(tzinfo=None) + self._offset
        if self._changes is None:
            return standard.replace(tzinfo=self)
        begins, ends = (change.at(standard.year) for change in self._changes)
        ends -= _HOUR
        summer = begins <= standard < ends if begins < ends else not ends <= standard < begins
        if summer:
            return (standard + _HOUR).replace(tzinfo=self)
        return standard.replace(tzinfo=self, fold=int(ends <= standard < ends + _HOUR))
