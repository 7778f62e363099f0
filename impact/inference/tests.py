"""HypothesisTest: what a test was of, what it found and who proposed it; and what tests share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd
import scipy

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import WindowReturns
from impact.estimation.observations import dropped_rows
from impact.market.windows import Window
from impact.text.formats import counted, number, p_value
from impact.text.result import Result
from impact.text.table import KNOWN, Column

#: Level at which a test is said to reject.
LEVEL = 0.05

#: A spread below this fraction of the values themselves is rounding.
ROUNDING = 1e-13

#: Fields of a `HypothesisTest` that a formula gives: statistic, p-values, distribution, n.
Found = dict[str, Any]


@dataclass(frozen=True, repr=False)
class HypothesisTest(Result):
    """Result of a hypothesis test; it prints itself as a table of one row.

    Attributes
    ----------
    name : str
        Name of the test, as in `impact.inference`.
    null : str
        The null hypothesis, as a sentence.
    statistic, p_value : float
        The statistic and its p-value against `alternative`.
    distribution : str
        Distribution of the statistic under the null.
    n : int
        Observations behind the statistic.
    reference : str
        The paper that the formula comes from.
    alternative : str
        ``"two-sided"`` unless the test says otherwise.
    p_greater, p_less : float or None
        One-sided p-values against a larger and a smaller value; None where there is no side.
    detail : mapping
        What else was computed. Numbers are in the table too (`estimate`, `std_error`, `sigma`,
        `ci_low`, `ci_high`, `smallest_detectable`: decimal fractions; `power`); `draws` is an
        array, `words` a sentence below the table.
    signature : str
        What the study was computed with, "" for a test of plain arrays.
    dropped : DataFrame
        event, security, reason of everything that the study left out.

    Examples
    --------
    >>> test = HypothesisTest("t", "the mean is zero", -2.5, 0.0199, "standard normal", 30,
    ...                       "Student (1908)", p_greater=0.99, p_less=0.00995)
    >>> test
    t. H0: the mean is zero
    --------------------------------------------------------------------
    statistic  distribution     p (two-sided)  p (greater)  p (less)   n
    --------------------------------------------------------------------
        −2.50  standard normal          0.020        0.990     0.010  30
    --------------------------------------------------------------------
    Student (1908)
    """

    name: str
    null: str
    statistic: float
    p_value: float
    distribution: str
    n: int
    reference: str
    alternative: str = "two-sided"
    p_greater: float | None = None
    p_less: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, compare=False)
    signature: str = ""
    dropped: pd.DataFrame = field(default_factory=lambda: dropped_rows([], []), compare=False)
    unit: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """One row: everything but the arrays."""
        own = {item.name: getattr(self, item.name) for item in fields(self)[:-4]}
        numbers = {name: value for name, value in self.detail.items() if np.isscalar(value)}
        row = {name: value for name, value in (own | numbers).items() if value is not None}
        return pd.DataFrame([row]).set_index("name")

    def _title(self) -> str:
        return f"{self.name}. H0: {self.null}"

    def _columns(self) -> tuple[Column, ...]:
        sides = {"p_value": self.alternative, "p_greater": "greater", "p_less": "less"}
        shown = self.table.columns
        return (
            KNOWN["statistic"],
            Column("distribution", "distribution", is_text=True),
            *(Column(p, f"p ({side})", p_value) for p, side in sides.items() if p in shown),
            Column("n", "n", lambda n: number(n, 0)),
            *(KNOWN[name] for name in self.detail if name in KNOWN),
        )

    def _notes(self) -> tuple[str, ...]:
        return self.reference, self.detail.get("words", "")


# -- p-values ------------------------------------------------------------------------------------


def tails_p(statistic: float, greater: float, less: float, distribution: str, n: int) -> Found:
    """Return a statistic of n observations with the p-values of its two tails."""
    return {
        "statistic": float(statistic),
        # In this order what is not a number stays none.
        "p_value": float(min(2 * min(greater, less), 1.0)),
        "p_greater": float(min(greater, 1.0)),
        "p_less": float(min(less, 1.0)),
        "distribution": distribution,
        "n": int(n),
    }


def normal_p(statistic: float, n: int) -> Found:
    """Return a standard normal statistic of n observations with its p-values.

    Examples
    --------
    >>> round(normal_p(1.959964, 30)["p_value"], 6)
    0.05
    """
    greater, less = scipy.special.ndtr([-statistic, statistic])
    return tails_p(statistic, greater, less, "standard normal", n)


def student_p(statistic: float, dof: float, n: int) -> Found:
    """Return a Student t statistic of n observations with its p-values.

    Examples
    --------
    >>> student_p(2.045230, 29, 30)["distribution"]
    'Student t with 29 degrees of freedom'
    """
    freedom = number(dof, 0 if dof == int(dof) else 1)
    law = f"Student t with {freedom} degrees of freedom"
    greater, less = scipy.special.stdtr(dof, [-statistic, statistic])
    return tails_p(statistic, greater, less, law, n)


def student_or_normal(distribution: str, statistic: float, dof: float, n: int) -> Found:
    """Return `student_p` for "t", `normal_p` for "normal"; InferenceError for any other word."""
    check_option("distribution", distribution, ("t", "normal"))
    return student_p(statistic, dof, n) if distribution == "t" else normal_p(statistic, n)


def check_study(study: object) -> None:
    """Raise InferenceError unless `study` is one."""
    if not isinstance(study, AbnormalReturns):
        raise InferenceError(f"study= is a {type(study).__name__}: give what event_study() returns")


def check_switches(**given: object) -> None:
    """Raise InferenceError unless each option is a yes or no.

    Examples
    --------
    >>> check_switches(gls="no")
    Traceback (most recent call last):
    impact.errors.InferenceError: gls='no' is not known: say True or False
    """
    for name, value in given.items():
        if not isinstance(value, bool | np.bool_):
            raise InferenceError(f"{name}={value!r} is not known: say True or False")


def check_option(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise InferenceError unless `value` is one of the words `known`."""
    if value not in known:
        words = " or ".join(map(repr, known))
        raise InferenceError(f"{name}={value!r} is not known: say {words}")


