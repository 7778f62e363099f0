"""Event studies of trade-policy announcements that say how sure they are.

>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> events = impact.load_events(counterparty="CN", since="2025-05-01", until="2025-05-12")
>>> study = impact.event_study(returns, events)
>>> round(float(study.car(0).loc["mofcom-evaluating", "estimate"]), 4)
0.0144
"""

from impact import inference, volatility
from impact.analysis.calendar_time import calendar_time_portfolio
from impact.analysis.cross_section import cross_section
from impact.analysis.day import day
from impact.analysis.dose import dose_response
from impact.analysis.intraday import intraday_study
from impact.analysis.intraday_result import IntradayStudy
from impact.analysis.news_share import news_share
from impact.analysis.regression import event_regression
from impact.analysis.specification import specification_curve
from impact.cards.card import event_card
from impact.errors import ImpactError
from impact.figures import figure
from impact.hypotheses.register import load_register
from impact.hypotheses.verdicts import evaluate_register
from impact.inference.size import load_calibration, rate_table
from impact.inference.tests import HypothesisTest
from impact.inference.validity import design_table
from impact.inference.who_was_hit import relative_moves
from impact.market.bars import load_bars
from impact.market.calendar import nyse_sessions
from impact.market.factors import load_factors
from impact.market.placement import reaction_session
from impact.market.prices import firms_about, load_prices, load_vix
from impact.market.returns import log_returns, simple_returns
from impact.market.yahoo import fetch_prices
from impact.market.yahoo_bars import fetch_bars
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.published import published_beside_ours
from impact.news.uncertainty import load_uncertainty, uncertainty_days
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.study.groups import compare_groups
from impact.text.table import Table, table

__version__ = "0.3.0"

__all__ = [
    "EventStudy",
    "HypothesisTest",
    "ImpactError",
    "IntradayStudy",
    "Table",
    "__version__",
    "align",
    "calendar_time_portfolio",
    "compare_groups",
    "cross_section",
    "day",
    "design_table",
    "dose_response",
    "evaluate_register",
    "event_card",
    "event_regression",
    "event_study",
    "fetch_bars",
    "fetch_prices",
    "figure",
    "firms_about",
    "inference",
    "intraday_study",
    "load_bars",
    "load_calibration",
    "load_events",
    "load_factors",
    "load_prices",
    "load_register",
    "load_uncertainty",
    "load_vix",
    "log_returns",
    "news_share",
    "nyse_sessions",
    "published_beside_ours",
    "rate_table",
    "reaction_session",
    "relative_moves",
    "simple_returns",
    "specification_curve",
    "table",
    "uncertainty_days",
    "volatility",
]


def __dir__() -> list[str]:
    return __all__
