"""The site: pages from results, notebooks and figures; ``python -m impact report``."""
