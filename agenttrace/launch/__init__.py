"""Run a program so that what it uses is recorded, and say at the end what that was."""
