"""The report: plain values built from a reader, and one reporter per output.

    with agenttrace.read() as reader:
        report = overview(reader)
    print(to_json(report))

``overview``, ``task`` and ``models`` build the values of ``values``; ``text``, ``json`` and ``svg``
show them, and ``rows`` shows the rows of a query.
"""
