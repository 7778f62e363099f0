"""A table as text, HTML, Markdown and LaTeX: layouts, which know nothing of what a table says.

Each takes a `Sheet`: columns, cells as texts, a title and what stands below.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from impact.text import formats

NONE = "\N{EN DASH}"
#: Texts of so many letters are broken in LaTeX, into lines of so many ems.
_LONG, _BROKEN = 45, 16
#: A LaTeX table with more columns is set closer, with smaller notes.
_MANY = 8
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
    "\N{SUPERSCRIPT TWO}": "$^2$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
}


@dataclass(frozen=True)
class Column:
    """How the column `name` of a frame looks.

    Attributes
    ----------
    show : callable
        From a value to its text; missing values do not reach it.
    group : str
        Heading over several neighbouring columns, "" for none.
    is_text : bool
        Set to the left; numbers are set to the right.
    """

    name: str
    heading: str
    show: Callable[[Any], str] = str
    group: str = ""
    is_text: bool = False

    @property
    def side(self) -> str:
        """Where its texts are set to."""
        return "left" if self.is_text else "right"

    @property
    def whole_heading(self) -> str:
        """Its heading in one line, that of its group before it."""
        return f"{self.group}: {self.heading}".removeprefix(": ")


@dataclass(frozen=True)
class Sheet:
    """A table as texts: what every medium lays out.

    `rows` are the texts of the cells, `values` what these stand for; `more` says where rows are
    missing, and `below` are the lines under the table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: list[list[str]]
    values: list[list[Any]]
    more: tuple[str, ...]
    below: tuple[str, ...]


# -- text ----------------------------------------------------------------------------------------


def as_text(sheet: Sheet) -> str:
    """Return the table as lines of text, numbers set to the right."""
    heads = [column.heading for column in sheet.columns]
    widths = [max(map(len, column)) for column in zip(heads, *sheet.rows, strict=True)]
    over = [_text_groups(sheet, widths)] if has_groups(sheet) else []
    top = [*over, _text_row(sheet, heads, widths)]
    rows = [_text_row(sheet, row, widths) for row in sheet.rows]
    rule = "-" * max(map(len, [*top, *rows]))
    return "\n".join([sheet.title, rule, *top, rule, *rows, *sheet.more, rule, *sheet.below])


def _text_row(sheet: Sheet, cells: Iterable[str], widths: list[int]) -> str:
    put = [
        cell.ljust(width) if column.is_text else cell.rjust(width)
        for cell, width, column in zip(cells, widths, sheet.columns, strict=True)
    ]
    return "  ".join(put).rstrip()


def _text_groups(sheet: Sheet, widths: list[int]) -> str:
    parts, at = [], 0
    for name, count in spans(sheet):
        width = sum(widths[at : at + count]) + 2 * (count - 1)
        parts.append(f" {name} ".center(width, "-") if name else " " * width)
        at += count
    return "  ".join(parts).rstrip()


def has_groups(sheet: Sheet) -> bool:
    """Return whether some columns stand under a common heading."""
    return any(column.group for column in sheet.columns)


def spans(sheet: Sheet) -> list[tuple[str, int]]:
    """Return neighbouring columns of one group, as (group, number of columns)."""
    spans: list[tuple[str, int]] = []
    for column in sheet.columns:
        if spans and column.group and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1] + 1)
        else:
            spans.append((column.group, 1))
    return spans


# -- HTML ----------------------------------------------------------------------------------------


def as_html(sheet: Sheet) -> str:
    """Return HTML without colours of its own, so that it fits light and dark pages."""
    rule = "border-bottom:1px solid currentColor;"
    heads = "".join(_th(column.heading, column.side, rule) for column in sheet.columns)
    over = ""
    if has_groups(sheet):
        cells = [_th(name, "center", rule if name else "", n) for name, n in spans(sheet)]
        over = f"<tr>{''.join(cells)}</tr>"
    body = "".join(f"<tr>{_html_row(sheet, row)}</tr>" for row in sheet.rows)
    below = "<br>".join(html.escape(line) for line in [*sheet.more, *sheet.below])
    return (
        '<table style="border-collapse:collapse;border-top:2px solid currentColor;'
        'border-bottom:2px solid currentColor;font-variant-numeric:tabular-nums">'
        '<caption style="caption-side:top;text-align:left;font-weight:bold;color:inherit">'
        f"{html.escape(sheet.title)}</caption>"
        f"<thead>{over}<tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f'<p style="font-size:smaller;max-width:60em">{below}</p>'
    )


