"""The title of the specification curve counts its table."""

import pandas as pd
from pictures import DIRECTORY


def test_the_title_counts_its_table():
    drawn = pd.read_csv(DIRECTORY / "specification-curve.csv")
    below = (drawn["estimate"] < 0).mean()
    found = ((drawn["statistic"] < 0) & (drawn["p_value"] <= 0.05)).mean()
    words = (DIRECTORY / "specification-curve.txt").read_text(encoding="utf-8")
    title = words.split(". Dots")[0]
    assert f"negative in {100 * below:.0f}% of {len(drawn):,} specifications" in title
    assert f"passes 5% in {100 * found:.0f}%" in title
    assert drawn["estimate"].is_monotonic_increasing
