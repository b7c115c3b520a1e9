"""What sources tell: calls, turns, agents and totals, as records of the spool.

Whatever reads a log or receives telemetry makes these values, and only here do they become records.
The same thing told twice becomes the same record, wherever and whenever it was read: its ids are
hashes of what names it. So the fold can let go of what it has already.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from agenttrace import semconv
from agenttrace.model import Capture, Outcome, Role, TokenUsage
from agenttrace.record.readable import AttributeValue

SCOPE: Final = "agenttrace.sources"

_encode: Final = msgspec.json.Encoder().encode
_KEPT: Final = 1024  # ids: neighbours have the same session, turn and agent


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A model call that a source tells of.

    Attributes:
        source: Who logged or sent it, such as ``claude-code``; it is the service of its task.
        session: The source's id of the conversation.
        turn: What tells the turn apart in the session; the task is made of both.
        key: What tells the call apart from all others of the source: the response's id where there
            is one.
        start_ns: When it began, or was logged, nanoseconds since 1970-01-01 UTC.
        end_ns: When it ended; None where nothing says.
        model: Model that answered.
        request_model: Model that was asked for, where that differs or nothing else is known.
        provider: Who answered, as gen_ai.provider.name has it; None where nothing says.
        operation: gen_ai.operation.name.
        response_id: The provider's id of the response.
        request_id: The provider's id of the request.
        role: What it was for.
        agent: Name of the agent that made it; None for the session itself.
        agent_key: The key of that :class:`Agent`; None for the session itself.
        depth: Agents around it: 1 in the session itself, 2 in its sub-agents.
        attempt: 1 for the first; None where nothing says.
        usage: Its tokens; what the source does not say is None, never zero.
        region: Cloud region or geography, where it says.
        cost_usd: US dollars that the source says it cost.
        outcome: How the response ended: complete, incomplete; None where nothing says.
        error_type: Class or code of an error.
        http_status: Status of the response.
        upstream_provider: Who served it, where the provider is a router.
        capture: How it was seen.
        worth: Of several tellings of one key the one with the highest counts, whole; the output
            tokens where the source gives no other.
    """

    source: str
    session: str
    turn: str
    key: str
    start_ns: int
    end_ns: int | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    operation: str = semconv.CHAT
    response_id: str | None = None
    request_id: str | None = None
    role: Role = "main"
    agent: str | None = None
    agent_key: str | None = None
    depth: int = 1
    attempt: int | None = None
    usage: TokenUsage = TokenUsage()
    region: str | None = None
    cost_usd: float | None = None
    outcome: str | None = None
    error_type: str | None = None
    http_status: int | None = None
    upstream_provider: str | None = None
    capture: Capture = "log"
    worth: int | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A prompt and all that was done for it: a task.

    Attributes:
        source: Who logged or sent it.
        session: The source's id of the conversation.
        turn: What tells it apart in the session.
        start_ns: When it began.
        name: Of the task; the source's where there is no better one, and never the prompt.
        project: Folder or project that it works in.
        branch: Branch of the repository.
        prompts: Prompts by a person that it stands for; None where nothing says, 0 where a program
            gave it.
        is_headless: Nobody reads the answer.
    """

    source: str
    session: str
    turn: str
    start_ns: int
    name: str | None = None
    project: str | None = None
    branch: str | None = None
    prompts: int | None = 1
    is_headless: bool | None = None


class Agent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sub-agent of a session.

    Attributes:
        source: Who logged or sent it.
        session: The source's id of the conversation.
        turn: The turn that it was started in.
        key: What tells it apart in the session.
        start_ns: When it began.
        name: What kind of agent it is.
        parent_key: The agent that started it; None for the session itself.
        depth: Agents around its calls, itself included: 2 for one that the session started.
    """

    source: str
    session: str
    turn: str
    key: str
    start_ns: int
    name: str
    parent_key: str | None = None
    depth: int = 2


