"""The report: plain values built from a reader, and one reporter per output.

    with agenttrace.read() as reader:
        report = overview(reader)
    print(to_json(report))

One module builds each kind of report: ``overview``, ``task`` and ``models`` from the values of
``values``, and ``carbon``, ``methods``, ``parity``, ``explain`` and ``what_if``. ``text``, ``json`` and
``svg`` show them, and ``rows`` shows the rows of a query.
"""
