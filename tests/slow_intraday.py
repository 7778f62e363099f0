"""A second implementation of the intraday study: loops over bars, one session after the other.

It shares nothing with impact and is never fast. Bars are pairs of a New York wall-clock time and a
price; a clock time is its minute of the day.
"""

import bisect
import math
from datetime import timedelta

FIRST, LAST, STEP = 245, 1200, 5
MINUTES = range(FIRST, LAST + STEP, STEP)
OPENS = 9 * 60 + 30


def quantile(ordered, share):
    """Linear quantile of an ordered list."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def cut_mean(ordered, share):
    cut = quantile(ordered, share)
    return math.fsum(min(value, cut) for value in ordered) / len(ordered)


class SlowIntraday:
    """Everything that the study of one series needs, by session and minute."""

    def __init__(self, bars, half_days, releases):
        """Take bars, dates that close at 13:00, and pairs of an instant and a release."""
        self.prices = {}
        for time, price in bars:
            minute = time.hour * 60 + time.minute
            self.prices.setdefault(time.date(), {})[minute] = math.log(price)
        self.days = sorted(self.prices)
        self.close = {day: 780 if day in half_days else 960 for day in self.days}
        for prices in self.prices.values():
            for minute in range(min(prices), max(prices), STEP):
                if minute not in prices:
                    prices[minute] = prices[minute - STEP]
        self.calm_until = {}
        for time, release in releases:
            minute = time.hour * 60 + time.minute
            until = minute + (90 if release == "FOMC" else 30)
            self.calm_until.setdefault(time.date(), []).append((minute, until))
        self.patterns, self.tables = {}, {}
        self.estimate()

    # -- what is known before a bar ----------------------------------------------------------

    def squares(self, day):
        prices = self.prices[day]
        return {
            minute: (prices[minute] - prices[minute - STEP]) ** 2
            for minute in MINUTES
            if minute in prices and minute - STEP in prices
        }

    def estimate(self):
        whole, self.share, self.level = [], {}, {}
        state, seen = None, 0
        keep = [0.5 ** (1 / half_life) for half_life in (6, 96)]
        for day in self.days:
            squares = self.squares(day)
            if seen >= 30:
                self.share[day] = self.pattern(whole)
                standard = {m: squares[m] / self.share[day][m] for m in sorted(squares)}
                if state is None:
                    start = sum(standard.values()) / len(standard)
                    state = [start, start]
                    self.first_day = day
                self.level[day] = {}
                for minute in MINUTES:
                    self.level[day][minute] = math.sqrt(state[0] * state[1])
                    if minute in standard:
                        state = [
                            k * s + (1 - k) * standard[minute]
                            for k, s in zip(keep, state, strict=True)
                        ]
                self.level[day]["after"] = math.sqrt(state[0] * state[1])
            early = FIRST in self.prices[day]
            if early and LAST in self.prices[day]:
                total = sum(squares.values())
                whole.append({minute: square / total for minute, square in squares.items()})
                seen += 1
            elif early and self.close[day] == 780:
                seen += 1

    def pattern(self, whole):
        if len(whole) in self.patterns:
            return self.patterns[len(whole)]
        minutes = sorted(whole[0])
        mean = [cut_mean(sorted(session[m] for session in whole), 0.99) for m in minutes]
        wide = [mean[0], *mean, mean[-1]]
        smooth = [sum(wide[i : i + 3]) / 3 for i in range(len(mean))]
        found = {m: value / sum(smooth) for m, value in zip(minutes, smooth, strict=True)}
        self.patterns[len(whole)] = found
        return found

    # -- windows -----------------------------------------------------------------------------

    def part(self, day, begin, end):
        if end <= OPENS:
            return "pre-open"
        if begin >= self.close[day]:
            return "after hours"
        if begin >= OPENS and end <= self.close[day]:
            return "trading"
        return "across 09:30" if begin < OPENS else "across the close"

    def calm(self, day, begin, end):
        return all(
            end <= minute or begin >= until for minute, until in self.calm_until.get(day, [])
        )

    def windows(self, length):
        """Every window of so many minutes: (day, begin) -> move, sigma, part, calm."""
        if length in self.tables:
            return self.tables[length]
        table, past, days_with = {}, {}, {}
        for day in self.days:
            if day not in self.level or day == self.first_day:
                continue
            today = []
            prices = self.prices[day]
            for begin in range(FIRST, LAST - length + STEP, STEP):
                end = begin + length
                if begin not in prices or end not in prices:
                    continue
                move = prices[end] - prices[begin]
                minutes = range(begin + STEP, end + STEP, STEP)
                share = math.fsum(self.share[day][minute] for minute in minutes)
                base = share * self.level[day][begin + STEP]
                today.append((begin, self.part(day, begin, end), move, base))
            scale = {
                part: cut_mean(ratios, 0.995)
                for part, ratios in past.items()
                if days_with[part] >= 20
            }
            for begin, part, move, base in today:
                if part in scale:
                    sigma = math.sqrt(base * scale[part])
                    table[day, begin] = (move, sigma, part, self.calm(day, begin, begin + length))
            for _, part, move, base in today:
                bisect.insort(past.setdefault(part, []), move**2 / base)
            for part in {part for _, part, _, _ in today}:
                days_with[part] = days_with.get(part, 0) + 1
        self.tables[length] = table
        return table

    def p_value(self, day, begin, length):
        """Equal-tailed rank of z among the windows of all other days in the part of the day."""
        table = self.windows(length)
        move, sigma, part, calm = table[day, begin]
        if not calm or part.startswith("across"):
            return math.nan
        z = move / sigma
        low = high = n = 0
        days, begins = set(), {begin}
        for (other, start), (m, s, p, c) in table.items():
            if p != part or not c:
                continue
            begins.add(start)
            if other == day:
                continue
            days.add(other)
            n += 1
            low += m / s <= z
            high += m / s >= z
        fit = (len(begins) + length // STEP - 1) // (length // STEP)
        floor = 2 / (len(days) * fit + 1)
        return min(1, max(floor, 2 * (min(low, high) + 1) / (n + 1)))

    def largest_p(self, day, begin, end, length):
        """Rank of the largest |z| of a stretch among the largest of other days."""
        table = self.windows(length)
        starts = range(begin, end - length + STEP, STEP)
        part = table[day, begin][2]
        largest = {}
        for other in self.days:
            rows = [table.get((other, start)) for start in starts]
            if all(row is not None and row[2] == part and row[3] for row in rows):
                largest[other] = max(abs(move / sigma) for move, sigma, _, _ in rows)
        if day not in largest or part.startswith("across"):
            return math.nan
        own = largest.pop(day)
        return (1 + sum(value >= own for value in largest.values())) / (1 + len(largest))

    # -- nights ------------------------------------------------------------------------------

    def night(self, day):
        """Move and p of the night after a session, among all nights."""
        after = dict(zip(self.days, self.days[1:], strict=False))
        evening = max(self.prices[day]) > self.close[day]
        early = min(self.prices[after[day]]) < OPENS
        tested = self.days.index(self.first_day) + 21
        scaled = {}
        for a, b in after.items():
            if self.days.index(b) < tested:
                continue
            last, first = max(self.prices[a]), min(self.prices[b])
            if (evening and last <= self.close[a]) or (early and first >= OPENS):
                continue
            begin = last if evening else self.close[a]
            end = first + 25 if early else min(self.prices[after[day]])
            if not early and any(minute < OPENS for minute, _ in self.calm_until.get(b, [])):
                continue
            level = self.level[a]["after" if begin == LAST else begin + STEP]
            move = self.prices[b][end] - self.prices[a][begin]
            scaled[a] = (move, move / math.sqrt(level), (b - a) > timedelta(days=1))
        if day not in scaled:
            return math.nan, math.nan
        spread = {
            kind: math.sqrt(
                math.fsum(z**2 for _, z, long in scaled.values() if long == kind)
                / sum(long == kind for _, _, long in scaled.values())
            )
            for kind in {long for _, _, long in scaled.values()}
        }
        z = {a: value / spread[long] for a, (_, value, long) in scaled.items()}
        own = z.pop(day)
        low, high = sum(v <= own for v in z.values()), sum(v >= own for v in z.values())
        return scaled[day][0], min(1, 2 * (min(low, high) + 1) / (len(z) + 1))
