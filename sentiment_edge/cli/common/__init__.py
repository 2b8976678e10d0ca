"""Parts that several commands share: options, exit status, terminal, output files."""
