"""Keys in OpenTelemetry's context by which instrumentations agree who makes the span of a call.

Where one that is around has asked the others to make none, ours is not made for OpenTelemetry
either, so that a back end shows the call once. It is counted all the same: agenttrace's own records
are told apart by their place, and need no such agreement.
"""

import sys
from typing import Final

from opentelemetry import context
from opentelemetry.context import Context

# Source: opentelemetry-util-genai, whose instrumentations of SDKs leave a call to a framework's.
_INFERENCE: Final = "opentelemetry.genai.client.inference.context"
_ANYTHING: Final = "suppress_instrumentation"
_LANGUAGE_MODELS: Final = "suppress_language_model_instrumentation"  # OpenLLMetry's


def asked_for(here: Context) -> bool:
    """Whether somebody else makes the span of a model call that starts in *here*, or nobody."""
    said = context.get_value
    return bool(said(_INFERENCE, here) or said(_ANYTHING, here) or said(_LANGUAGE_MODELS, here))


def ask(here: Context) -> Context:
    """Return *here* with the request that the official instrumentations leave the call to us."""
    genai = sys.modules.get("opentelemetry.util.genai.invocation")
    data = getattr(genai, "InferenceData", None)
    if data is None or context.get_value(_INFERENCE, here):
        return here
    return context.set_value(_INFERENCE, data(), here)
