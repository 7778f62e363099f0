"""A second implementation of the event study: loops, one event at a time, textbook formulas.

It shares nothing with impact and is never fast. `SlowStudy` takes lists of returns (NaN where
missing); sessions are keyed by their offset from the event row.
"""

import bisect
import math
import statistics

import numpy as np

MODELS = {"constant_mean": 1, "market_model": 2, "market_adjusted": 0}


def design_row(model, market):
    """Regressors of one session."""
    return {"constant_mean": [1.0], "market_model": [1.0, market], "market_adjusted": []}[model]


class Pair:
    """One security around one event."""

    def __init__(self, name, returns, market, row, model, estimation, window):
        self.name, self.row, self.regressors, self.actual = name, row, {}, {}
        for offset in [*range(estimation[0], estimation[1] + 1), *range(window[0], window[1] + 1)]:
            value = returns[row + offset]
            if math.isnan(value):
                continue
            known = market[row + offset] if model == "market_adjusted" else 0.0
            self.actual[offset] = value - known
            self.regressors[offset] = np.array(design_row(model, market[row + offset]))
        past = [t for t in self.actual if t <= estimation[1]]
        self.parameters = np.zeros(MODELS[model])
        self.inverse = np.zeros((MODELS[model], MODELS[model]))
        if MODELS[model]:
            x = np.array([self.regressors[t] for t in past])
            y = np.array([self.actual[t] for t in past])
            self.parameters = np.linalg.lstsq(x, y, rcond=None)[0]
            self.inverse = np.linalg.inv(x.T @ x)
        self.residual = {t: self.abnormal(t) for t in past}
        self.leverage = {
            t: float(self.regressors[t] @ self.inverse @ self.regressors[t]) for t in past
        }
        self.ar = {t: self.abnormal(t) for t in self.actual if t >= window[0]}
        # Those of one session, and each scaled to the size of one: all, where none spans more.
        self.alone, self.scaled = self.ar, self.ar
        self.L = len(past)
        self.dof = self.L - MODELS[model]
        self.s = math.sqrt(sum(e**2 for e in self.residual.values()) / self.dof)

    def abnormal(self, t):
        return float(self.actual[t] - self.regressors[t] @ self.parameters)

    def days(self, window):
        return [t for t in range(window[0], window[1] + 1) if t in self.ar]

    def car(self, window):
        return sum(self.ar[t] for t in self.days(window))

    def c(self, window):
        total = sum(self.regressors[t] for t in self.days(window))
        return len(self.days(window)) + float(total @ self.inverse @ total)

    def scar(self, window):
        return self.car(window) / (self.s * math.sqrt(self.c(window)))


def mid_ranks(values):
    """Rank of each value, equal ones sharing the mean."""
    ordered = sorted(values)
    return [
        (bisect.bisect_left(ordered, v) + 1 + bisect.bisect_right(ordered, v)) / 2 for v in values
    ]


def sd(x):
    mean = sum(x) / len(x)
    return math.sqrt(sum((v - mean) ** 2 for v in x) / (len(x) - 1))


def pearson(a, b):
    return float(np.corrcoef(a, b)[0, 1])


