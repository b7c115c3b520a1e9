"""Receive telemetry, keep what it says of model calls, and pass it on."""
