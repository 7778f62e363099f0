"""Whose events they are: the names that people write, as the columns of the returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from impact.errors import EventError
from impact.news.catalogue import COLUMNS
from impact.news.events import ALIGNED
from impact.news.own_columns import security_columns, security_texts
from impact.text.formats import iso, list_of
from impact.text.nearest import suggestion

#: Columns that cannot differ between the securities of a session, or are given anew.
_OF_THE_SESSION = {*ALIGNED, "announced_at", "label", "security"}

#: So many strangers are told the column that is spelt most like them.
_NEAREST = 20


def with_securities(aligned: pd.DataFrame, columns: pd.Index) -> pd.DataFrame:
    """Return aligned events whose `security` is one of the columns, or which are dropped.

    Without `security` a column with such a name (ticker, symbol, firm, permno) that holds columns
    of the returns is read as it. It is spelt as the returns do, whatever its case; a name that is
    none of theirs is a reason in `dropped`. Events that name every column in each of their sessions
    are one event a session, without `security`. What was read so stands in ``attrs["notes"]``.

    EventError if a column of another name holds nothing but columns of the returns: it is to be
    called security.

    Examples
    --------
    >>> from impact.news.alignment import align
    >>> rows = pd.bdate_range("2025-04-01", "2025-04-17")
    >>> events = pd.DataFrame({"session": rows[[6, 7]], "Ticker": ["msft ", "MSTF"]})
    >>> read = with_securities(align(events, rows), pd.Index(["AAPL", "MSFT"]))
    >>> read["security"].to_list(), read["dropped"].to_list()[1]
    (['MSFT', 'MSTF'], "security 'MSTF' is not a column of the returns: the nearest is 'MSFT'")
    """
    frame, texts = as_spelt(aligned, columns)
    attrs, notes = frame.attrs, frame.attrs.get("notes", ())
    if texts is not None:
        known = {"", *columns.astype("str")}
        strange = np.array([name not in known for name in frame["security"]], dtype=bool)
        strange &= (frame["dropped"] == "").to_numpy(bool)
        if strange.any():
            reasons = _reasons(texts[strange].unique(), columns)
            frame.loc[strange, "dropped"] = texts[strange].map(reasons).to_numpy()
        frame, said = _on_common_dates(frame, texts, len(columns))
        notes = (*notes, *said)
    frame.attrs = {**attrs, **({"notes": notes} if notes else {})}
    return frame


def as_spelt(events: pd.DataFrame, columns: pd.Index) -> tuple[pd.DataFrame, pd.Series | None]:
    """Return events whose `security` is spelt as the returns do, and as it was written.

    Without `security`, a column such as ticker that names columns of the returns is read as it;
    what was read, or names none of them, stands in ``attrs["notes"]``. None where no column does.

    Examples
    --------
    >>> events = pd.DataFrame({"Ticker": ["spy ", "QQQ"]})
    >>> as_spelt(events, pd.Index(["SPY"]))[0]["security"].to_list()
    ['SPY', 'QQQ']
    """
    find = _finder(columns)
    frame = events.copy()
    said: list[str] = []
    if "security" not in frame:
        frame, said = _renamed(frame, find, columns)
    if said:
        frame.attrs["notes"] = (*events.attrs.get("notes", ()), *said)
    if "security" not in frame:
        return frame, None
    texts = security_texts(frame["security"])
    spelt = [find(text) or text for text in texts]
    frame["security"] = pd.Series(spelt, frame.index, dtype="str")
    return frame, texts


def _finder(columns: pd.Index) -> Callable[[str], str | None]:
    """Return the function that finds a column by its text, or by a case that no other shares."""
    texts = columns.astype("str").to_list()
    loose = [text.casefold() for text in security_texts(pd.Series(texts))]
    times, exact = Counter(loose), set(texts)
    folded = {case: text for case, text in zip(loose, texts, strict=True) if times[case] == 1}
    return lambda name: name if name in exact else folded.get(name.casefold())


def _reasons(strangers: np.ndarray, columns: pd.Index) -> dict[str, str]:
    """Why events of these securities are left out, with the nearest column of a few."""
    known = columns.astype("str")
    return {
        name: f"security {name!r} is not a column of the returns"
        + (f": the nearest is {suggestion(name, known, 1)}" if i < _NEAREST else "")
        for i, name in enumerate(strangers)
    }


def _renamed(
    frame: pd.DataFrame, find: Callable[[str], str | None], columns: pd.Index
) -> tuple[pd.DataFrame, list[str]]:
    """The column that holds securities under the name `security`, and what is said of it."""
    called = security_columns(frame)
    held = {name: _share(frame[name], find) for name in called}
    if called and max(held.values()) > 0:
        name = max(called, key=held.__getitem__)
        said = f"Of the events, column {name!r} was read as 'security'."
        return frame.rename(columns={name: "security"}), [said]
    others = frame.columns.difference([*called, *COLUMNS, *ALIGNED], sort=False)
    for name in others if len(columns) > 1 else ():
        if is_string_dtype(frame[name]) and _share(frame[name], find) == 1:
            raise EventError(
                f"column {name!r} of the events holds names of securities: say that each event is "
                f"of that security with .rename(columns={{{name!r}: 'security'}}), or drop it"
            )
    if not called:
        return frame, []
    whose = "of all columns" if len(columns) > 1 else f"read as one of {columns[0]}"
    names = list_of(map(repr, called))
    return frame, [f"Column {names} of the events names no column: each event is {whose}."]


def _share(values: pd.Series, find: Callable[[str], str | None]) -> float:
    """Share of the texts (or numbers) of a column that name securities."""
    texts = security_texts(values)
    texts = texts[texts != ""]
    return float(texts.map(find).notna().mean()) if len(texts) else 0.0


def _on_common_dates(
    frame: pd.DataFrame, written: pd.Series, securities: int
) -> tuple[pd.DataFrame, list[str]]:
    """One event a session where the rows of each session name every security once."""
    kept = frame[frame["dropped"] == ""]
    # Few tables have a row for each security in each session: their number tells most apart.
    if securities == 1 or kept.empty or kept["session"].nunique() * securities != len(kept):
        return frame, []
    by_session = kept.groupby("session", sort=False)["security"]
    full = by_session.nunique().eq(securities) & by_session.size().eq(securities)
    if not full.all() or (kept["security"] == "").any():
        return frame, []
    members = [rows for _, rows in kept.groupby("session", sort=False)]
    own = kept.columns.difference([*_OF_THE_SESSION])
    split = [name for name in own if any(len(set(map(repr, rows[name]))) > 1 for rows in members)]
    common = pd.concat([rows.iloc[:1] for rows in members])
    ids = [_shared(rows.index, written, iso(rows["session"].iloc[0])) for rows in members]
    labels = [
        _shared(rows["label"], written, name) for rows, name in zip(members, ids, strict=True)
    ]
    common = common.assign(label=labels, security="").set_axis(pd.Index(ids, name="id"))
    left = frame[frame["dropped"] != ""]
    joined = (pd.concat([common, left]) if len(left) else common).drop(columns=split)
    if not split:
        return joined, []
    differ = f"{list_of(map(repr, split))}, which differs between the securities of a date"
    return joined, [f"Of the events, left out: {differ}."]


def _shared(texts: pd.Series | pd.Index, written: pd.Series, default: str) -> str:
    """What the members of an event are all called, their securities taken off."""
    ends = written.loc[texts.index if isinstance(texts, pd.Series) else texts]
    bare = {str(text).removesuffix(f" {end}") for text, end in zip(texts, ends, strict=True)}
    return bare.pop() if len(bare) == 1 else default
