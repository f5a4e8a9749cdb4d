# %% [markdown]
# # 12 · What held, what did not, and what we had to decide
#
# | | |
# |---|---|
# | **You will build** | the rule that turns a measurement into a verdict, and with it two ledgers: every claim, every decision |
# | **Reads** | what the other chapters of this run measured (`runs/<run>/*.usage.json`) |
# | **Writes** | `claims`, `decisions`, `verdicts_figure` |
# | **Budget** | seconds |
#
# A reproduction that ends in one sentence, "it works" or "it does not", has thrown most of itself away. The paper makes many
# statements, and they fare differently. Here is each of them, with the number that we put beside it, and the rule by which the
# number became a word.
#
# **By the end you can**
#
# - derive a verdict from an interval and an asked range, and say when there is none;
# - name, for any claim of the paper, the chapter and the number behind our verdict;
# - name, for any gap of the paper, what we chose, what else there was, and what the choice changes.

# %% tags=["parameters"]
profile = "smoke"  # smoke, cpu, overnight, gpu or paper
seed = 0
data_root = ""  # folder with ucf101/ golf/ aeroplane/ weizmann/; empty: data/
actions = "ucf101"  # the labelled data set: ucf101 or weizmann
run = ""  # name of the results folder; empty: the profile's name
rehearse = False  # true shapes, two steps
allow_partial = False  # accept a data set that is there in part

# %%
import sys

sys.path.append("..")  # the library lies beside this folder; not found: open the notebook there, with make lab
from hrvgan_lib import book

page = book.open_page("12_claims_and_decisions", profile=profile, seed=seed, data_root=data_root, actions=actions,
                      run=run, rehearse=rehearse, allow_partial=allow_partial)

# %%
import inspect
from collections import Counter
from dataclasses import replace

import matplotlib.pyplot as plt
from IPython.display import Code, Markdown, display

from hrvgan_lib import paper
from hrvgan_lib.book import Side, findings, ledgers
from hrvgan_lib.book.measurements import Measurement

# %% [markdown]
# ## From an interval to a word
#
# A claim asks for a range: a ratio above one, a distance below another. A measurement gives an interval. Three things can
# happen, and only two of them are an answer.

# %% tags=["nbval-check-output"]
def answer(low, high, asked_low, asked_high):
    """Does the interval [low, high] lie in the asked range? True, False, or None where it reaches across."""
    if asked_low <= low and high <= asked_high:
        return True
    return False if high < asked_low or low > asked_high else None


inf = float("inf")
print("asked: at least 1")
for low, high in ((1.1, 1.4), (0.2, 0.9), (0.9, 1.1)):
    library = Measurement("", "", 1, low, high, asked_low=1).holds
    print(f"  measured [{low}, {high}]: {answer(low, high, 1, inf)}, the library says {library}")

# %% [markdown]
# The third case is the one that a table without intervals cannot express. Before an interval may speak at all, a few
# questions have to be answered, since a number can be precise and still say nothing:
#
# - Is there a number? NaN, or a training that diverged, decides nothing, for or against.
# - An **order** of two systems: did both see equally many clips, real and generated? Is each clear of its own untrained
#   network? Otherwise the order of two networks that have not learned is read as one of methods. The interval is that of
#   the paired difference (chapter 08), and has to leave out zero.
# - A published **number**: is the interval narrow enough to tell it from the next published one? A wide interval holds
#   many numbers and reproduces none of them. What counts as "the same number" is half of the gap to the next one.
# - A **property**: does something that must not have it, an untrained network, a memory, a cross-fade, pass the same test?
#   Then the test is *void*.
#
# And then the tallies are kept apart. With fewer than three training seeds a verdict speaks of *these trainings*. What holds
# *by construction*, because algebra or the design decides it, is no evidence, and a printed shape is a matter of reading.
# Here is the rule as it runs, first for one measurement, then for a claim:

# %%
for part in (ledgers.answer, ledgers.barred, ledgers.verdict):
    display(Code(inspect.getsource(part), language="python"))

# %% [markdown]
# Twenty cases in `tests/verdict_cases.json` were made up beforehand, each with the verdict that a statistician would
# sign; the rule is tested against them. Here are a few questions of the same kind, and what it answers.

