"""How far an estimate of tokens is from the truth, for streams whose provider reports none.

    pip install splintr-rs
    python benchmarks/estimate.py

The texts are those that are on every machine with this checkout: Python's own sources, the docs and
queries here, JSON, licences, and a few sentences in other languages. The truth is the number of
tokens in the vocabulary o200k_base.
"""

import json
import statistics
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import splintr  # pyright: ignore[reportMissingImports] - an extra

from agenttrace.record.wire import estimate

HERE: Final = Path(__file__).parents[1]
SIZE: Final = 8_000  # characters of each text: a long answer
LANGUAGES: Final = {
    "German": "Die Rechenzentren brauchen jedes Jahr mehr Strom, und kaum jemand weiß, wofür. ",
    "French": "Les centres de données consomment chaque année plus d'électricité que prévu. ",
    "Russian": "Центры обработки данных каждый год потребляют всё больше электроэнергии. ",
    "Chinese": "数据中心每年消耗越来越多的电力但几乎没有人知道这些电力究竟用在哪里。",
    "Japanese": "データセンターは年々多くの電力を使っていますが、内訳を知る人はほとんどいません。",
}


def texts() -> Iterator[tuple[str, str]]:
    """Yield kind and text."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.glob("*.py"))[::5]:
        yield "Python", path.read_text(errors="replace")[:SIZE]
    for path in sorted([*HERE.glob("*.md"), *HERE.glob("docs/*.md")]):
        yield "Markdown", path.read_text()[:SIZE]
    for path in sorted(HERE.glob("queries/*.sql")):
        yield "SQL", path.read_text()[:SIZE]
    packages = Path(sysconfig.get_path("purelib"))
    for path in sorted(packages.glob("*/METADATA"))[::3]:
        yield "prose", path.read_text(errors="replace")[:SIZE]
    for path in sorted(packages.glob("**/*.json"))[:40]:
        yield "JSON", path.read_text(errors="replace")[:SIZE]
    rows: list[Any] = [{"id": n, "name": f"item {n}", "price": n * 1.25} for n in range(100)]
    yield "JSON", json.dumps(rows)
    for language, sentence in LANGUAGES.items():
        yield language, sentence * 10


def main() -> None:
    """Measure and print."""
    vocabulary: Any = splintr.Tokenizer.from_pretrained("o200k_base")
    errors: dict[str, list[tuple[float, float]]] = {}
    for kind, text in texts():
        if len(text) < 200:
            continue
        true = len(vocabulary.encode_ordinary(text))
        found = (estimate.pieces(text) / true - 1, len(text.encode()) / 4 / true - 1)
        errors.setdefault(kind, []).append(found)
    print(f"{'':10} texts   pieces: median  worst    bytes/4: median  worst")
    errors["all"] = [pair for pairs in errors.values() for pair in pairs]
    for kind, pairs in errors.items():
        line = f"{kind:10} {len(pairs):5}"
        for column in zip(*pairs, strict=True):
            sizes = [abs(error) for error in column]
            line += f"   {statistics.median(sizes):13.0%} {max(sizes):6.0%} "
        print(line)


if __name__ == "__main__":
    main()
