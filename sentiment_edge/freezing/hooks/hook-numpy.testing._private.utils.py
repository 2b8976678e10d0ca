"""Read by PyInstaller for an app that imports numpy, whose helpers for tests can run those in docstrings, with a debugger."""

excludedimports = ["doctest"]
