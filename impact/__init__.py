"""Event studies of trade-policy announcements that say how sure they are.

>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> events = impact.load_events(counterparty="CN", since="2025-05-01", until="2025-05-12")
>>> study = impact.event_study(returns, events)
>>> round(float(study.car(0).loc["mofcom-evaluating", "estimate"]), 4)
0.0144
"""

from impact.alignment import align
from impact.calendar_time import calendar_time_portfolio
from impact.calibration import load_calibration
from impact.cards import event_card
from impact.cross_section import cross_section
from impact.dose import dose_response
from impact.events import load_events
from impact.hypotheses import evaluate_register
from impact.prices import load_prices, load_vix, log_returns, simple_returns
from impact.published import published_beside_ours
from impact.register import load_register
from impact.regression import event_regression
from impact.sessions import nyse_sessions, reaction_session
from impact.specification import specification_curve
from impact.study import event_study
from impact.yahoo import fetch_prices

__all__ = [
    "align",
    "calendar_time_portfolio",
    "cross_section",
    "dose_response",
    "evaluate_register",
    "event_card",
    "event_regression",
    "event_study",
    "fetch_prices",
    "load_calibration",
    "load_events",
    "load_prices",
    "load_register",
    "load_vix",
    "log_returns",
    "nyse_sessions",
    "published_beside_ours",
    "reaction_session",
    "simple_returns",
    "specification_curve",
]
