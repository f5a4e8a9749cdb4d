"""The whole book, headless: one chapter run truthfully, and all of them in order."""
