"""A table as text, HTML and LaTeX: the layouts, which know nothing of what a table says.

Each takes a `impact.text.table.Table`: its columns, its cells as texts, its title and what stands
below it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from impact.text import formats

NONE = "\N{EN DASH}"
#: A table shown on screen stops after this many rows; its CSV and LaTeX hold all.
SHOWN_ROWS = 60

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    formats.MINUS: "$-$",
    NONE: "--",
    "<": "$<$",
    ">": "$>$",
    "\N{GREEK SMALL LETTER SIGMA}": r"$\sigma$",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
}


# -- text ----------------------------------------------------------------------------------------


def as_text(table) -> str:
    """Return the table as lines of text, numbers set to the right."""
    heads = [column.heading for column in table.columns]
    body = table.cells(SHOWN_ROWS)
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]
    over = [_text_groups(table, widths)] if has_groups(table) else []
    top = [*over, _text_row(table, heads, widths)]
    rows = [_text_row(table, row, widths) for row in body]
    rule = "-" * max(map(len, [*top, *rows]))
    return "\n".join([table.title, rule, *top, rule, *rows, *_more(table), rule, *table.below])


def _more(table) -> list[str]:
    left = len(table.frame) - SHOWN_ROWS
    return [f"… and {formats.counted(left, 'more row')}: see to_csv()"] if left > 0 else []


def _text_row(table, cells: Iterable[str], widths: list[int]) -> str:
    put = [
        cell.ljust(width) if column.is_text else cell.rjust(width)
        for cell, width, column in zip(cells, widths, table.columns, strict=True)
    ]
    return "  ".join(put).rstrip()


def _text_groups(table, widths: list[int]) -> str:
    parts, at = [], 0
    for name, count in _spans(table):
        width = sum(widths[at : at + count]) + 2 * (count - 1)
        parts.append(f" {name} ".center(width, "-") if name else " " * width)
        at += count
    return "  ".join(parts).rstrip()


def has_groups(table) -> bool:
    """Return whether some columns stand under a common heading."""
    return any(column.group for column in table.columns)


def _spans(table) -> list[tuple[str, int]]:
    """Neighbouring columns of one group, as (group, number of columns)."""
    spans: list[tuple[str, int]] = []
    for column in table.columns:
        if spans and column.group and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1] + 1)
        else:
            spans.append((column.group, 1))
    return spans


# -- HTML ----------------------------------------------------------------------------------------


def as_html(table) -> str:
    """Return HTML without colours of its own, so that it fits light and dark pages."""
    rule = "border-bottom:1px solid currentColor;"
    heads = "".join(_th(column.heading, _side(column), rule) for column in table.columns)
    over = ""
    if has_groups(table):
        cells = [_th(name, "center", rule if name else "", n) for name, n in _spans(table)]
        over = f"<tr>{''.join(cells)}</tr>"
    body = "".join(f"<tr>{_html_row(table, row)}</tr>" for row in table.cells(SHOWN_ROWS))
    below = "<br>".join(html.escape(line) for line in [*_more(table), *table.below])
    return (
        '<table style="border-collapse:collapse;border-top:2px solid currentColor;'
        'border-bottom:2px solid currentColor;font-variant-numeric:tabular-nums">'
        '<caption style="caption-side:top;text-align:left;font-weight:bold;color:inherit">'
        f"{html.escape(table.title)}</caption>"
        f"<thead>{over}<tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f'<p style="font-size:smaller;max-width:60em">{below}</p>'
    )


def _side(column) -> str:
    return "left" if column.is_text else "right"


def _html_row(table, row: list[str]) -> str:
    return "".join(
        f'<td style="text-align:{_side(column)};padding:2px 8px">{html.escape(cell)}</td>'
        for cell, column in zip(row, table.columns, strict=True)
    )


def _th(text: str, side: str, rule: str, span: int = 1) -> str:
    across = f' colspan="{span}"' if span > 1 else ""
    return (
        f'<th scope="col"{across} style="text-align:{side};padding:2px 8px;{rule}">'
        f"{html.escape(text)}</th>"
    )


# -- LaTeX ---------------------------------------------------------------------------------------


def as_latex(table) -> str:
    """Return a LaTeX table for the booktabs package."""
    heads = " & ".join(_latex(column.heading) for column in table.columns)
    # A row that began with * or [ would be read as part of the line break before it.
    rows = ["{}" + " & ".join(map(_latex, row)) + r" \\" for row in table.cells()]
    sides = "".join(_side(column)[0] for column in table.columns)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            *_latex_groups(table),
            heads + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\smallskip\footnotesize",
            "\n\n".join(_latex(line) for line in table.below),
            r"\end{table}",
            "",
        ]
    )


def _latex_groups(table) -> list[str]:
    if not has_groups(table):
        return []
    cells, rules, at = [], [], 1
    for name, count in _spans(table):
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{_latex(name)}}}")
        if name:
            rules.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _latex(text: str) -> str:
    text = re.sub(r'(^|[\s(])"', r"\1``", text).replace('"', "''")
    return "".join(_LATEX.get(letter, letter) for letter in text)