# %% tags=["nbval-check-output"]
print("training seeds a side that a verdict on a method asks for:", ledgers.FIRM)
claim = paper.claim("is-order-hrvgan-over-mocogan")
sides = tuple(Side(name, 32_000, 32_000, seeds=3, learned=True) for name in ("HRVGAN", "MoCoGAN"))
ahead = Measurement("10_tables", "HRVGAN less MoCoGAN", 0.5, 0.1, 0.9, asked_low=0.0, has=("all systems",), sides=sides)


def with_second(**changes):
    """The same evidence with another second side."""
    return replace(ahead, sides=(sides[0], replace(sides[1], **changes)))


for what, row in {"in order": ahead, "one seed on one side": with_second(seeds=1),
                  "unequal budgets": with_second(clips=16_000), "one has not learned": with_second(learned=False),
                  "one diverged": with_second(diverged="diverged at step 40"), "holds zero": replace(ahead, low=-0.2),
                  "the other way round": replace(ahead, low=-0.9, high=-0.1)}.items():
    print(f"{what:22s} {ledgers.verdict(claim, [row])[0]}")

# %% [markdown]
# ## Failure on purpose: a verdict out of nothing
#
# The quickest way to a ledger full of green is to write it by hand. The second quickest is to look at the number first and to
# choose the range afterwards. The first is an error here:

# %% tags=["nbval-check-output"]
try:
    ledgers.verdict(paper.claim("temporal-coherence"), [])
except ValueError as error:
    print("refused:", error)

# %% [markdown]
# The second cannot be caught by code, only be made visible. Every asked range stands in its chapter's source, beside the
# measurement, and in the ledger's column *asked*. With the range moved after the fact, anything holds:

# %% tags=["nbval-check-output"]
honest = Measurement("", "", 0.8, 0.7, 0.9, asked_low=1.0)
print("asked before:", honest.holds, " asked after:", replace(honest, asked_low=round(honest.low - 0.1, 1)).holds)

# %% [markdown]
# ## The claims ledger
#
# Reading the paper line by line gives numbers, orderings, shapes, properties and plain statements. Most have been measured in the
# chapter that they belong to; this page adds one of its own. The abstract and section 2 promise *comprehensive details* of the
# architecture, the optimisation and the algorithm. We count what was left to decide. The paper sets no number, and neither do we: the
# count stands in the ledger without a verdict.

# %%
open_points = [entry for entry in paper.DECISIONS.values() if entry.id[0] in "ALO"]
page.measure("decisions about architecture, losses and optimisation in our ledger", len(open_points),
             claim="detailed-description")

# %%
measured = page.measurements()
claims = ledgers.claims_ledger(measured)
LINKS = {chapter: book.Link(chapter[:2], f"{chapter}.ipynb") for chapter in sorted({row["chapter"] for row in claims})}
counts = Counter(row["verdict"] for row in claims)
print(f"{len(measured)} measurements from {len({m.chapter for m in measured})} chapters; {len(claims)} claims")
for tally, words in ledgers.TALLIES.items():
    print(tally + ":", ", ".join(f"{counts[said]} {said}" for said in words))

# %% [markdown]
# *Not measured in this run* means that the chapter has not run: `make reproduce` runs them all. A full run leaves none, and this
# cell says so.

# %%
whole = {row["chapter"] for row in claims} <= {m.chapter for m in measured}
if whole:
    page.expect("claims that no chapter measured", counts[ledgers.NOT_MEASURED], high=0,
                why="every verdict has its number")
else:
    print("some chapters of this run have not run yet; their claims wait")

# %%
COLOURS = {ledgers.REPRODUCED: "#009E73", ledgers.NOT_REPRODUCED: "#D55E00", ledgers.UNDECIDED: "#F0E442",
           ledgers.VOID: "#CC79A7", ledgers.IN_THESE: "#8FD3BD", ledgers.NOT_IN_THESE: "#F0B183",
           ledgers.BY_CONSTRUCTION: "#8FD3BD", ledgers.NOT_BY_CONSTRUCTION: "#F0B183",
           ledgers.NOT_TESTABLE: "#999999", ledgers.NOT_MEASURED: "#DDDDDD"}
kinds = [kind for kind in dict.fromkeys(row["kind"] for row in claims) if kind != "shape"]
fig, axis = plt.subplots(figsize=(9, 2.6))
start = [0] * len(kinds)
for said, colour in COLOURS.items():
    width = [sum(row["kind"] == kind and row["verdict"] == said for row in claims) for kind in kinds]
    if any(width):
        hatch = "///" if said in ledgers.TALLIES["by construction"] else None
        axis.barh(kinds, width, left=start, color=colour, label=said, hatch=hatch, edgecolor="white", linewidth=0.5)
    start = [a + b for a, b in zip(start, width)]
