"""The event study on prices with gaps: generalised least squares with dense matrices, in loops.

It starts from prices, never from returns, and shares nothing with impact. An observation is a
pair of prices; the sessions between them are the security's own ones.
"""

import itertools
import math

import numpy as np
from slow_event_study import SlowStudy


class SpannedPair:
    """One security around one event, for `SlowStudy`.

    `prices` and each of `markets` are lists by row (NaN: no price), `open_on` says on which rows
    the security's exchange was open, `change(before, after)` is the kind of return.
    """

    def __init__(self, name, prices, markets, open_on, row, model, estimation, window, change):
        self.name, self.row = name, row
        self.window, self.open_on = window, open_on
        self.value, self.x, self.k = {}, {}, {}
        priced = [t for t, price in enumerate(prices) if not math.isnan(price)]
        # The first return of a column is one of its own session.
        for before, t in itertools.pairwise(priced):
            moves = [change(market[before], market[t]) for market in markets]
            if any(map(math.isnan, moves)):
                continue
            offset, value = t - row, change(prices[before], prices[t])
            self.k[offset] = 1 + sum(open_on[between] for between in range(before + 1, t))
            constant = [] if model in ("raw", "market-adjusted") else [float(self.k[offset])]
            if model == "market-adjusted":
                value, moves = value - moves[0], []
            self.value[offset], self.x[offset] = value, np.array(constant + moves)
        past = [t for t in self.value if estimation[0] <= self.place(t) <= estimation[1]]
        x, y = np.array([self.x[t] for t in past]), np.array([self.value[t] for t in past])
        omega = np.diag([float(self.k[t]) for t in past])
        weight = np.linalg.inv(omega)
        columns = x.shape[1]
        self.inverse = np.linalg.inv(x.T @ weight @ x) if columns else np.zeros((0, 0))
        self.parameters = self.inverse @ x.T @ weight @ y
        error = y - x @ self.parameters
        self.L, self.dof = len(past), len(past) - columns
        self.s = math.sqrt(error @ weight @ error / self.dof)
        root = np.linalg.cholesky(weight)
        hat = root.T @ x @ self.inverse @ x.T @ root
        self.residual = dict(zip(past, (root.T @ error).tolist(), strict=True))
        self.leverage = dict(zip(past, np.diag(hat).tolist(), strict=True))
        ahead = [t for t in self.value if window[0] <= t <= window[1]]
        self.ar = {t: float(self.value[t] - self.x[t] @ self.parameters) for t in ahead}
        self.scaled = {t: ar / math.sqrt(self.k[t]) for t, ar in self.ar.items()}
        self.alone = {t: ar for t, ar in self.ar.items() if self.k[t] == 1}

    def place(self, t):
        """Own sessions from row t to the first one at or after the event, as a negative number."""
        if t >= 0:
            return t
        return -sum(self.open_on[self.row + before] for before in range(t, 0))

    def asked(self, window):
        return sum(self.open_on[self.row + t] for t in range(window[0], window[1] + 1))

    def begins_inside(self, window):
        inside = sorted(t for t in self.ar if window[0] <= t <= window[1])
        return bool(inside) and self.k[inside[0]] > self.asked((window[0], inside[0]))

    def days(self, window):
        if self.begins_inside(window):
            return []
        return [t for t in sorted(self.ar) if window[0] <= t <= window[1]]

    def sessions(self, window):
        return sum(self.k[t] for t in self.days(window))

    def car(self, window):
        return sum(self.ar[t] for t in self.days(window))

    def c(self, window):
        """Var(CAR) / s² of the returns in the window."""
        inside = [t for t in self.ar if window[0] <= t <= window[1]]
        total = sum(self.x[t] for t in inside)
        return sum(self.k[t] for t in inside) + float(total @ self.inverse @ total)

    def scar(self, window):
        return self.car(window) / (self.s * math.sqrt(self.c(window)))

    def without(self, window):
        """The pair in a test of a window that begins inside a span: no return is left in it."""
        if self.begins_inside(window):
            for held in (self.ar, self.scaled, self.alone):
                for t in range(window[0], window[1] + 1):
                    held.pop(t, None)
        return self


def spanned_study(pairs, estimation, window):
    """`SlowStudy` of pairs that are made already."""
    study = SlowStudy({}, [], [], None, estimation, window)
    study.pairs = pairs
    # The rows begin earlier where an exchange was shut on some of them.
    study.taus = range(min(min(pair.residual) for pair in pairs), estimation[1] + 1)
    return study
