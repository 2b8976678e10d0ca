"""Views of an explanation: in the terminal, as JSON, as a page, as a picture."""
