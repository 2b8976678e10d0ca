"""A classifier over HTTP: `app` answers, `gathering` runs together what arrives together, `limits` bound both."""
