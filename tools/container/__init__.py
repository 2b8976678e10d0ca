"""The steps of the Dockerfile, run without docker in a Debian system in a folder: `make container`."""
