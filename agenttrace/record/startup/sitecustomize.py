# ruff: noqa: INP001, PTH100, PTH120 - no package: any Python has it on its path; pathlib is slow
# pyright: basic
"""Start recording in a Python that works for a task, once it imports what can call a model.

The folder of this file is first on ``PYTHONPATH`` in the environment that a task gives to the
programs it starts, and Python imports ``sitecustomize`` from there as it starts. Whatever Python
that is, and whatever is installed for it: this raises nothing, prints nothing, and hands on to the
``sitecustomize`` that would have been imported without it. Until a model can be called it costs
about a millisecond. The syntax is that of every Python.
"""

import os
import sys

RECORDS_SINCE = (3, 11)
MODULES = (
    "agenttrace.record.setup",
    "aiohttp",
    "grpc",
    "httpx",
    "httpx2",
    "opentelemetry.sdk.trace",
    "urllib3",
    "websockets",
)


class Waiting(object):  # noqa: UP004 - the syntax of every Python
    """A finder that finds what the others find, and sees when it has been imported."""

    def find_spec(self, name, path=None, target=None):
        """Have *name* found by the others; if a model can be called with it, wait for its end."""
        if name != "subprocess" and name not in MODULES:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        spec.loader = Loading(spec, self)  # pyright: ignore[reportAttributeAccessIssue]
                    return spec
        return None

    def imported(self, module):
        """Start now, or when the program that *module* may start would leave us behind."""
        if module.__name__ == "subprocess":
            watch(module.Popen, self)
        else:
            self.start()

    def start(self):
        """Start recording; False when that was done before."""
        if self not in sys.meta_path:
            return False
        sys.meta_path.remove(self)
        try:
            import logging

            from agenttrace.record import setup

            # This program has not asked for it, so it is told of trouble where it keeps a log only.
            logging.getLogger("agenttrace").addHandler(logging.NullHandler())
            setup.begin_for_parent()
        except Exception:  # noqa: BLE001, S110 - the program goes on without
            pass
        return True


class Loading(object):  # noqa: UP004 - the syntax of every Python
    """Loads as the module's own loader does, and then says so."""

    def __init__(self, spec, waiting):
        self.spec = spec
        self.loader = spec.loader
        self.waiting = waiting

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        """Make the module."""
        return self.loader.create_module(spec)

    def exec_module(self, module):
        """Run the module."""
        self.spec.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.waiting.imported(module)


def watch(popen, waiting):
    """Start recording before the first program is started with an environment of its own.

    Without one it inherits ours, and with it all that it needs.
    """
    original = popen.__init__

    def init(self, *args, **kwargs):
        is_outermost = popen.__init__ is init
        if kwargs.get("env") is not None or len(args) > 10:  # noqa: PLR2004 - place of env
            if is_outermost:
                popen.__init__ = original
            if waiting.start() and is_outermost:
                popen.__init__(self, *args, **kwargs)
                return
        original(self, *args, **kwargs)

    for name in ("__name__", "__qualname__", "__doc__"):
        setattr(init, name, getattr(original, name))
    init.__dict__["__wrapped__"] = original
    popen.__init__ = init


def is_wanted():
    """Whether this Python can record and the environment says that it should."""
    children = os.environ.get("AGENTTRACE_CHILDREN", "").strip().lower()
    return (
        sys.version_info >= RECORDS_SINCE
        and bool(os.environ.get("AGENTTRACE_HOME"))
        and children not in ("0", "false", "no", "off")
    )


def hand_on(name):
    """Import the next module *name*; where there is none, be as if there were none at all."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != here]
    # Python 2 empties a module that nobody holds.
    _this = sys.modules.pop(name)
    __import__(name)


if is_wanted():
    sys.meta_path.insert(0, Waiting())
hand_on(__name__)
