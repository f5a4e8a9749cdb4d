"""From clips to arrays: networks that look at clips, and how clips are shown to them (chapter 08)."""
