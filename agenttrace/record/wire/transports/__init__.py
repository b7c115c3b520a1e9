"""One adapter for each transport that SDKs share; they know nothing of what is said.

Each module has ``hooked(module, follow)``, a context manager that meters the imported *module* and
tells *follow* of each exchange whose response has not ended yet.
"""
