"""The meter: sees each model call at the transport and reads its usage from the bytes that pass.

``transports`` has one adapter for each library that SDKs share, ``exchange`` follows one request
and ``conversation`` one websocket, and ``dialects`` has a module for each family of provider
protocols. A dialect knows nothing of transports; ``docs/dialects.md`` is the guide to a new one.
"""
