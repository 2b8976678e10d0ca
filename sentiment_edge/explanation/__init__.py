"""Views of an explanation: in the terminal, as a page, as a picture."""
