"""Everything that is measured, in turns."""
