"""What can go wrong, as one tree.

    AgentTraceError
      ConfigError
      MissingDependencyError
      SpoolError
      SourceError
      StoreError
        SchemaVersionError
      QueryError
      FactorError

A message has the thing, the trouble and the way out. Recording raises none of these into the
user's program: it logs once per kind to the logger ``agenttrace`` and goes on.
"""


class AgentTraceError(Exception):
    """Base of every error that agenttrace raises on purpose."""


class ConfigError(AgentTraceError):
    """A setting is missing, misspelt or out of range."""


class MissingDependencyError(AgentTraceError):
    """An optional package is needed and not installed."""


class SpoolError(AgentTraceError):
    """A spool segment cannot be created or written."""


class SourceError(AgentTraceError):
    """What is to be read is not there, or is not what it is said to be."""


class StoreError(AgentTraceError):
    """The store cannot be opened, folded or written."""


class SchemaVersionError(StoreError):
    """The store was written by a newer agenttrace."""


class QueryError(AgentTraceError):
    """A query file or a query typed by the user does not work."""


class FactorError(AgentTraceError):
    """A factor is missing, has no source, or contradicts itself."""