axis.invert_yaxis()
axis.set(xlabel="claims")
axis.grid(False)
fig.legend(loc="outside upper center", ncol=4, frameon=False, fontsize=9)
page.figure(fig, name="verdicts_figure", data=(),
            caption="The verdicts by kind of claim, printed shapes left out. Paler: about these "
                    "trainings only; hatched: by construction; grey: no verdict.",
            alt="Horizontal stacked bars, one for each kind of claim: number, ordering, property, statement. The "
                "parts count the verdicts: reproduced, not reproduced, undecided, void, then in paler colours "
                "verdicts about these trainings only and what holds or fails by construction, and in grey what has "
                "no verdict.")

# %% [markdown]
# ### In plain words
#
# The list below is made from the ledger of the recorded run, where there is one; yours follows in the table. A verdict is about our
# measurement, on the data that the row names: on procedural stand-ins it says what the method does there.

# %%
HEADINGS = {ledgers.REPRODUCED: "Held", ledgers.NOT_REPRODUCED: "Did not hold",
            ledgers.IN_THESE: "Held in these trainings", ledgers.NOT_IN_THESE: "Did not hold in these trainings",
            ledgers.VOID: "Void: something that must not pass the test passes it too", ledgers.UNDECIDED: "Undecided",
            ledgers.BY_CONSTRUCTION: "Holds by construction", ledgers.NOT_BY_CONSTRUCTION: "Fails by construction",
            ledgers.NOT_TESTABLE: "Not testable here"}


def sentence(row):
    """A claim in one line: what the paper says, our number, and the way to it."""
    about = f" ({row['data']})" if row["data"] else ""
    reason = "" if row["why"] == "as asked" else f" *{row['why']}.*"
    return (f"- [{row['chapter'][:2]}]({row['chapter']}.ipynb) **{row['the paper']}** — {row['ours'] or 'no number'}"
            f"{about}.{reason}")


recorded = page.recorded("claims.csv")
told = book.read_csv(recorded) if recorded else claims
print(f"from the run {recorded.parent.name if recorded else page.run}:")
for said, heading in HEADINGS.items():
    chosen = [row for row in told if row["verdict"] == said and row["kind"] != "shape"]
    if chosen:
        display(Markdown(f"**{heading}** ({len(chosen)})\n\n" + "\n".join(map(sentence, chosen))))

# %% [markdown]
# Table rows have a tally of their own: 22 of Table 1, 24 of Table 2, and two sizes. A row is *as printed* where the traced
# network has the shape and the activation that are printed; where it has not, the decision that explains it stands beside. Most of those
# are one decision: Table 2's shapes run in the other direction than its layers (A6).

# %%
shapes = [row for row in claims if row["kind"] == "shape"]
odd = [row for row in shapes if row["verdict"] != ledgers.AS_PRINTED]
print(f"{len(shapes) - len(odd)} of {len(shapes)} as printed; of the others "
      f"{sum('A6' in row['ours'] for row in odd)} are decision A6")
page.table([{"where": row["where"], "the paper": row["the paper"], "ours": row["ours"], "verdict": row["verdict"],
             "chapter": LINKS[row["chapter"]]} for row in odd],
           note="Shapes that are not as printed, or were not measured.")

# %% [markdown]
# ### The whole ledger
#
# The same rows as a table. The file `figures/<run>/claims.csv` has more columns: the test in words, what the interval is over, the
# published number.

# %%
note = (f"Verdicts by the rule of this chapter; from fewer than {ledgers.FIRM} training seeds they speak of these "
        "trainings only. Written by the run.")
page.table(claims, name="claims", data=(), note=note, show=False)
page.table([{"claim": row["claim"], "where": row["where"], "the paper": row["the paper"], "ours": row["ours"],
             "data": row["data"], "training clips": row["training clips"], "training seeds": row["training seeds"],
             "negative controls": row["negative controls"], "verdict": row["verdict"],
             "chapter": LINKS[row["chapter"]]}
            for row in claims if row["kind"] != "shape"], note=note)

# %% [markdown]
# ## The decision ledger
#
# Wherever the paper is silent or says two things, we had to choose. Each choice has a name, and where more than one reading is built,
# a switch. The column *measured effect* is what the chapters of this run found that the choice changes, also where it speaks against us;
# `make ablations` fills in the effects that take training. A ratio below 1 says that the first of its two has the smaller number.

