"""OTLP: what other programs send, in the spelling of each."""
