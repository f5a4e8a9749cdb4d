"""One file for each on-disk format (chapter 01)."""
