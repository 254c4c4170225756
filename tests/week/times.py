"""When things happen in the simulated week: the last of October 2026, in which clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 10, 19, tzinfo=ZONE)
DAYS = 7
HOURLY = (1, 1, 2, 1, 1, 1, 2, 6, 14, 20, 22, 18, 14, 16, 20, 17, 13, 9, 6, 4, 3, 2, 1, 1)
"""Contacts by the hour on the wall: a bank's day with two peaks, and a night."""
OPEN = {"Sales": (8, 18), "Help": (9, 17)}
"""Opening hours of queues that have some, Monday to Friday; the others never close."""
HOLIDAY = datetime(2026, 10, 21).date()
"""A Wednesday on which all that close are closed."""


def ms_of(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


class Clock:
    """Draws moments, and knows who is open when."""

    def moment(self, chance: Random) -> int:
        day = MONDAY + timedelta(days=chance.randrange(DAYS))
        hour = chance.choices(range(24), HOURLY)[0]
        within = chance.randrange(3_600_000)
        return ms_of(day.replace(hour=hour, fold=chance.randrange(2))) + within

    def is_open(self, queue: str, time_ms: int) -> bool:
        hours = OPEN.get(queue)
        local = datetime.fromtimestamp(time_ms / 1000, ZONE)
        if hours is None:
            return True
        working = local.weekday() < 5 and local.date() != HOLIDAY
        return working and hours[0] <= local.hour < hours[1]


SETTINGS = """
[defaults]
zone = "Europe/Berlin"
[silence_seconds]
voice = 31536000
chat = 31536000
email = 31536000
social = 31536000
ticket = 31536000
callback = 31536000
[horizon_hours]
voice = 17520
chat = 17520
email = 17520
social = 17520
ticket = 17520
callback = 17520
[output]
agents = true
[calendars.sales]
monday = ["08:00-18:00"]
tuesday = ["08:00-18:00"]
wednesday = ["08:00-18:00"]
thursday = ["08:00-18:00"]
friday = ["08:00-18:00"]
holidays = ["2026-10-21"]
[calendars.help]
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
holidays = ["2026-10-21"]
[queues.Sales]
calendar = "sales"
[queues.Help]
calendar = "help"
service_level_threshold_seconds = 60
"""
