"""Columns of texts, labelled where they lie: in tables of Arrow, and in the engines that compute on them."""
