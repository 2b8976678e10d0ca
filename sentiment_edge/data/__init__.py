"""Reading users' files: lines, tables, labelled texts, predictions."""
