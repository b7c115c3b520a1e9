"""Add what a call used to its span, for other back ends."""
