"""Arguments that the study and several analyses take, each read once."""

from __future__ import annotations

import numpy as np

from impact.errors import ImpactError, InferenceError


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number; yes and no are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def whole(name: str, value: int, least: int) -> int:
    """Return a whole number that is not too small.

    Examples
    --------
    >>> whole("draws", 0, 1)
    Traceback (most recent call last):
    impact.errors.InferenceError: draws=0 is not a whole number from 1: give one
    """
    if not is_whole(value) or value < least:
        raise InferenceError(f"{name}={value!r} is not a whole number from {least}: give one")
    return int(value)


def generator(rng: int | np.random.Generator) -> np.random.Generator:
    """Return the generator of a seed; a run without a seed could not be repeated.

    Examples
    --------
    >>> generator(None)
    Traceback (most recent call last):
    impact.errors.InferenceError: rng=None is not a seed: give a whole number from 0, or a numpy
    Generator
    """
    if isinstance(rng, np.random.Generator):
        return rng
    return np.random.default_rng(seed(rng))


def seed(rng: int | np.random.Generator, error: type[ImpactError] = InferenceError) -> int:
    """Return a seed as it is, or one that a generator draws.

    Examples
    --------
    >>> seed(3)
    3
    """
    drawn = rng.integers(2**32) if isinstance(rng, np.random.Generator) else rng
    if not is_whole(drawn) or drawn < 0:
        raise error(f"rng={rng!r} is not a seed: give a whole number from 0, or a numpy Generator")
    return int(drawn)


def processes(n_jobs: int, error: type[ImpactError] = InferenceError) -> int:
    """Return a number of processes, as joblib counts them.

    Examples
    --------
    >>> processes(0)
    Traceback (most recent call last):
    impact.errors.InferenceError: n_jobs=0 is not a number of processes: give 1 or more, or -1 for
    all
    """
    if not is_whole(n_jobs) or n_jobs == 0:
        raise error(
            f"n_jobs={n_jobs!r} is not a number of processes: give 1 or more, or -1 for all"
        )
    return int(n_jobs)
