"""Normal and abnormal returns; nothing is tested here."""