def _html_row(sheet: Sheet, row: list[str]) -> str:
    # A number stays on one line: "> 0.999" has a space.
    return "".join(
        f'<td style="text-align:{column.side};{"" if column.is_text else "white-space:nowrap;"}'
        f'padding:2px 8px">{html.escape(cell)}</td>'
        for cell, column in zip(row, sheet.columns, strict=True)
    )


def _th(text: str, side: str, rule: str, span: int = 1) -> str:
    across = f' colspan="{span}"' if span > 1 else ""
    style = f"text-align:{side};white-space:normal;padding:2px 8px;{rule}"
    return f'<th scope="col"{across} style="{style}">{html.escape(text)}</th>'


def html_document(sheet: Sheet) -> str:
    """Return a whole HTML page that holds the table."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(sheet.title)}</title></head>\n"
        f'<body style="font-family:sans-serif">\n{as_html(sheet)}\n</body></html>\n'
    )


# -- CSV -----------------------------------------------------------------------------------------

#: What a formula begins with, also as the full-width signs of an East Asian keyboard.
_FORMULA = tuple("=+-@＝＋－＠")


def no_formula(text: object) -> object:
    """Keep a spreadsheet from reading a text as a formula; what is a number is one.

    Examples
    --------
    >>> no_formula("=1+1"), no_formula("-0.5"), no_formula("+x")
    ("'=1+1", '-0.5', "'+x")
    """
    if not isinstance(text, str):
        return text
    text = formats.in_line(text)
    if not text.lstrip().startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


# -- Markdown ------------------------------------------------------------------------------------


def as_markdown(sheet: Sheet) -> str:
    """Return the table with pipes between its cells; what would be markup is escaped."""
    heads = [column.whole_heading for column in sheet.columns]
    sides = [":--" if column.is_text else "--:" for column in sheet.columns]
    rows = [_piped(map(_marked, cells)) for cells in (heads, *sheet.rows)]
    below = [_marked(line) for line in [*sheet.more, *sheet.below]]
    parts = [f"**{_marked(sheet.title)}**", "\n".join([rows[0], _piped(sides), *rows[1:]]), *below]
    return "\n\n".join(parts) + "\n"


def _piped(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _marked(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|&$~])", r"\\\1", text)


# -- LaTeX ---------------------------------------------------------------------------------------


def as_latex(sheet: Sheet) -> str:
    """Return a LaTeX table for the packages booktabs and graphicx.

    A table that is wider than the text is made smaller; long texts are broken before that.
    """
    # A row that began with * or [ would be read as part of the command before it.
    heads = "{}" + " & ".join(_latex(column.heading) for column in sheet.columns)
    rows = ["{}" + " & ".join(map(_latex, row)) + r" \\" for row in sheet.rows]
    texts = zip(*sheet.rows, strict=True) if sheet.rows else [()] * len(sheet.columns)
    sides = "".join(
        rf"p{{{_BROKEN}em}}" if max(map(len, cells), default=0) > _LONG else column.side[0]
        for column, cells in zip(sheet.columns, texts, strict=True)
    )
    many = len(sheet.columns) > _MANY
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(sheet.title)}}}",
            rf"\label{{tab:{_slug(sheet.title)}}}",
            *([r"\setlength{\tabcolsep}{4pt}"] if many else []),
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            *_latex_groups(sheet),
            heads + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\par\smallskip",
            r"\begin{minipage}{\linewidth}" + (r"\scriptsize" if many else r"\footnotesize"),
            "\n\n".join(_latex(line) for line in sheet.below),
            r"\end{minipage}",
            r"\end{table}",
            "",
        ]
    )


def _slug(title: str) -> str:
    """The title as a name for references: small letters, figures and hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())[:8])


def _latex_groups(sheet: Sheet) -> list[str]:
    if not has_groups(sheet):
        return []
    cells, rules, at = [], [], 1
    for name, count in spans(sheet):
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{_latex(name)}}}")
        if name:
            rules.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _latex(text: str) -> str:
    text = re.sub(r'(^|[\s(])"', r"\1``", text).replace('"', "''")
    return "".join(_LATEX.get(letter, letter) for letter in text)
