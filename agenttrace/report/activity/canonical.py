r"""The one form of rows that a hash is taken of, whatever file they lie in.

Fractions have at most 15 significant digits, which every spreadsheet keeps, and are written as C's
``%.15g`` writes them; whole numbers are their digits. The canonical form of a table is text in
UTF-8:

- the first line has the names of the columns, the others the rows, in ascending order of bytes;
- a tab stands between the fields of a line, and a line feed after each line;
- what is not known is ``\N``; in text, backslash, tab, line feed and carriage return are ``\\``,
  ``\t``, ``\n`` and ``\r``.

That is the text format of PostgreSQL's COPY, <https://www.postgresql.org/docs/current/sql-copy.html>.
"""

import hashlib
import math
from typing import Final

from agenttrace.model import Table

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NOT_KNOWN: Final = "\\N"


def rounded(value: object) -> object:
    """Return *value* as every format holds it: 15 significant digits, and None for no text."""
    match value:
        case float():
            # Adding zero makes of minus zero what it is.
            return float(f"{value:.15g}") + 0.0 if math.isfinite(value) else None
        case "":
            return None
        case _:
            return value


def field(value: object) -> str:
    """Return *value* as it stands in the canonical form."""
    match value:
        case None:
            return _NOT_KNOWN
        case float():
            return f"{value:.15g}"
        case _:
            return str(value).translate(_ESCAPED)


def lines(table: Table) -> list[str]:
    """Return the canonical lines of *table*, its header first."""
    rows = ["\t".join(map(field, row)) for row in table.rows]
    return ["\t".join(table.columns), *sorted(rows, key=str.encode)]


def sha256(table: Table) -> str:
    """Return the SHA-256 of the canonical form of *table*, 64 hex digits."""
    text = "".join(f"{line}\n" for line in lines(table))
    return hashlib.sha256(text.encode()).hexdigest()
