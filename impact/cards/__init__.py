"""One event in plain English."""
