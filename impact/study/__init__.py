"""The event study: events, returns, model and tests meet here."""
