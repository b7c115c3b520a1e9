"""The write side: runs in the user's process, speaks OpenTelemetry, appends to the spool."""
