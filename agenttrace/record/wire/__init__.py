"""The meter: sees each model call at the transport and reads its usage from the bytes that pass.

``httpx_hook`` is the one adapter to a transport (httpx and httpx2), ``exchange`` follows one
request, and each dialect (``openai``, ``anthropic``) reads one provider protocol; a dialect knows
nothing of transports. ``dialect.DIALECTS`` is where the next one is added.
"""
