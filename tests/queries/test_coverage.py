from pathlib import Path

from tests.builders import asked, chat, frame, put, segment, spans


def test_coverage(home: Path) -> None:
    records = spans(
        chat(input=1, output=1, cache_read=0, outcome="complete"),
        chat(input=1, usage="partial", outcome="abandoned"),
        frame(status="error"),
    )
    put(home, "1-1-1", segment([]) + b"{torn\n{}\n")
    (home / "spool" / "lost").write_text('{"records": 2}\n{"records": 3}\n')
    with asked(home, records) as connection:
        rows = connection.sql("FROM coverage ORDER BY ALL").fetchall()
    assert rows == [
        ("capture", "frame", 1),
        ("capture", "wire", 2),
        ("outcome", "abandoned", 1),
        ("outcome", "complete", 1),
        ("outcome", "unknown", 1),
        ("record", "kept", 4),
        ("record", "lost", 5),
        ("record", "quarantined", 2),
        ("status", "error", 1),
        ("status", "ok", 2),
        ("unreported", "cache_read_tokens", 2),
        ("unreported", "cache_write_tokens", 3),
        ("unreported", "input_tokens", 1),
        ("unreported", "output_tokens", 2),
        ("unreported", "reasoning_tokens", 3),
        ("usage", "missing", 1),
        ("usage", "partial", 1),
        ("usage", "reported", 1),
    ]
