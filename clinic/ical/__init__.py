"""Calendars of others: addresses from which a calendar program reads, and appointments as iCalendar files."""
