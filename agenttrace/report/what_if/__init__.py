"""The recorded calls under another choice: ``values`` say it, ``builder`` makes it."""

from agenttrace.report.what_if.builder import compared
from agenttrace.report.what_if.values import Change, Choices, ModelChange, WhatIf

__all__ = ["Change", "Choices", "ModelChange", "WhatIf", "compared"]
