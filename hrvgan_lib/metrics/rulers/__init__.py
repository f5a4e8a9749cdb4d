"""From arrays to numbers: the scores, the distances, their intervals (chapter 08)."""
