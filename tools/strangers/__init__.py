"""The server before strangers: hostile clients, ordinary clients of other languages, Prometheus, a browser, restarts."""
