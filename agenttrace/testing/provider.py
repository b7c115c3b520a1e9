"""The provider a test holds: start it, script it, read its ledger."""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from agenttrace.testing.script import Playable, echo
from agenttrace.testing.server import Server
from agenttrace.testing.service import Service
from agenttrace.testing.values import Billed, Request


class ModelProvider:
    """A model provider on a loopback port, from ``with`` (or ``start``) to its end (or ``stop``).

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        default: The reply where no script has one. ``echo`` repeats what the user said, fills a
            schema that the request asks for and calls a tool that must be called; a ``Failure``
            makes every request that is not scripted fail.
        compress: Compress responses for clients that accept it, as providers do.
        settle_s: How long reading the ledger waits for attempts still being sent.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        default: Playable = echo,
        compress: bool = False,
        settle_s: float = 2.0,
    ) -> None:
        self._address = host, port
        self._compress = compress
        self._settle_s = settle_s
        self._service = Service(default)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen, in a thread."""
        if self._server is not None:
            raise RuntimeError("This provider is running already.")
        host, port = self._address
        self._server = Server(host, port, self._service.handle, compress=self._compress)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="model-provider", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Hang up on every client and stop listening; the ledger stays.

        Raises what a script of the test raised while the provider was running.
        """
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up(self._settle_s)
            self._server.server_close()
            self._server = None
        if (trouble := self._service.trouble) is not None:
            self._service.trouble = None
            raise trouble

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except Exception as trouble:
            if error is None:
                raise
            error.add_note(f"A script raised while it was choosing a reply: {trouble!r}")

    @property
    def url(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:40123``."""
        if self._server is None:
            raise RuntimeError("This provider is not running: use it in a with statement.")
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"

    @property
    def openai_base_url(self) -> str:
        """What an OpenAI client takes as ``base_url``."""
        return f"{self.url}/v1"

    @property
    def anthropic_base_url(self) -> str:
        """What an Anthropic client takes as ``base_url``."""
        return self.url

    @property
    def gemini_base_url(self) -> str:
        """What a Google client takes as ``base_url`` of its ``http_options``."""
        return self.url

    @property
    def bedrock_endpoint_url(self) -> str:
        """What a client of ``bedrock-runtime`` takes as ``endpoint_url``."""
        return self.url

    @property
    def cohere_base_url(self) -> str:
        """What a Cohere client takes as ``base_url``."""
        return self.url

    @property
    def ollama_host(self) -> str:
        """What an Ollama client takes as ``host``."""
        return self.url

    def env(self) -> dict[str, str]:
        """Return the environment variables that send the SDKs here, in any process.

        A proxy set for the machine is kept away from it.
        """
        # Python prefers the lower case, most other programs know only the upper one.
        around = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        no_proxy = ",".join(filter(None, (around, self._address[0])))
        return {
            "OPENAI_BASE_URL": self.openai_base_url,
            "OPENAI_API_KEY": "test",
            "ANTHROPIC_BASE_URL": self.anthropic_base_url,
            "ANTHROPIC_API_KEY": "test",
            "GOOGLE_GEMINI_BASE_URL": self.gemini_base_url,
            "GEMINI_API_KEY": "test",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.bedrock_endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",  # what boto3 reads
            "CO_API_URL": self.cohere_base_url,
            "CO_API_KEY": "test",
            "OLLAMA_HOST": self.ollama_host,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    def script(
        self,
        *replies: Playable,
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> None:
        """Add a script: *replies*, one for each request, in their order.

        A request takes the next reply of the first script that has one for it; scripts are asked
        in the order in which they were added.

        Args:
            *replies: Text, a ``Reply``, a ``Failure``, or a function of the request that returns
                one of them.
            when: Which requests it is for; None is every chat (embeddings need a script that
                asks for them).
            times: How often the whole script is played; None for ever.
        """
        self._service.scripts.add(replies, when, times)

    @property
    def pending(self) -> int:
        """Scripted replies that no request has taken yet; endless scripts do not count."""
        return self._service.scripts.pending

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that could be understood, refused ones too, in the order they came."""
        return self._service.requests

    @property
    def ledger(self) -> tuple[Billed, ...]:
        """What was billed: one entry for each attempt that was worked on, in the order it began.

        Attempts still being sent are waited for, up to ``settle_s``; one that is not over by then
        has the outcome ``open`` and the tokens so far.
        """
        return self._service.ledger.read(self._settle_s)
