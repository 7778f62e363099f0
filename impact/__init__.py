"""Event studies of trade-policy announcements that say how sure they are.

>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> events = impact.load_events(counterparty="CN", since="2025-05-01", until="2025-05-12")
>>> study = impact.event_study(returns, events)
>>> round(float(study.car(0).loc["mofcom-evaluating", "estimate"]), 4)
0.0144
"""

from impact.alignment import align
from impact.cards import event_card
from impact.events import load_events
from impact.prices import load_prices, load_vix, log_returns, simple_returns
from impact.published import published_beside_ours
from impact.sessions import nyse_sessions, reaction_session
from impact.study import event_study

__all__ = [
    "align",
    "event_card",
    "event_study",
    "load_events",
    "load_prices",
    "load_vix",
    "log_returns",
    "nyse_sessions",
    "published_beside_ours",
    "reaction_session",
    "simple_returns",
]