# %%
decisions = ledgers.decisions_ledger(measured)
switched = sum(bool(row["switch"]) for row in decisions)
effects = sum(bool(row["measured effect"]) for row in decisions)
print(f"{len(decisions)} decisions; {switched} with a switch; {effects} with an effect measured in this run")

# %%
def short(row):
    """A decision as the page shows it; the file has more columns."""
    return {"": book.Link(row["decision"], name=row["decision"]), "about": row["title"], "the paper": row["the paper"],
            "options": row["options"], "our choice": row["our choice"], "why": row["why"],
            "switch": row["switch"], "measured effect": row["measured effect"],
            "chapter": book.Link(row["chapter"][:2], f"{row['chapter']}.ipynb")}


for group in paper.GROUPS.values():
    display(Markdown(f"### {group.capitalize()}"))
    page.table([short(row) for row in decisions if row["group"] == group])

# %%
page.table(decisions, name="decisions", data=(), note="Written by the run.", show=False)
print("the whole ledger: figures/<run>/decisions.csv,", len(decisions), "rows")

# %% [markdown]
# ## Beside the recorded run
#
# The same claims in the run that comes with this book: longer trainings, more samples.

# %%
if recorded:
    theirs = Counter(row["verdict"] for row in book.read_csv(recorded))
    page.table([{"verdict": said, "this run": counts[said], f"recorded ({recorded.parent.name})": theirs[said]}
                for said in ledgers.VERDICTS])
else:
    print("figures/overnight/claims.csv is not there: make edition writes it")
findings.tell(page, findings.claims)

# %% [markdown]
# ## Check yourself
#
# 1. A claim is *undecided* in your run. What would decide it: more samples, more training, or another seed?
# 2. Why does a published number need the published classifier, while an ordering does not?
# 3. Thirty claims with 95 % intervals, all of them true: how many will the rule call *not reproduced* or leave open by chance alone?
#
# <details><summary>Answers</summary>
#
# 1. The column *why* says it. Where the interval reaches across, more samples narrow it; where a system is not clear of its
#    untrained network, training; and an interval over samples says nothing about other seeds, so that a verdict about a method
#    takes three of them.
# 2. A number is a number on a scale, and the scale is the classifier's (chapter 08). An ordering needs only that both systems are
#    measured on one scale, ours; another judge or data set may order them differently, so the row names the data, and the chapter
#    the judge.
# 3. *Not reproduced* needs one whole interval outside: for a truth at the very edge of its range one interval in forty lies there, for one with a
#    margin fewer. A claim with six measurements has six such chances, up to 14 % at the edge. *Undecided* has no fixed rate: almost all at the
#    edge, hardly any with a wide margin.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* Which decisions have neither a switch nor a measured effect? *Expected: a short list: readings of which only one runs, and points on
#    which the paper is silent and we do nothing.*
# 2. *(medium)* Ask for one training seed instead of three. *Expected: what was said of these trainings is now said of the
#    method, and nothing about the evidence has changed.*
# 3. *(hard)* Find a sentence of the paper that could be tested and is not in the ledger; add it to `paper/claims.py` and measure it
#    in its chapter. *Expected: the tests tell you what is missing.*

# %% tags=["solution"]
bare = [row["decision"] for row in decisions if not row["switch"] and not row["measured effect"]]
print(f"exercise 1: {len(bare)} of {len(decisions)}:", ", ".join(bare))

# %% tags=["solution"]
usual, ledgers.FIRM = ledgers.FIRM, 1
after = Counter(row["verdict"] for row in ledgers.claims_ledger(measured))
ledgers.FIRM = usual
print("exercise 2, about the method:",
      *(f"{said} {counts[said]} before, {after[said]} after;" for said in (ledgers.REPRODUCED, ledgers.NOT_REPRODUCED)))

# %% [markdown]
# ## What we now know
#
# - A verdict came from an interval and an asked range, after questions about budgets, learning, negative controls and
#   training seeds, by one rule, and from nothing else.
# - Every claim that we found in the paper had a row, with its number, its data and the chapter behind it, or the reason why it has none.
# - Every gap of the paper had a decision with a name, and most a switch or a measured effect.
#
# ## Where next
#
# [10 · Tables](10_tables.ipynb) has the numbers that carry most of the claims, [11 · Ablations](11_ablations.ipynb) what each choice
# changes; [00 · Start here](00_start_here.ipynb) says how to run it all on your own machine.

# %%
page.colophon()