# -- what a test takes from a study --------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CheckedReturns(WindowReturns):
    """Abnormal returns of a window for the test `name`, which refuses what it cannot use."""

    study: AbnormalReturns
    name: str

    @property
    def what(self) -> str:
        """The tested quantity: "abnormal return of session 0"."""
        tested = self.tested
        if tested.length == 1:
            return f"abnormal return of session {tested.start}"
        return f"cumulative abnormal return of sessions {tested.start} to {tested.end}"

    def refusal(self, reason: str) -> InferenceError:
        """Return the error that says why the test cannot be computed."""
        return InferenceError(f"{self.name} {reason}")

    def cars(self, at_least: int) -> np.ndarray:
        """CARs of the pairs with a return in the window; InferenceError if there are too few."""
        return self._enough(self.car, at_least)

    def scars(self, at_least: int) -> np.ndarray:
        """As `cars`, standardised."""
        return self._enough(self.scar, at_least)

    def _enough(self, values: np.ndarray, at_least: int) -> np.ndarray:
        values = values[self.days > 0]
        if len(values) < at_least:
            raise self.refusal(
                f"needs {counted(at_least, 'security', 'securities')} with a return in "
                f"sessions {self.tested}, and the study has {len(values)}"
            )
        return values

    def spread(self, values: np.ndarray, noun: str, scale: float = 0.0) -> float:
        """Standard deviation (n - 1) of values; InferenceError if they differ by rounding alone.

        `scale` is the size of what they were computed from, where that is larger than they are.
        """
        found = values.std(ddof=1)
        if not found > ROUNDING * max(np.abs(values).max(), scale):
            raise self.refusal(f"divides by the spread of the {noun}, and it is zero")
        return float(found)

    def mean_over_error(self, values: np.ndarray, noun: str) -> tuple[float, int]:
        """Mean over its standard error, and n."""
        return float(np.sqrt(len(values)) * values.mean() / self.spread(values, noun)), len(values)


def window_test(
    reference: str,
    null: str = "the mean {} is zero",
    *,
    one_event: bool = False,
    of_portfolio: bool = False,
) -> Callable[[Callable[..., Found]], Callable[..., HypothesisTest]]:
    """Make a test of a study and a window out of a formula of their arrays.

    The formula is a function of `CheckedReturns` and options, by keyword, that returns what it
    found; the test has its name, text and options. `reference` says where it comes from, `null` is
    the null hypothesis, with ``{}`` for the tested quantity. With `one_event` it tests one event on
    one series, every return of the window there; with `of_portfolio` the equal-weighted portfolio.
    """

    def make(formula: Callable[..., Found]) -> Callable[..., HypothesisTest]:
        name = formula.__name__

        @wraps(formula, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def test(
            study: AbnormalReturns, start: int = 0, end: int | None = None, **options: Any
        ) -> HypothesisTest:
            check_study(study)
            check_switches(**{name: options[name] for name in switches & options.keys()})
            study = study.portfolio() if of_portfolio else study
            if one_event:
                _check_one_event(study, name)
            sample = CheckedReturns(study.fits, study.over(start, end).tested, study, name)
            if one_event and sample.sessions[0] < max(sample.asked[0], 1):
                raise InferenceError(f"{name}: a return of sessions {sample.tested} is missing")
            about: Found = {"name": name, "null": null.format(sample.what)}
            about |= {"reference": reference} | formula(sample, **options)
            return HypothesisTest(**about, **origin(study, sample.tested))

        outer = inspect.signature(test, follow_wrapped=False)
        options = list(inspect.signature(formula).parameters.values())[1:]
        switches = {option.name for option in options if isinstance(option.default, bool)}
        of_window = list(outer.parameters.values())[:3]
        vars(test)["__signature__"] = outer.replace(parameters=[*of_window, *options])
        return test

    return make


def sums_by_session(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the columns over all rows of some arrays, and how many numbers they are of.

    Examples
    --------
    >>> sums_by_session([np.array([[1.0, np.nan]]), np.array([[2.0, 3.0]])])
    (array([3., 3.]), array([2, 1]))
    """
    found = [(np.nansum(part, axis=0), (~np.isnan(part)).sum(axis=0)) for part in parts]
    sums, present = zip(*found, strict=True)
    return np.sum(sums, axis=0), np.sum(present, axis=0)


def _check_one_event(study: AbnormalReturns, name: str) -> None:
    if not study.is_one_series or len(study) != 1:
        raise InferenceError(
            f"{name} tests one event on one series; the study has "
            f"{counted(len(study.alignment), 'unit')} on "
            f"{counted(study.returns.shape[1], 'series', 'series')}: pick one with study['id'], "
            "or take study.portfolio()"
        )


def origin(study: AbnormalReturns, tested: Window) -> Found:
    """The study's signature for a window, and what the study left out."""
    signature = study.signed(tested.start, tested.end)
    return {"signature": signature, "dropped": study.dropped, "unit": study.settings.unit}
