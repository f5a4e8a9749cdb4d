"""What a chapter needs: its page, tables, pictures, the latent explorer, and the ledgers (all chapters)."""

from hrvgan_lib.book.page import Page, open_page
from hrvgan_lib.book.pictures import SYSTEM_COLOURS, clip_grid, movie
from hrvgan_lib.book.tables import Link, read_csv

__all__ = ["SYSTEM_COLOURS", "Link", "Page", "clip_grid", "movie", "open_page", "read_csv"]
