"""A folder for static web hosts: a page that runs a bundle's model in the browser."""
