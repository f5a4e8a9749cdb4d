"""Procedural stand-ins for data sets that are not there (chapter 01)."""
