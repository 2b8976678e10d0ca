"""Read by PyInstaller for an app that imports numpy, which shows its build in YAML where a library for that is installed."""

excludedimports = ["yaml"]
