"""The instrument: schedules a feed, loads a server with subscribers, and proves and measures what each of them got."""
