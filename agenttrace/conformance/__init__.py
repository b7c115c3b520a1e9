"""``agenttrace conformance``: is every model call counted once, and as whose?

Small programs with real SDKs run against a local provider that writes down what it bills
(``agenttrace.testing``). Each prompt says whose call it is, which only the provider reads. What a
tracer recorded is then held against the provider's ledger, measure by measure.

``door`` is what the programs see, ``scenarios`` finds them, ``tracers`` says what can be measured,
``runner`` runs them, ``judge`` compares, ``table`` shows. ``docs/conformance.md`` is the guide.

The programs import ``door``, so this module imports nothing.
"""
