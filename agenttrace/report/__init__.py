"""The report: plain values built from a reader, and one reporter per output.

    with agenttrace.read() as reader:
        report = overview(reader)
    print(to_json(report))

``overview``, ``task`` and ``models`` build their reports from the values of ``values``; ``carbon``,
``explain``, ``what_if``, ``methods`` and ``parity`` have values of their own. ``text``, ``json``
and ``svg`` show them, and ``rows`` shows the rows of a query.
"""
