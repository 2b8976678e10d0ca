"""Texts labelled on real clusters on this machine: answers, CPU time and memory beside `predict`'s, and what kills do."""
