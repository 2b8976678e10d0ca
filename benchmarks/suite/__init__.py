"""One table of this project's bundles beside other ways to run the same models; see `python -m suite --help`."""
