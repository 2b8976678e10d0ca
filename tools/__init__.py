"""Programs of the project's own upkeep, run from the repository's root."""
