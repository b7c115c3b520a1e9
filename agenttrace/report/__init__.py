"""The report: plain values built from a reader, and one reporter per output.

    with agenttrace.read() as reader:
        report = overview(reader)
    print(to_json(report))

``overview``, ``task`` and ``models`` build their reports from the values of ``values``; all others
have values of their own. ``selection`` lets a report see a part of what was recorded, and
``intensity`` is the only way to say a figure for each of something. ``text``, ``json`` and ``svg``
show reports, and ``rows`` shows the rows of a query.
"""
