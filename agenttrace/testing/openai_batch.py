"""OpenAI's files and batches: a batch is worked on at once, and told of when it is fetched."""

import itertools
import json
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agenttrace.testing.openai import error
from agenttrace.testing.protocol import (
    BadRequestError,
    Desk,
    Incoming,
    Route,
    Sent,
    compact,
    form_of,
    json_of,
    member,
)

if TYPE_CHECKING:
    from agenttrace.testing.values import JSON

_CREATED_S = 1_767_225_600  # 2026-01-01: responses are the same in every run.


class Files:
    """Files that were uploaded, and those with the results of batches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._files: dict[str, tuple[dict[str, Any], bytes]] = {}
        self._told: dict[str, Sequence[Callable[[], None]]] = {}

    def keep(self, name: str, purpose: str, content: bytes) -> dict[str, Any]:
        """Keep a file; returns what the protocol says of it."""
        with self._lock:
            found: dict[str, Any] = {
                "id": f"file-{next(self._numbers):06d}",
                "object": "file",
                "bytes": len(content),
                "created_at": _CREATED_S,
                "filename": name,
                "purpose": purpose,
                "status": "processed",
            }
            self._files[found["id"]] = found, content
        return found

    def content(self, file_id: str) -> bytes:
        """Return what a file holds; raises BadRequestError where there is none."""
        with self._lock:
            if file_id not in self._files:
                raise BadRequestError(f"No such File object: {file_id}")
            return self._files[file_id][1]

    def tells(self, file_id: str, told: Sequence[Callable[[], None]]) -> None:
        """Call *told* when the file is fetched."""
        self._told[file_id] = told

    def upload(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``POST /v1/files``."""
        form = form_of(incoming)
        file = member(form, "file")
        return Sent(200, self.keep(file["name"], str(form.get("purpose")), file["content"]))

    def show(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``GET /v1/files/{id}``."""
        file_id = incoming.place["id"]
        self.content(file_id)
        return Sent(200, self._files[file_id][0])

    def download(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``GET /v1/files/{id}/content``."""
        file_id = incoming.place["id"]
        content = self.content(file_id)
        for told in self._told.pop(file_id, ()):
            told()
        return Sent(200, content, "application/octet-stream")


class Batches:
    """Batches: each line is a request, played and billed when the batch is made."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._batches: dict[str, dict[str, Any]] = {}

    def create(self, desk: Desk, incoming: Incoming) -> Sent:
        """``POST /v1/batches``."""
        body = json_of(incoming.body)
        batch_id = f"batch_{len(self._batches) + 1:06d}"
        answers: list[JSON] = []
        told: list[Callable[[], None]] = []
        for at, line in enumerate(
            self._files.content(str(body.get("input_file_id"))).splitlines(), 1
        ):
            asked = json.loads(line)
            worked = desk.work(asked["url"], asked["body"])
            told.append(worked.told)
            answers.append(
                {
                    "id": f"batch_req_{at:06d}",
                    "custom_id": asked["custom_id"],
                    "response": {
                        "status_code": worked.status,
                        "request_id": f"req_{at:06d}",
                        "body": worked.response,
                    },
                    "error": None,
                }
            )
        lines = "".join(compact(answer) + "\n" for answer in answers)
        output = self._files.keep(f"{batch_id}_output.jsonl", "batch_output", lines.encode())
        self._files.tells(output["id"], told)
        failed = sum(answer["response"]["status_code"] >= 400 for answer in answers)  # noqa: PLR2004
        self._batches[batch_id] = {
            "id": batch_id,
            "object": "batch",
            "endpoint": body.get("endpoint"),
            "input_file_id": body.get("input_file_id"),
            "completion_window": body.get("completion_window"),
            "created_at": _CREATED_S,
            "status": "completed",
            "output_file_id": output["id"],
            "request_counts": {
                "total": len(answers),
                "completed": len(answers) - failed,
                "failed": failed,
            },
        }
        begun = {"status": "validating", "output_file_id": None}
        return Sent(200, {**self._batches[batch_id], **begun})

    def show(self, _desk: Desk, incoming: Incoming) -> Sent:
        """``GET /v1/batches/{id}``: it is done whenever it is looked at."""
        batch_id = incoming.place["id"]
        if batch_id not in self._batches:
            return Sent(404, error(404, f"No batch with id '{batch_id}'"))
        return Sent(200, self._batches[batch_id])


def routes() -> list[Route]:
    """Return what this module answers."""
    files = Files()
    batches = Batches(files)
    return [
        Route("POST", "/v1/files", files.upload),
        Route("GET", "/v1/files/(?P<id>[^/]+)", files.show),
        Route("GET", "/v1/files/(?P<id>[^/]+)/content", files.download),
        Route("POST", "/v1/batches", batches.create),
        Route("GET", "/v1/batches/(?P<id>[^/]+)", batches.show),
    ]
