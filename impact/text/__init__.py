"""How a number and a table look."""
