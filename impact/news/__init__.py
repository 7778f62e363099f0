"""What was announced, and the session that could react first."""
