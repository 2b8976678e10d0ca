"""An explanation as something to look at: in the terminal, as a page, as a picture."""
