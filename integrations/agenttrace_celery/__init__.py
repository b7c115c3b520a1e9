"""Let what a Celery worker does belong to the task of agenttrace that sent it.

    agenttrace.instrument("celery")

where the tasks are defined, so that it happens in the program that sends them and in the worker.
"""

from agenttrace_celery.instrumentor import CeleryInstrumentor

__all__ = ["CeleryInstrumentor"]
