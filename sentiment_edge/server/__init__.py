"""A classifier over HTTP: `app` answers requests, `batcher` runs them together, `limits` bound both."""
