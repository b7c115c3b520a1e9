"""Energy that a meter saw, to be joined to the calls that ran meanwhile.

Windows of measured energy lie in ``measured/`` beside the store. Queries read them as the table
``measured_window``; ``docs/measured.md`` says how calls get their share.
"""

from agenttrace.energy.measured.formats import Found, Said, read
from agenttrace.energy.measured.windows import Added, Window, add, define, files, first_day

__all__ = ["Added", "Found", "Said", "Window", "add", "define", "files", "first_day", "read"]
