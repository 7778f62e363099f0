"""HypothesisTest: what a test was of, what it found and who proposed it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from scipy.special import ndtr, stdtr

from impact.errors import InferenceError
from impact.text.formats import number, p_value


@dataclass(frozen=True, repr=False)
class HypothesisTest:
    """Result of a hypothesis test; it prints itself in words.

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

    Examples
    --------
    >>> test = HypothesisTest("t", "the mean is zero", -2.5, 0.0199, "standard normal", 30,
    ...                       "Student (1908)", p_greater=0.99, p_less=0.00995)
    >>> print(test)
    t: H0: the mean is zero
    statistic −2.50, standard normal; p = 0.020 (two-sided), 0.990 (greater), 0.010 (less)
    n = 30; Student (1908)
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

    def summary(self) -> str:
        """Return null, statistic, distribution, p-values, n and reference as three lines."""
        return (
            f"{self.name}: H0: {self.null}\n"
            f"statistic {number(self.statistic)}, {self.distribution}; p = {self._p_values()}\n"
            f"n = {self.n:,}; {self.reference}"
        )

    def _p_values(self) -> str:
        shown = [(self.p_value, self.alternative)]
        if self.p_greater is not None and self.p_less is not None:
            shown += [(self.p_greater, "greater"), (self.p_less, "less")]
        return ", ".join(f"{p_value(p)} ({side})" for p, side in shown)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        rows = {
            "null": self.null,
            "statistic": number(self.statistic),
            "distribution": self.distribution,
            "p": self._p_values(),
            "n": f"{self.n:,}",
            "reference": self.reference,
        }
        cells = "".join(
            f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows.items()
        )
        return f"<table><caption>{escape(self.name)}</caption>{cells}</table>"


def normal_p(statistic: float) -> dict:
    """Return statistic, p-values and distribution of a standard normal statistic.

    Examples
    --------
    >>> round(normal_p(1.959964)["p_value"], 6)
    0.05
    """
    return {
        "statistic": float(statistic),
        "p_value": float(2 * ndtr(-abs(statistic))),
        "p_greater": float(ndtr(-statistic)),
        "p_less": float(ndtr(statistic)),
        "distribution": "standard normal",
    }


def student_p(statistic: float, dof: float) -> dict:
    """Return statistic, p-values and distribution of a Student t statistic.

    Examples
    --------
    >>> student_p(2.045230, 29)["distribution"]
    'Student t with 29 degrees of freedom'
    """
    freedom = number(dof, 0 if dof == int(dof) else 1)
    return {
        "statistic": float(statistic),
        "p_value": float(2 * stdtr(dof, -abs(statistic))),
        "p_greater": float(stdtr(dof, -statistic)),
        "p_less": float(stdtr(dof, statistic)),
        "distribution": f"Student t with {freedom} degrees of freedom",
    }


def student_or_normal(distribution: str, statistic: float, dof: float) -> dict:
    """Return `student_p` for ``"t"`` and `normal_p` for ``"normal"``.

    Raises
    ------
    InferenceError
        For any other word.
    """
    check_option("distribution", distribution, ("t", "normal"))
    return student_p(statistic, dof) if distribution == "t" else normal_p(statistic)


def check_option(name: str, value: str, known: tuple[str, ...]) -> None:
    """Check that `value` is one of the words `known`.

    Raises
    ------
    InferenceError
        If it is not.
    """
    if value not in known:
        words = " or ".join(map(repr, known))
        raise InferenceError(f"{name}={value!r} is not known: say {words}")
