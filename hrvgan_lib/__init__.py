"""HRVGAN, reproduced: what the chapters in notebooks/ import. The package alone loads nothing heavy."""

__version__ = "0.1.0"
