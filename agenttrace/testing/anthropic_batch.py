"""Anthropic's batches: worked on at once, and told of when the results are fetched."""

from typing import TYPE_CHECKING, Any

from agenttrace.testing.protocol import (
    Desk,
    Incoming,
    Route,
    Sent,
    compact,
    json_of,
    objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agenttrace.testing.values import JSON

_OK = 200
_CREATED = "2026-01-01T00:00:00Z"


class Batches:
    """Batches: each request is played and billed when the batch is made."""

    def __init__(self) -> None:
        self._results: dict[str, list[JSON]] = {}
        self._told: dict[str, list[Callable[[], None]]] = {}

    def create(self, desk: Desk, incoming: Incoming) -> Sent:
        """``POST /v1/messages/batches``."""
        asked = objects(json_of(incoming.body).get("requests"), "requests")
        batch_id = f"msgbatch_{len(self._results) + 1:06d}"
        worked = [desk.work("/v1/messages", one["params"]) for one in asked]
        self._told[batch_id] = [one.told for one in worked]
        self._results[batch_id] = [
            {
                "custom_id": one["custom_id"],
                "result": {"type": "succeeded", "message": done.response}
                if done.status == _OK
                else {"type": "errored", "error": done.response},
            }
            for one, done in zip(asked, worked, strict=True)
        ]
        return Sent(200, self._batch(batch_id, incoming, is_over=False))

    def show(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``GET /v1/messages/batches/{id}``: it is done whenever it is looked at."""
        batch_id = incoming.place["id"]
        if batch_id not in self._results:
            return _missing(batch_id)
        return Sent(200, self._batch(batch_id, incoming, is_over=True))

    def results(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``GET /v1/messages/batches/{id}/results``."""
        batch_id = incoming.place["id"]
        if batch_id not in self._results:
            return _missing(batch_id)
        for told in self._told.pop(batch_id, ()):
            told()
        lines = "".join(compact(result) + "\n" for result in self._results[batch_id])
        return Sent(200, lines.encode(), "application/x-jsonl")

    def _batch(self, batch_id: str, incoming: Incoming, *, is_over: bool) -> dict[str, Any]:
        kinds = [result["result"]["type"] for result in self._results[batch_id]]
        counts = {kind: kinds.count(kind) if is_over else 0 for kind in ("succeeded", "errored")}
        host = incoming.headers.get("host", "")
        where = f"http://{host}/v1/messages/batches/{batch_id}/results"
        return {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "ended" if is_over else "in_progress",
            "request_counts": {
                "processing": 0 if is_over else len(kinds),
                "canceled": 0,
                "expired": 0,
                **counts,
            },
            "created_at": _CREATED,
            "expires_at": _CREATED,
            "ended_at": _CREATED if is_over else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": where if is_over else None,
        }


def _missing(batch_id: str) -> Sent:
    error = {"type": "not_found_error", "message": f"No batch with id {batch_id}"}
    return Sent(404, {"type": "error", "error": error})


def routes() -> list[Route]:
    """Return what this module answers."""
    batches = Batches()
    return [
        Route("POST", "/v1/messages/batches", batches.create),
        Route("GET", "/v1/messages/batches/(?P<id>[^/]+)", batches.show),
        Route("GET", "/v1/messages/batches/(?P<id>[^/]+)/results", batches.results),
    ]