class SlowStudy:
    """Every statistic of the reference file, by the file's own names."""

    def __init__(self, panel, market, events, model, estimation, window):
        """`panel` maps a security to its returns; `events` lists (security, row)."""
        self.estimation, self.window = estimation, window
        self.taus = range(estimation[0], estimation[1] + 1)
        self.pairs = [
            Pair(name, panel[name], market, row, model, estimation, window) for name, row in events
        ]
        self.memory = {}

    def here(self, w):
        return [p for p in self.pairs if p.days(w)]

    def cars(self, w):
        return [p.car(w) for p in self.here(w)]

    def scars(self, w):
        return [p.scar(w) for p in self.here(w)]

    def aar(self, t, kind="alone"):
        values = [getattr(p, kind)[t] for p in self.pairs if t in getattr(p, kind)]
        return statistics.fmean(values) if values else None

    def caar_sum_aar(self, w):
        return sum(self.aar(t) for t in range(w[0], w[1] + 1))

    def caar_mean_car(self, w):
        return statistics.fmean(self.cars(w))

    def n(self, w):
        return len(self.here(w))

    def cs_t(self, w):
        return self._t(self.cars(w))

    def bmp_t(self, w):
        return self._t(self.scars(w))

    @staticmethod
    def _t(x):
        return math.sqrt(len(x)) * statistics.fmean(x) / sd(x)

    def patell_z(self, w):
        here = self.here(w)
        return sum(p.scar(w) for p in here) / math.sqrt(sum(p.dof / (p.dof - 2) for p in here))

    def patell_z_indep_days(self, w):
        total = 0.0
        for p in self.here(w):
            days = p.days(w)
            sars = sum(p.ar[t] / (p.s * math.sqrt(p.c((t, t)))) for t in days)
            total += sars / math.sqrt(len(days) * p.dof / (p.dof - 2))
        return total / math.sqrt(len(self.here(w)))

    def rbar(self, kind="eventtime"):
        """Mean Pearson correlation over pairs, each from the sessions both have."""
        if kind not in self.memory:
            found = []
            for i, p in enumerate(self.pairs):
                for q in self.pairs[:i]:
                    if kind == "calendar" and p.row != q.row and p.name == q.name:
                        continue
                    move = p.row - q.row if kind == "calendar" else 0
                    both = [t for t in p.residual if t + move in q.residual]
                    if len(both) < 3:
                        continue
                    r = pearson([p.residual[t] for t in both], [q.residual[t + move] for t in both])
                    found.append(r)
            self.memory[kind] = statistics.fmean(found)
        return self.memory[kind]

    def kp_adj_patell_z(self, w, kind="eventtime"):
        return self.patell_z(w) / math.sqrt(1 + (self.n(w) - 1) * self.rbar(kind))

    def kp_adj_bmp_t(self, w, kind="eventtime"):
        r = self.rbar(kind)
        return self.bmp_t(w) * math.sqrt((1 - r) / (1 + (self.n(w) - 1) * r))

    def sd_aar_estimation_bw85(self):
        values = [self.aar(t, "residual") for t in self.taus]
        return sd([v for v in values if v is not None])

    def bw85_crude_dependence_t(self, w):
        values = [self.aar(t) for t in range(w[0], w[1] + 1)]
        values = [v for v in values if v is not None]
        return sum(values) / (math.sqrt(len(values)) * self.sd_aar_estimation_bw85())

    def bw80_t(self, w):
        total = variance = 0.0
        for t in range(w[0], w[1] + 1):
            there = [p for p in self.pairs if t in p.alone]
            if there:
                total += statistics.fmean(p.alone[t] for p in there)
                spread = sum(sd(list(p.residual.values())) ** 2 for p in there)
                variance += spread / len(there) ** 2
        return total / math.sqrt(variance)

    def hall_skew_t(self, w):
        x = self.cars(w)
        n, mean, spread = len(x), statistics.fmean(x), sd(x)
        s, g = mean / spread, n / ((n - 1) * (n - 2)) * sum(((v - mean) / spread) ** 3 for v in x)
        return math.sqrt(n) * (s + g * s**2 / 3 + g**2 * s**3 / 27 + g / (6 * n))

    def johnson_skew_t(self, w):
        x = self.cars(w)
        n, mean, spread = len(x), statistics.fmean(x), sd(x)
        s, g = mean / spread, statistics.fmean(((v - mean) / spread) ** 3 for v in x)
        return math.sqrt(n) * (s + g * s**2 / 3 + g / (6 * n))

    # -- ranks -----------------------------------------------------------------------------------

    def scores(self, kind, ranked):
        """One dict session -> score for each pair; `ranked` is the window ranked besides."""
        key = (kind, ranked)
        if key not in self.memory:
            self.memory[key] = [self._scores_of(p, kind, ranked) for p in self.pairs]
        return self.memory[key]

    @staticmethod
    def _scores_of(p, kind, ranked):
        ahead = {t: v for t, v in p.scaled.items() if ranked[0] <= t <= ranked[1]}
        values = {**p.residual, **ahead}
        m = len(values)
        if kind == "sign":
            middle = statistics.median(values.values())
            return {t: float(np.sign(v - middle)) for t, v in values.items()}
        ranks = dict(zip(values, mid_ranks(list(values.values())), strict=True))
        if kind == "rank":
            return {t: k - (m + 1) / 2 for t, k in ranks.items()}
        return {t: k / (m + 1) - 0.5 for t, k in ranks.items()}

    def session_scores(self, kind, ranked):
        """Session -> the scores of the pairs that have it."""
        key = ("session", kind, ranked)
        if key in self.memory:
            return self.memory[key]
        out = self.memory[key] = {}
        for t in [*self.taus, *range(ranked[0], ranked[1] + 1)]:
            values = [s[t] for s in self.scores(kind, ranked) if t in s]
            if values:
                out[t] = values
        return out

    @staticmethod
    def _over_window(by_session, w):
        inside = [v for t, v in by_session.items() if w[0] <= t <= w[1]]
        scale = math.sqrt(statistics.fmean(v**2 for v in by_session.values()))
        return sum(inside) / math.sqrt(len(inside)) / scale

    def corrado_rank_1989(self, w, winonly=False):
        by = self.session_scores("rank", w if winonly else self.window)
        return self._over_window({t: statistics.fmean(v) for t, v in by.items()}, w)

    def corrado_zivney_rank(self, w, winonly=False, kind="uniform"):
        by = self.session_scores(kind, w if winonly else self.window)
        return self._over_window({t: sum(v) / math.sqrt(len(v)) for t, v in by.items()}, w)

    def corrado_zivney_sign(self, w, winonly=False):
        return self.corrado_zivney_rank(w, winonly, kind="sign")

    def cowan_rank_z(self, w, winonly=False, weighted=False):
        by = self.session_scores("uniform", w if winonly else self.window)
        inside = [v for t, v in by.items() if w[0] <= t <= w[1]]
        every = [u for v in inside for u in v]
        squares = [
            statistics.fmean(v) ** 2 * (len(v) / len(self.pairs) if weighted else 1)
            for v in by.values()
        ]
        return (
            math.sqrt(len(inside)) * statistics.fmean(every) / math.sqrt(statistics.fmean(squares))
        )

    def rank_z_ntN_weighted(self, w):
        return self.cowan_rank_z(w, weighted=True)

    def _grank_scores(self, w, kind, rbar):
        spread = sd(self.scars(w)) / math.sqrt(1 - rbar)
        out = []
        for p in self.pairs:
            values = {}
            for t, e in p.residual.items():
                h = {"s": 0, "pe": 1, "stud": -1}[kind] * p.leverage[t]
                values[t] = e / p.s / math.sqrt(1 + h)
            if p.days(w):
                values[0] = p.scar(w) / spread
            ranks = mid_ranks(list(values.values()))
            out.append({t: k / (len(values) + 1) - 0.5 for t, k in zip(values, ranks, strict=True)})
        return out

    def _grank(self, w, kind, rbar=0.0):
        key = ("grank", w, kind, rbar)
        if key not in self.memory:
            scores = self._grank_scores(w, kind, rbar)
            squares, sessions = 0.0, [*self.taus, 0]
            sessions = [t for t in sessions if any(t in s for s in scores)]
            for t in sessions:
                there = [s[t] for s in scores if t in s]
                squares += len(there) / len(scores) * statistics.fmean(there) ** 2
            tested = [s for s in scores if 0 in s]
            mean = statistics.fmean(s[0] for s in tested)
            z = mean / math.sqrt(squares / len(sessions))
            t_value = z * math.sqrt((len(sessions) - 2) / (len(sessions) - 1 - z**2))
            variance = sum((len(s) - 1) / (12 * (len(s) + 1)) for s in tested)
            self.memory[key] = t_value, sum(s[0] for s in tested) / math.sqrt(variance)
        return self.memory[key]

    def grank_t(self, w, kind="s", rbar=0.0):
        return self._grank(w, kind, rbar)[0]

    def grank_z(self, w, kind="s"):
        return self._grank(w, kind)[1]

    # -- signs -----------------------------------------------------------------------------------

    def gsign_phat(self):
        return statistics.fmean(
            sum(e > 0 for e in p.residual.values()) / len(p.residual) for p in self.pairs
        )

    def _sign(self, w, p):
        x = self.cars(w)
        return (sum(v > 0 for v in x) - len(x) * p) / math.sqrt(len(x) * p * (1 - p))

    def sign_z(self, w):
        return self._sign(w, 0.5)

    def gsign_z(self, w):
        return self._sign(w, self.gsign_phat())

    def gsign_z_pooled(self, w):
        every = [e for p in self.pairs for e in p.residual.values()]
        return self._sign(w, sum(e > 0 for e in every) / len(every))

    def wilcoxon_w(self, w):
        x = [v for v in self.cars(w) if v != 0]
        ranks = mid_ranks([abs(v) for v in x])
        return sum(r for r, v in zip(ranks, x, strict=True) if v > 0)

    def wilcoxon_z(self, w):
        n = sum(v != 0 for v in self.cars(w))
        return (self.wilcoxon_w(w) - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
