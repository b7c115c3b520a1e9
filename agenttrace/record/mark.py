"""What ``agenttrace.role`` says about the calls that start inside of it."""

from typing import TYPE_CHECKING, Final

from opentelemetry import context

if TYPE_CHECKING:
    from opentelemetry.context import Context

_MARK: Final = context.create_key("agenttrace-mark")


class Mark:
    """What ``agenttrace.role`` says about the calls inside it; what it leaves open is as around."""

    __slots__ = ("_inside", "_previous", "role", "visible")

    def __init__(self, role: str | None, *, visible: bool | None) -> None:
        around = current_mark()
        self.role = role or (around.role if around else None)
        self.visible = visible if visible is not None or around is None else around.visible
        self._previous: Context | None = None
        self._inside: Context | None = None

    def attach(self) -> None:
        """Make it hold for the calls that start from now on."""
        self._previous = context.get_current()
        context.attach(context.set_value(_MARK, self, self._previous))

    def detach(self) -> None:
        """Restore what held before."""
        if self._previous is not None and self.is_current():
            context.attach(self._previous)

    def suspend(self) -> None:
        """Restore what held before, until ``resume``."""
        self._inside = context.get_current()
        if self._previous is not None:
            context.attach(self._previous)

    def resume(self) -> None:
        """Go on as it was when it was suspended."""
        self._previous = context.get_current()
        if self._inside is not None:
            context.attach(self._inside)

    def is_current(self) -> bool:
        """Whether it holds here."""
        return current_mark() is self

    def stop(self) -> None:
        """Nothing is recorded of a mark itself."""

    def fail(self, error: BaseException | str) -> None:
        """Nothing is recorded of a mark itself."""


def current_mark() -> Mark | None:
    """Return the mark that holds in this context."""
    found = context.get_value(_MARK)
    return found if isinstance(found, Mark) else None
