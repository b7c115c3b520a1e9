"""Record every model call an agent makes; count it once; say what it used."""

__version__ = "0.1.0"
