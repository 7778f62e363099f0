"""How nervous the market was the evening before."""
