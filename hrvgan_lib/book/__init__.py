"""What a chapter needs: its page, tables, pictures, the latent explorer, and the ledgers (all chapters)."""

from importlib.util import find_spec

# A chapter's first cell imports this: all that is lacking in one line, and not the first module that happens to miss.
NEEDED = "numpy torch torchvision scipy matplotlib torchmetrics av PIL safetensors filelock tqdm ipywidgets".split()
if gone := [name for name in NEEDED if find_spec(name) is None]:
    raise ImportError(f"this Python lacks {', '.join(gone)}: open the chapters with `make lab`")

from hrvgan_lib.book.measurements import Control, control
from hrvgan_lib.book.page import Page, open_page
from hrvgan_lib.book.pictures import SYSTEM_COLOURS, clip_grid, movie
from hrvgan_lib.book.tables import Link, read_csv
from hrvgan_lib.budgets import Side, side_of

__all__ = [
    "SYSTEM_COLOURS", "Control", "Link", "Page", "Side", "clip_grid", "control", "movie", "open_page", "read_csv",
    "side_of",
]  # fmt: skip
