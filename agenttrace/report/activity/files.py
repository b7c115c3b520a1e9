"""Write an export to files, and read one again."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from agenttrace import __version__
from agenttrace.errors import ConfigError
from agenttrace.model import Table
from agenttrace.report.activity import forms, xlsx
from agenttrace.report.activity.annex import annex, meta_of
from agenttrace.report.activity.values import FORMAT, TABLES, Activity, Meta

METHOD_SUFFIX: Final = ".method.md"

# Parquet keeps facts by names of its own.
_META: Final = "agenttrace_activity"
_METHOD: Final = "agenttrace_method"
_COLUMNS: Final = "agenttrace_columns"


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a file of an export.

    Attributes:
        tables: Rows by the name of their table; a CSV or a Parquet file has one.
        meta: What the export says of itself; None where that is not there.
        said_in: File that says it.
    """

    tables: dict[str, Table]
    meta: Meta | None
    said_in: str


def beside(path: Path, form: str) -> dict[str, Path]:
    """Return the files of an export by what is in them: tables by name, and ``method``.

    Args:
        path: The file of the activity.
        form: csv, json, parquet or xlsx; the last and json hold all in one file.
    """
    if form in ("json", "xlsx"):
        return {"activity": path}
    return {
        "activity": path,
        "workflow": path.with_name(f"{path.stem}.workflow{path.suffix}"),
        "method": path.with_name(f"{path.stem}{METHOD_SUFFIX}"),
    }


def write(export: Activity, form: str, path: Path, *, overwrite: bool = False) -> list[Path]:
    """Write *export*; return the files, that of the activity first.

    Raises:
        ConfigError: The folder is none, or a file is there already.
        MissingDependencyError: XlsxWriter is not installed, and *form* needs it.
        OSError: A file cannot be written.
    """
    check(path, form, overwrite=overwrite)
    files = beside(path, form)
    if not overwrite and "method" in files and not _is_of(files["method"], export.meta):
        raise _there([files["method"].name])
    content = contents(export, form, [files[name].name for name in TABLES if name in files])
    for name in reversed(files):  # the activity last: where it is, all of it is
        forms.replace(files[name], content[name])
    return list(files.values())


def check(path: Path, form: str, *, overwrite: bool = False) -> None:
    """Raise where an export cannot go to *path*, before any work is done for it.

    Raises:
        ConfigError: The folder is none, or a file is there already.
    """
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent} is no folder. Make it first, or name another.")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder. Name a file in it.")
    files = beside(path, form)
    there = [files[name].name for name in TABLES if name in files and files[name].exists()]
    if there and not overwrite:
        raise _there(there)


def _there(names: list[str]) -> ConfigError:
    return ConfigError(
        f"{' and '.join(names)}: already there, and perhaps handed on. "
        "Name another file with --output, or give --overwrite."
    )


def _is_of(method: Path, meta: Meta) -> bool:
    """Tell whether a file of methodology is of the same rows, in whatever format, or not there."""
    if not method.exists():
        return True
    said = meta_of(method.read_text(encoding="utf-8", errors="replace"))
    return said is not None and said.sha256 == meta.sha256


def contents(export: Activity, form: str, names: list[str]) -> dict[str, bytes]:
    """Return what goes into each file, by the names of :func:`beside`; *names* are of files."""
    method = annex(export, names)
    match form:
        case "json":
            return {"activity": forms.to_json(export).encode()}
        case "xlsx":
            return {"activity": xlsx.to_xlsx(export.tables, method)}
        case "parquet":
            rows = {
                name: forms.to_parquet(table, _facts(export, name, method))
                for name, table in export.tables.items()
            }
        case _:
            rows = {name: forms.to_csv(table).encode() for name, table in export.tables.items()}
    return {**rows, "method": method.encode()}


def _facts(export: Activity, table: str, method: str) -> dict[str, str]:
    return {
        _META: json.dumps(dataclasses.asdict(export.meta)),
        _COLUMNS: json.dumps(export.columns[table]),
        _METHOD: method,
    }


def read(path: Path) -> Found:
    """Read a file of an export, of any format, by the ending of its name.

    Raises:
        ConfigError: There is no such file, it is none of an export, or of a newer agenttrace.
        OSError: It cannot be read.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is no file. Name one that `agenttrace export activity` wrote.")
    form = path.suffix.removeprefix(".").lower()
    if form not in forms.FORMATS:
        raise ConfigError(
            f"{path.name} is none of {', '.join(forms.FORMATS)} by its name. "
            "Name the file with the rows."
        )
    try:
        found = _READ[form](path)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigError(
            f"{path.name} cannot be read as an export ({error}). Export again, or find the file "
            "as it was."
        ) from error
    if found.meta is not None and found.meta.format > FORMAT:
        raise ConfigError(
            f"{path.name} was exported by agenttrace {found.meta.agenttrace}; this is "
            f"{__version__}, which does not know its form. Upgrade agenttrace."
        )
    return found


def _read_json(path: Path) -> Found:
    content = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    tables = {"activity": content["rows"], "workflow": content["workflow"]}
    return Found(
        {name: _table(rows) for name, rows in tables.items()}, Meta(**content["meta"]), path.name
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    columns = list(rows[0]) if rows else []
    return forms.typed(columns, [list(row.values()) for row in rows])


def _read_xlsx(path: Path) -> Found:
    sheets = xlsx.read_xlsx(path.read_bytes())
    method = "\n".join(str(line[0]) if line else "" for line in sheets[xlsx.METHOD_SHEET])
    tables = {
        name: forms.typed([str(cell) for cell in sheets[name][0]], sheets[name][1:])
        for name in TABLES
    }
    return Found(tables, meta_of(method), path.name)


def _read_parquet(path: Path) -> Found:
    table, facts = forms.from_parquet(path)
    meta = Meta(**json.loads(facts[_META])) if _META in facts else None
    return Found({_named(path): table}, meta, path.name)


def _read_csv(path: Path) -> Found:
    name = _named(path)
    stem = path.stem.removesuffix(f".{name}")
    method = path.with_name(f"{stem}{METHOD_SUFFIX}")
    text = method.read_text(encoding="utf-8") if method.exists() else ""
    table = forms.from_csv(path.read_bytes().decode())
    return Found({name: table}, meta_of(text), method.name)


def _named(path: Path) -> str:
    return "workflow" if path.stem.endswith(".workflow") else "activity"


_READ: Final = {
    "csv": _read_csv,
    "json": _read_json,
    "parquet": _read_parquet,
    "xlsx": _read_xlsx,
}
