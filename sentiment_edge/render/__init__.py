"""What the pages that commands write have in common: the document, tables, plots as inline SVG; no script, no other file."""
