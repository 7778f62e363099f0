"""What prices did: files, calendars, prices, returns."""
