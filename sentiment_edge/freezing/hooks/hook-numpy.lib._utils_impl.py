"""Read by PyInstaller for an app that imports numpy, which has a reader of Python's documentation for `numpy.info`."""

excludedimports = ["pydoc"]
