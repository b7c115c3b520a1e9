"""What sources say of the sessions that they saw, side by side, as plain values.

``None`` is what nobody says, never zero.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, Literal

Teller = Literal["result", "otlp", "log"]
"""Who says a total: what the agent printed at its end, its metrics, or its log."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tokens by kind.

    Attributes:
        input: Sent, cache reads and writes included.
        cache_read: Part of the input read from a prompt cache.
        cache_write: Part of the input written to a prompt cache.
        output: Generated, reasoning included.
        reasoning: Part of the output that is reasoning.
    """

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None

    def beyond(self, other: "Kinds") -> "Kinds":
        """Return what this says more than *other*, less than zero where it says less.

        Where this says nothing of a kind, nothing is known; where only *other* does not, all of it
        is more.
        """
        return Kinds(
            **{
                one.name: None if own is None else own - (getattr(other, one.name) or 0)
                for one in fields(self)
                for own in (getattr(self, one.name),)
            }
        )

    @property
    def sides(self) -> int | None:
        """Input and output together; of a side that nobody says, the other."""
        known = [side for side in (self.input, self.output) if side is not None]
        return sum(known) if known else None

    @property
    def is_nothing(self) -> bool:
        """No kind has any."""
        return not any(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class Said:
    """Calls that one source tells of, or that count.

    Attributes:
        calls: How many.
        tokens: What they moved.
    """

    calls: int
    tokens: Kinds


@dataclass(frozen=True, slots=True)
class Own:
    """What an agent says that a session used in all.

    Attributes:
        teller: Where it says so.
        tokens: Of all its calls, those that no log shows included.
        cost_usd: US dollars that it says it cost.
    """

    teller: Teller
    tokens: Kinds
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Role:
    """The calls of one role that count.

    Attributes:
        role: What they were for.
        calls: How many.
        hidden_calls: Those of them that nobody reads.
        tokens: What they moved.
    """

    role: str
    calls: int
    hidden_calls: int
    tokens: Kinds


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session, and what each source says of it.

    Attributes:
        session_id: The conversation.
        service_name: Who tells of it.
        started_at: Start of its first call; of a total alone, when it was said.
        log: What its log says.
        telemetry: What was received of it.
        meter: What agenttrace saw at the wire.
        own: The agent's own total: of its result, else of its metrics, else of its log.
        counted: What counts, each call once, whoever told of it.
        unexplained: The own total less what is counted; less than zero where more is counted.
        roles: What counts, by role, the most tokens first.
        differs: Two of them do not say the same.
    """

    session_id: str
    service_name: str | None
    started_at: str | None
    log: Said | None
    telemetry: Said | None
    meter: Said | None
    own: Own | None
    counted: Said
    unexplained: Kinds | None
    roles: tuple[Role, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """Sessions of which more than one source says something.

    Attributes:
        store: Folder of the data.
        selection: Which sessions, in words.
        sessions: How many there are to reconcile.
        differing: Those of them whose sources do not say the same.
        told_once: Sessions of which one source says something, and nothing can be held against it.
        lines: Those that differ first, the most unexplained tokens first.
        warnings: What to know before believing a figure.
    """

    kind: ClassVar[str] = "reconcile"

    store: str
    selection: str
    sessions: int
    differing: int
    told_once: int
    lines: tuple[SessionLine, ...]
    warnings: tuple[str, ...]
