"""Chunks on disk and the plain data of a study: write, read, verify."""
