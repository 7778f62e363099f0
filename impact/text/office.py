"""A table as a Word document and as an Excel workbook, for the extra ``office``."""

from __future__ import annotations

import importlib
import re
from io import BytesIO
from types import ModuleType
from typing import Any

import pandas as pd

from impact.errors import TableError
from impact.text.formats import MINUS, in_line
from impact.text.typeset import Column, Sheet, has_groups, spans

#: Rules of a table in eighths of a point.
_THICK, _THIN = 12, 6

#: Tables with more columns lie across the page.
_UPRIGHT = 7

#: A column is never made wider than for so many letters.
_WIDE = 30

#: Room beside a column in letters, and within its cells on each side in twentieths of a point.
_BESIDE, _WITHIN = 3, 50

#: A cell of Excel holds no more letters.
_LETTERS = 32_767

#: What tells how many decimals a column shows, and whether in percent.
_EXAMPLE = 0.5
_DECIMALS = re.compile(r"\.(\d+)")


def _library(name: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise TableError(
            f"the package {package} is not installed: python -m pip install "
            '"tariff-impact[office]", or save the table as .html, .tex, .md or .csv'
        ) from None


# -- Excel ---------------------------------------------------------------------------------------


def as_xlsx(sheet: Sheet) -> bytes:
    """Return a workbook: the numbers unrounded and shown as the table shows them, then the notes.

    Texts are written as texts, whatever sign they begin with; nothing becomes a formula.
    """
    openpyxl = _library("openpyxl", "openpyxl")
    styles = importlib.import_module("openpyxl.styles")
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Table"
    for number, column in enumerate(sheet.columns, start=1):
        top = _put(page, 1, number, column.whole_heading)
        top.font = styles.Font(bold=True)
        top.border = styles.Border(bottom=styles.Side("thin"))
        top.alignment = styles.Alignment(horizontal=column.side)
        shown = _number_format(column)
        for row, cells in enumerate(sheet.values, start=2):
            value = cells[number - 1]
            cell = _put(page, row, number, _plain(value, column))
            if cell.data_type == "n":
                cell.number_format = shown
        texts = [column.whole_heading, *(row[number - 1] for row in sheet.rows)]
        page.column_dimensions[top.column_letter].width = min(max(map(len, texts)), 48) + 2
    page.freeze_panes = "A2"
    notes = book.create_sheet("About")
    notes.column_dimensions["A"].width = 110
    for row, line in enumerate([sheet.title, *sheet.below], start=1):
        _put(notes, row, 1, line).alignment = styles.Alignment(wrap_text=True)
    notes["A1"].font = styles.Font(bold=True)
    held = BytesIO()
    book.save(held)
    return held.getvalue()


def _put(page: Any, row: int, column: int, value: object) -> Any:
    cell = page.cell(row, column)
    if isinstance(value, str):
        # Set as a value, a text that begins with = would be calculated.
        text = in_line(value)
        cell.value = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
        cell.data_type = "s"
    else:
        cell.value = value
    return cell


def _plain(value: Any, column: Column) -> object:
    """A number as it is, anything else as the table shows it, nothing where it is missing."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if pd.api.types.is_number(value) and not isinstance(value, bool) and not column.is_text:
        return float(value)
    return column.show(value)


def _number_format(column: Column) -> str:
    """The number format of Excel that looks as the column does."""
    if column.is_text:
        return "General"
    text = column.show(_EXAMPLE)
    found = _DECIMALS.search(text)
    digits = "0" + ("." + "0" * len(found[1]) if found else "") + "%" * text.endswith("%")
    plus = "+" if text.startswith("+") else ""
    return f"{plus}{digits};{MINUS}{digits};{digits}"


# -- Word ----------------------------------------------------------------------------------------


def as_docx(sheet: Sheet) -> bytes:
    """Return a Word document with the table between three rules, its title above, notes below."""
    docx = _library("docx", "python-docx")
    shared = importlib.import_module("docx.shared")
    document = docx.Document()
    section = document.sections[0]
    if len(sheet.columns) > _UPRIGHT:
        section.orientation = importlib.import_module("docx.enum.section").WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width
    small = shared.Pt(9 if len(sheet.columns) <= _UPRIGHT else 8)
    _paragraph(document.add_paragraph(), sheet.title, shared.Pt(11), bold=True)
    groups = int(has_groups(sheet))
    heads = 1 + groups
    table = document.add_table(heads + len(sheet.rows), len(sheet.columns))
    table.autofit = False
    _close(table)
    room = section.page_width - section.left_margin - section.right_margin
    for column, width in zip(table.columns, _widths(sheet), strict=True):
        column.width = int(width * room)
    if groups:
        at = 0
        for name, count in spans(sheet):
            cell = table.cell(0, at).merge(table.cell(0, at + count - 1))
            _fill(cell, name, small, "center", bold=True)
            at += count
    for number, column in enumerate(sheet.columns):
        _fill(table.cell(groups, number), column.heading, small, column.side, bold=True)
    for row, cells in enumerate(sheet.rows, start=heads):
        for cell, text, column in zip(table.rows[row].cells, cells, sheet.columns, strict=True):
            _fill(cell, text, small, column.side)
    for row, side, size in ((0, "top", _THICK), (groups, "bottom", _THIN), (-1, "bottom", _THICK)):
        _rule(table.rows[row], side, size)
    for line in sheet.below:
        _paragraph(document.add_paragraph(), line, shared.Pt(8))
    held = BytesIO()
    document.save(held)
    return held.getvalue()


def _widths(sheet: Sheet) -> list[float]:
    """Shares of the width, by the longest text of each column."""
    heads = [column.heading for column in sheet.columns]
    longest = [max(map(len, texts)) for texts in zip(heads, *sheet.rows, strict=True)]
    letters = [min(length, _WIDE) + _BESIDE for length in longest]
    return [count / sum(letters) for count in letters]


def _close(table: Any) -> None:
    """Leave little room within the cells: a number that is broken over two lines cannot be read."""
    xml, name = importlib.import_module("docx.oxml"), importlib.import_module("docx.oxml.ns").qn
    margins = xml.OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = xml.OxmlElement(f"w:{side}")
        margin.set(name("w:w"), str(_WITHIN))
        margin.set(name("w:type"), "dxa")
        margins.append(margin)
    # The standard fixes their order: margins come before the look.
    table._tbl.tblPr.find(name("w:tblLook")).addprevious(margins)


def _fill(cell: Any, text: str, size: Any, side: str, *, bold: bool = False) -> None:
    sides = importlib.import_module("docx.enum.text").WD_ALIGN_PARAGRAPH
    paragraph = cell.paragraphs[0]
    paragraph.alignment = getattr(sides, side.upper())
    _paragraph(paragraph, text, size, bold=bold)


def _paragraph(paragraph: Any, text: str, size: Any, *, bold: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.bold = size, bold
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = 0


def _rule(row: Any, side: str, size: int) -> None:
    """Draw a rule above or below the cells of a row; python-docx has no call for that."""
    xml = importlib.import_module("docx.oxml")
    name = importlib.import_module("docx.oxml.ns").qn
    for cell in row.cells:
        borders = cell._tc.get_or_add_tcPr().find(name("w:tcBorders"))
        if borders is None:
            borders = xml.OxmlElement("w:tcBorders")
            cell._tc.get_or_add_tcPr().append(borders)
        if borders.find(name(f"w:{side}")) is None:  # cells of a group are one, and come again
            edge = xml.OxmlElement(f"w:{side}")
            edge.set(name("w:val"), "single")
            edge.set(name("w:sz"), str(size))
            borders.append(edge)
