"""Views of how close a bundle is to its reference: the gate's report after an export, and a verification."""
