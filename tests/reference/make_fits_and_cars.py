"""Make fits.csv and cars.csv: the fit of each security, and its CARs."""

import math

import pandas as pd
from answers import LONGER, Window, label, write
from normal_returns import MODELS, PANELS, Security, securities


def fit(firm: Security) -> dict[str, float]:
    parameters = MODELS[firm.model]
    return {
        "L": firm.L,
        "dof": firm.dof,
        "alpha": firm.alpha if parameters >= 1 else math.nan,
        "beta": firm.beta if parameters == 2 else math.nan,
        "s": firm.s,
    }


def car(firm: Security, window: Window) -> dict[str, float]:
    """A security without a return in the window has a row that says so: k = 0."""
    k = len(firm.days(window))
    if k == 0:
        return {"car": math.nan, "scar": math.nan, "k": 0, "C": math.nan}
    return {"car": firm.car(window), "scar": firm.scar(window), "k": k, "C": firm.c(window)}


def main() -> None:
    fits, cars = [], []
    for panel in PANELS:
        for model in MODELS:
            firms = securities(panel, model)
            for name, firm in firms.items():
                keys = {"panel": panel, "model": model, "security": name}
                fits.append(keys | fit(firm))
            for window in LONGER:
                for name, firm in firms.items():
                    keys = {"panel": panel, "model": model, "security": name}
                    cars.append(keys | {"window": label(window)} | car(firm, window))
    write(pd.DataFrame(fits), "fits.csv")
    write(pd.DataFrame(cars), "cars.csv")


if __name__ == "__main__":
    main()
