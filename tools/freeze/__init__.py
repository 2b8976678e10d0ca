"""Apps frozen in every way that the documentation names, run, and compared with the same app before."""
