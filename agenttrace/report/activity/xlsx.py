"""Sheets: written by XlsxWriter, and read again without it."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from agenttrace.errors import MissingDependencyError
from agenttrace.model import Table

METHOD_SHEET: Final = "methodology"

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_LETTERS: Final = re.compile(r"[A-Z]+")
_BY_NUMBER: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MOST_IN_A_CELL: Final = 32_767
_WIDTH: Final = 16
_WIDTH_OF_TEXT: Final = 120

Cell = str | float | None


def to_xlsx(tables: Mapping[str, Table], method: str) -> bytes:
    """Return a workbook with a sheet for each table, and *method* line by line.

    Numbers are numbers, and text is text whatever it begins with.

    Raises:
        MissingDependencyError: XlsxWriter is not installed.
    """
    try:
        import xlsxwriter  # type: ignore[import-untyped]  # of the extra xlsx
    except ImportError as error:
        raise MissingDependencyError(
            "XlsxWriter is not installed, and xlsx is written with it. Run: pip install xlsxwriter"
        ) from error
    target = io.BytesIO()
    book: Any = xlsxwriter.Workbook(target, {"in_memory": True})
    bold = book.add_format({"bold": True})
    for name, table in tables.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(table.columns) - 1, _WIDTH)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, column, bold)
        for number, row in enumerate(table.rows, start=1):
            _write(sheet, number, row)
    sheet = book.add_worksheet(METHOD_SHEET)
    sheet.set_column(0, 0, _WIDTH_OF_TEXT)
    for number, line in enumerate(method.splitlines()):
        sheet.write_string(number, 0, line[:_MOST_IN_A_CELL])
    book.close()
    return target.getvalue()


def _write(sheet: Any, number: int, row: Sequence[object]) -> None:
    for place, value in enumerate(row):
        if isinstance(value, str):
            sheet.write_string(number, place, value[:_MOST_IN_A_CELL])
        elif value is not None:
            sheet.write_number(number, place, value)


def read_xlsx(content: bytes) -> dict[str, list[list[Cell]]]:
    """Return the cells of every sheet by its name, row by row; empty cells are None.

    Raises:
        ValueError: It is no workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            texts = _shared(book)
            return {name: list(_rows(_parsed(book, path), texts)) for name, path in _sheets(book)}
    except (zipfile.BadZipFile, KeyError, ET.ParseError, IndexError) as error:
        raise ValueError("it is no workbook") from error


def _parsed(book: zipfile.ZipFile, path: str) -> ET.Element:
    return ET.fromstring(book.read(path))  # noqa: S314 - expat refuses to expand without end


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [_text(one) for one in _parsed(book, "xl/sharedStrings.xml")]


def _sheets(book: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    links = {
        link.attrib["Id"]: link.attrib["Target"]
        for link in _parsed(book, "xl/_rels/workbook.xml.rels")
    }
    for sheet in _parsed(book, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        path = links[sheet.attrib[_LINK]]
        yield sheet.attrib["name"], path.lstrip("/") if path.startswith("/") else f"xl/{path}"


def _rows(sheet: ET.Element, texts: Sequence[str]) -> Iterator[list[Cell]]:
    expected = 1
    for row in sheet.iter(f"{_MAIN}row"):
        number = int(row.attrib.get("r", expected))
        for _ in range(expected, number):  # rows without a cell are left out
            yield []
        expected = number + 1
        yield _cells(row, texts)


def _cells(row: Iterable[ET.Element], texts: Sequence[str]) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row:
        place = _place(cell.attrib["r"])
        cells += [None] * (place - len(cells))
        cells.append(_value(cell, texts))
    return cells


def _place(reference: str) -> int:
    """Return the number of the column of ``AB7``, from 0."""
    letters = _LETTERS.match(reference)
    place = 0
    for letter in letters.group() if letters else "A":
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _value(cell: ET.Element, texts: Sequence[str]) -> Cell:
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = cell.find(f"{_MAIN}v")
    if value is None or value.text is None:
        return None
    match kind:
        case "s":
            return texts[int(value.text)]
        case "n":
            return float(value.text)
        case _:
            return value.text


def _text(element: ET.Element) -> str:
    text = "".join(part.text or "" for part in element.iter(f"{_MAIN}t"))
    # What XML cannot say is written by its number (ECMA-376, 22.9.2.19, ST_Xstring).
    return _BY_NUMBER.sub(lambda found: chr(int(found[1], 16)), text)
