"""The paths around the core events against published moves."""

import pandas as pd
import pytest

from impact.figures import core_event_paths


def test_paths_pass_through_the_published_days(made):
    table = made("core-event-paths").table
    zero = table[table["relative_session"] == 0].set_index("session")["path"]
    # Abnormal log returns of the brief: 9 April +9.0488%, 3 April -4.9972%, 2 May +1.4422%.
    assert zero["2025-04-09"] == pytest.approx(0.090488, abs=5e-7)
    assert zero["2025-04-03"] == pytest.approx(-0.049972, abs=5e-7)
    assert zero["2025-05-02"] == pytest.approx(0.014422, abs=5e-7)
    assert (table.loc[table["relative_session"] == -1, "path"] == 0).all()
    assert table["event"].nunique() == 10


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            0.02,
            "Against an average day one of one core reactions look unusual; .* volatility, none$",
        ),
        (-0.04, "One of one core reactions look unusual, against an average day as"),
        (0.00, "None of one core reactions look unusual, against an average day as"),
    ],
)
def test_the_title_counts_what_lies_outside_each_band(path, words):
    day = {"relative_session": 0, "path": path, "textbook_low": -0.01, "textbook_high": 0.01}
    paths = pd.DataFrame([day | {"conditional_low": -0.03, "conditional_high": 0.03}])
    data = core_event_paths.Paths(paths, {"a": None})
    assert pd.Series(core_event_paths.title(data)).str.match(words).all()
    narrow = paths.assign(conditional_low=-0.001, conditional_high=0.001, path=0.005)
    title = core_event_paths.title(core_event_paths.Paths(narrow, {"a": None}))
    assert title.startswith("Allowing for current volatility one of one")