class Total(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a source says that a session has used so far; no call, but what calls are held against.

    Attributes:
        source: Who says it.
        session: The conversation.
        at_ns: When it was said; the latest of a session and model counts.
        model: Of which model; None for all together.
        usage: Tokens so far.
        cost_usd: US dollars so far.
        capture: Who says it: its log, its telemetry (metrics), or its result.
    """

    source: str
    session: str
    at_ns: int
    model: str | None = None
    usage: TokenUsage = TokenUsage()
    cost_usd: float | None = None
    capture: Capture = "log"


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody says became of a turn's task.

    Attributes:
        source: Who says it.
        session: The conversation.
        turn: The turn.
        at_ns: When.
        outcome: What became of it.
        user_hash: Who prompted, as a keyed hash (``agenttrace.record.users``).
    """

    source: str
    session: str
    turn: str
    at_ns: int
    outcome: Outcome | None = None
    user_hash: str | None = None


class _Place(NamedTuple):
    """The ids of a span, in hex digits."""

    trace_id: str
    span_id: str
    parent_span_id: str | None = None


Record = Call | Turn | Agent | Total | Told


@lru_cache(maxsize=_KEPT)
def trace_id(source: str, session: str) -> str:
    """Return the trace of a session, 32 hex digits."""
    return _hash(16, "session", source, session)


@lru_cache(maxsize=_KEPT)
def task_id(source: str, session: str, turn: str) -> str:
    """Return the task of a turn, 32 hex digits."""
    return _hash(16, "turn", source, session, turn)


def span_id(kind: str, *names: str) -> str:
    """Return the span of what *names* name, 16 hex digits."""
    return _hash(8, kind, *names)


def line(record: Record) -> bytes:
    """Return *record* as a line of the spool."""
    match record:
        case Call():
            return _of_call(record)
        case Turn():
            return _of_turn(record)
        case Agent():
            return _of_agent(record)
        case Total():
            return _of_total(record)
        case Told():
            return _of_told(record)


def _hash(size: int, *names: str) -> str:
    return blake2b("\0".join(names).encode("utf-8", "replace"), digest_size=size).hexdigest()


class _CallAttributes(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """What is said of a call; what is not known is left out."""

    kind: str = msgspec.field(name=semconv.KIND)
    source: str = msgspec.field(name=semconv.SERVICE_NAME)
    task_id: str = msgspec.field(name=semconv.TASK_ID)
    session: str = msgspec.field(name=semconv.CONVERSATION_ID)
    operation: str = msgspec.field(name=semconv.OPERATION_NAME)
    role: str = msgspec.field(name=semconv.ROLE)
    depth: int = msgspec.field(name=semconv.AGENT_DEPTH)
    capture: str = msgspec.field(name=semconv.CAPTURE)
    usage: str = msgspec.field(name=semconv.USAGE)
    provider: str | None = msgspec.field(name=semconv.PROVIDER_NAME, default=None)
    request_model: str | None = msgspec.field(name=semconv.REQUEST_MODEL, default=None)
    model: str | None = msgspec.field(name=semconv.RESPONSE_MODEL, default=None)
    response_id: str | None = msgspec.field(name=semconv.RESPONSE_ID, default=None)
    request_id: str | None = msgspec.field(name=semconv.REQUEST_ID, default=None)
    agent: str | None = msgspec.field(name=semconv.AGENT_NAME, default=None)
    agent_span_id: str | None = msgspec.field(name=semconv.AGENT_SPAN_ID, default=None)
    attempt: int | None = msgspec.field(name=semconv.ATTEMPT, default=None)
    region: str | None = msgspec.field(name=semconv.CLOUD_REGION, default=None)
    cost_usd: float | None = msgspec.field(name=semconv.COST_USD, default=None)
    outcome: str | None = msgspec.field(name=semconv.OUTCOME, default=None)
    error_type: str | None = msgspec.field(name=semconv.ERROR_TYPE, default=None)
    http_status: int | None = msgspec.field(name=semconv.HTTP_STATUS, default=None)
    upstream_provider: str | None = msgspec.field(name=semconv.UPSTREAM_PROVIDER, default=None)
    input_tokens: int | None = msgspec.field(name=semconv.INPUT_TOKENS, default=None)
    output_tokens: int | None = msgspec.field(name=semconv.OUTPUT_TOKENS, default=None)
    cache_read: int | None = msgspec.field(name=semconv.CACHE_READ_TOKENS, default=None)
    cache_write: int | None = msgspec.field(name=semconv.CACHE_WRITE_TOKENS, default=None)
    cache_write_1h: int | None = msgspec.field(name=semconv.CACHE_WRITE_1H_TOKENS, default=None)
    reasoning: int | None = msgspec.field(name=semconv.REASONING_TOKENS, default=None)


def _of_call(call: Call) -> bytes:
    source, session, usage = call.source, call.session, call.usage
    # There are many calls and few of the other records, so this one is not made from a mapping.
    attributes = _CallAttributes(
        kind="inference",
        source=source,
        task_id=task_id(source, session, call.turn),
        session=session,
        operation=call.operation,
        role=call.role,
        depth=call.depth,
        capture=call.capture,
        usage=usage.state,
        provider=call.provider,
        request_model=call.request_model,
        model=call.model,
        response_id=call.response_id,
        request_id=call.request_id,
        agent=call.agent,
        agent_span_id=_agent_span_id(source, session, call.agent_key),
        attempt=call.attempt,
        region=call.region,
        cost_usd=call.cost_usd,
        outcome=call.outcome,
        error_type=call.error_type,
        http_status=call.http_status,
        upstream_provider=call.upstream_provider,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read=usage.cache_read_tokens,
        cache_write=usage.cache_write_tokens,
        cache_write_1h=usage.cache_write_1h_tokens,
        reasoning=usage.reasoning_tokens,
    )
    place = _Place(
        trace_id(source, session),
        span_id("call", source, call.key),
        _parent(source, session, call.turn, call.agent_key),
    )
    return _written(place, call.operation, (call.start_ns, call.end_ns), attributes)


def _of_turn(turn: Turn) -> bytes:
    source, session = turn.source, turn.session
    return _line(
        _Place(trace_id(source, session), span_id("task", source, session, turn.turn)),
        "task",
        (turn.start_ns, None),
        {
            semconv.KIND: "task",
            semconv.SERVICE_NAME: source,
            semconv.TASK_ID: task_id(source, session, turn.turn),
            semconv.TASK_NAME: turn.name or source,
            semconv.CONVERSATION_ID: session,
            semconv.PROJECT: turn.project,
            semconv.BRANCH: turn.branch,
            semconv.USER_TURNS: turn.prompts,
            semconv.HEADLESS: turn.is_headless,
        },
    )


def _of_agent(agent: Agent) -> bytes:
    source, session = agent.source, agent.session
    own = _agent_span_id(source, session, agent.key)
    assert own is not None
    return _line(
        _Place(
            trace_id(source, session),
            own,
            _parent(source, session, agent.turn, agent.parent_key),
        ),
        agent.name,
        (agent.start_ns, None),
        {
            semconv.KIND: "agent",
            semconv.SERVICE_NAME: source,
            semconv.TASK_ID: task_id(source, session, agent.turn),
            semconv.CONVERSATION_ID: session,
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.AGENT_NAME: agent.name,
            semconv.AGENT_SPAN_ID: _agent_span_id(source, session, agent.parent_key),
            semconv.AGENT_DEPTH: agent.depth - 1,
        },
    )


def _of_total(total: Total) -> bytes:
    source, session = total.source, total.session
    return _line(
        _Place(
            trace_id(source, session),
            span_id("total", source, session, total.capture, total.model or ""),
        ),
        "total",
        (total.at_ns, total.at_ns),
        {
            semconv.KIND: "fact",
            semconv.SERVICE_NAME: source,
            semconv.CONVERSATION_ID: session,
            semconv.RESPONSE_MODEL: total.model,
            semconv.COST_USD: total.cost_usd,
            semconv.CAPTURE: total.capture,
            **_tokens(total.usage),
        },
    )


def _of_told(told: Told) -> bytes:
    source, session = told.source, told.session
    return _line(
        _Place(
            trace_id(source, session),
            span_id("told", source, session, told.turn, told.outcome or "", told.user_hash or ""),
        ),
        "fact",
        (told.at_ns, told.at_ns),
        {
            semconv.KIND: "fact",
            semconv.SERVICE_NAME: source,
            semconv.TASK_ID: task_id(source, session, told.turn),
            semconv.TASK_OUTCOME: told.outcome,
            semconv.USER_HASH: told.user_hash,
        },
    )


def _line(
    place: _Place,
    name: str,
    when: tuple[int, int | None],
    attributes: dict[str, AttributeValue | None],
) -> bytes:
    said = {key: value for key, value in attributes.items() if value is not None}
    return _written(place, name, when, said)


def _written(
    place: _Place,
    name: str,
    when: tuple[int, int | None],
    attributes: dict[str, AttributeValue] | _CallAttributes,
) -> bytes:
    start_ns, end_ns = when
    is_error = (
        attributes.error_type is not None
        if isinstance(attributes, _CallAttributes)
        else semconv.ERROR_TYPE in attributes
    )
    record = {
        "trace_id": place.trace_id,
        "span_id": place.span_id,
        "parent_span_id": place.parent_span_id,
        "name": name,
        "start_ns": start_ns,
        "end_ns": end_ns,
        "status": "error" if is_error else "unset",
        "scope": SCOPE,
        "attributes": attributes,
    }
    return _encode(record) + b"\n"


@lru_cache(maxsize=_KEPT)
def _parent(source: str, session: str, turn: str, agent_key: str | None) -> str:
    """Return the span around something: its agent, else the task of its turn."""
    return _agent_span_id(source, session, agent_key) or span_id("task", source, session, turn)


@lru_cache(maxsize=_KEPT)
def _agent_span_id(source: str, session: str, key: str | None) -> str | None:
    # Agents of two sessions may have the same id.
    return None if key is None else span_id("agent", source, session, key)


def _tokens(usage: TokenUsage) -> dict[str, AttributeValue | None]:
    return {
        semconv.USAGE: usage.state,
        semconv.INPUT_TOKENS: usage.input_tokens,
        semconv.OUTPUT_TOKENS: usage.output_tokens,
        semconv.CACHE_READ_TOKENS: usage.cache_read_tokens,
        semconv.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        semconv.CACHE_WRITE_1H_TOKENS: usage.cache_write_1h_tokens,
        semconv.REASONING_TOKENS: usage.reasoning_tokens,
    }
