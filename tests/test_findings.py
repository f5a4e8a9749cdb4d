"""Five sentences on a run: what each says of tables that are made up here, and what is left out where one lacks."""

from types import SimpleNamespace

import pytest

from hrvgan_lib import book
from hrvgan_lib.book import findings, ledgers
from hrvgan_lib.metrics.rulers.intervals import Interval
from hrvgan_lib.provenance import repo_root

FILES = ("table3_inception_score", "table4_orders", "table4_frechet_distance", "prediction_measures", "claims")


class Clips(SimpleNamespace):
    def __len__(self):
        return 8


def clips(name, kind="procedural"):
    return Clips(name=name, kind=kind, split="train", n_classes=0, frames=8, size=32, stride=4, digest="d")


ACTIONS, GOLF, AEROPLANE = map(clips, ("ucf101", "golf", "aeroplane"))


def scored(system, recipe, value, clear, diverged="", **more):
    return {"system": system, "recipe": recipe, "ours": value, "95 % low": value - 0.125, "95 % high": value + 0.125,
            "interval over": "samples of 1 training seed", "clear of untrained": clear, "N": 512, "clips seen": 6400,
            "diverged": diverged} | more  # fmt: skip


TABLE3 = [
    scored("noise", None, 1.0, None),
    scored("VGAN", "as published", 2.0, True),
    scored("VGAN", "common recipe", 1.5, True),
    scored("TGAN", "as published", float("nan"), False, "diverged at step 3"),
    scored("MoCoGAN, labels", "common recipe", 3.25, True, **{"clips seen": 3200}),
    scored("HRVGAN, no labels", "stable", 5.0, False),
    scored("HRVGAN, labels", "stable", 6.25, True),
    scored("HRVGAN, labels", "the paper's text", 7.0, False),
    scored("real clips (test split)", None, 7.75, None),
]
ORDERS = [
    {"order": "as in the paper", "both clear of untrained": True},
    {"order": "as in the paper", "both clear of untrained": False},
    {"order": "the other way round", "both clear of untrained": True},
    {"order": "open", "both clear of untrained": True},
]
TABLE4 = [
    {"N": 512, "clips seen": None, "clear of untrained": None},
    {"N": 96, "clips seen": 1600, "clear of untrained": True},
]


def predicted(low, high, name="combined", told=True):
    gain = Interval(low, high, (low + high) / 2, 64, "samples" if told else "cannot be told: one person")
    rows = [("last frame held", None), ("MSE only", 4000), (name, 4000), ("combined, as short", 480)]
    return [{"prediction": one, "clips seen": seen, "less held, dB": str(gain) if one == name else "9 [9, 9]"}
            for one, seen in rows]  # fmt: skip


def judged(*verdicts, kind="property", data="ucf101, procedural; golf, procedural", seeds=1):
    return [{"verdict": verdict, "kind": kind, "data": data, "training seeds": seeds} for verdict in verdicts]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with one table of each name, in a repository of its own."""
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    monkeypatch.setattr("hrvgan_lib.provenance.device_name", lambda: "Abacus (2 cores)")
    page = book.open_page("99_toy", run="tried")
    write(page, table3_inception_score=TABLE3, table4_orders=ORDERS, table4_frechet_distance=TABLE4,
          prediction_measures=predicted(0.25, 0.75), claims=judged(ledgers.IN_THESE))  # fmt: skip
    return page


def write(page, data=None, **tables):
    of = {"table3_inception_score": [ACTIONS], "prediction_measures": [ACTIONS], "claims": []}
    for name, rows in tables.items():
        page.table(rows, name, data=data or of.get(name, [GOLF, GOLF, AEROPLANE]), samples=64, show=False)


def sentence(page, number):
    sentences, left_out = findings.findings(page.figures)
    assert len(sentences) == 5 and not left_out
    return sentences[number]


def test_the_score_stands_between_real_clips_and_the_best_rival(page):
    assert sentence(page, 0) == (
        "HRVGAN with labels has, after 6,400 clips, an Inception Score of 6.25 [6.12, 6.38] where held-out real clips "
        "have 7.75 [7.62, 7.88], and the best rival, MoCoGAN with labels (common recipe; 3,200 clips), has 3.25 [3.12, "
        "3.38]; it is clear of its own untrained network (procedural stand-ins for UCF101, 512 samples, 95 % intervals "
        "over samples of 1 training seed, Abacus (2 cores))."
    )
    rows = [row for row in TABLE3 if not row["system"].startswith(("VGAN", "MoCoGAN", "HRVGAN, labels"))]
    rows += [scored("HRVGAN, labels", "stable", 1.5, False)]
    write(page, [clips("weizmann", "real")], table3_inception_score=rows)
    told = sentence(page, 0)
    assert "and no rival has a score; it is not clear of its own untrained network (real clips of Weizmann," in told


def test_systems_that_have_learned_are_told_from_those_that_have_not(page):
    assert sentence(page, 1) == (
        "By Inception Score, clear of their own untrained networks are VGAN (as published; common recipe), MoCoGAN "
        "with labels (common recipe) and HRVGAN with labels (stable); not clear are TGAN (as published, diverged), "
        "HRVGAN without labels (stable) and HRVGAN with labels (the paper's text) (procedural stand-ins for UCF101, "
        "after 3,200 to 6,400 clips, 512 samples each, Abacus (2 cores))."
    )
    for clear, words in (
        (True, "all 7 trained systems are clear of their own untrained networks"),
        (False, "none of the 7 trained systems is clear of its own untrained network"),
    ):
        rows = [
            row | {"clear of untrained": None if row["clear of untrained"] is None else clear} for row in TABLE3
        ]  # fmt: skip
        write(page, table3_inception_score=rows)
        assert sentence(page, 1).startswith(f"By Inception Score, {words} (procedural")


def test_orders_are_counted_by_what_decides_them(page):
    assert sentence(page, 2) == (
        "In Table 4, 2 of 4 orders of Fréchet distances are decided (the 95 % interval of the difference leaves out "
        "zero, and both systems are clear of their own untrained networks), 1 as in the paper and 1 the other way "
        "round; the interval of 1 leaves out zero but a system is not clear, that of 1 holds zero (procedural "
        "stand-ins for Golf and Aeroplane, after 1,600 clips, 96 samples a system, Abacus (2 cores))."
    )
    write(page, table4_orders=ORDERS[1:2], table4_frechet_distance=[*TABLE4, TABLE4[1] | {"N": 128}])
    told = sentence(page, 2)
    assert "0 of 1 orders" in told and "networks); the interval of 1 leaves out" in told and "that of 0 holds" in told
    assert "96 to 128 samples a system" in told
    write(page, table4_orders=[row | {"order": "as in the paper", "both clear of untrained": True} for row in ORDERS])
    told = sentence(page, 2)
    assert "4 of 4 orders" in told and "4 as in the paper and 0 the other way round; the interval of 0" in told


@pytest.mark.parametrize(
    "low, high, words",
    [
        (0.25, 0.75, "0.50 dB [0.25, 0.75], better"),
        (-0.75, -0.25, "-0.50 dB [-0.75, -0.25], worse"),
        (-0.25, 0.75, "0.25 dB [-0.25, 0.75], no difference that can be told"),
    ],
)
def test_prediction_is_better_worse_or_open(page, low, high, words):
    write(page, prediction_measures=predicted(low, high))
    assert sentence(page, 3) == (
        "In prediction, the PSNR of the combined objective less that of holding the last given frame is "
        f"{words} (procedural stand-ins for UCF101, 64 held-out clips, later half of the predicted frames, after 4,000 "
        "clips, Abacus (2 cores))."
    )


def test_a_prediction_that_diverged_or_has_no_interval_is_said_to_be_so(page):
    write(page, prediction_measures=predicted(-9.0, -7.0, "combined (diverged)"))
    assert "the PSNR of the combined (diverged) objective less" in sentence(page, 3)
    write(page, prediction_measures=predicted(-9.0, -7.0, told=False))
    assert "is -8 dB [cannot be told: one person], which decides nothing (" in sentence(page, 3)


def test_claims_are_counted_by_verdict_and_printed_shapes_apart(page):
    assert sentence(page, 4) == (
        "Of 1 claims of the paper, 1 held in these trainings (procedural data, from 1 training seed, Abacus (2 cores))."
    )
    rows = judged(*ledgers.VERDICTS[:4]) + judged(*ledgers.VERDICTS[4:8], data="", seeds=None)
    rows += judged(ledgers.NOT_TESTABLE, ledgers.NOT_TESTABLE, ledgers.NOT_MEASURED, data="golf, real", seeds=3)
    write(page, claims=rows + judged(ledgers.AS_PRINTED, ledgers.AS_PRINTED, ledgers.NOT_AS_PRINTED, kind="shape"))
    assert sentence(page, 4) == (
        "Of 11 claims of the paper, 1 held, 1 held in these trainings, 1 did not hold, 1 did not hold in these "
        "trainings, 1 are void, since a control passes the same test, 1 are undecided, 2 cannot be tested here, 1 were "
        "not measured, 1 hold by construction and 1 fail by construction; of 3 printed shapes 2 are as printed "
        "(procedural and real data, from 1 or 3 training seeds, Abacus (2 cores))."
    )


def test_claims_are_told_with_the_part_that_was_tested_and_older_words_are_read(page):
    rows = [row | {"claim": "figure4"} for row in judged(ledgers.HELD, "as claimed in these trainings")]
    write(page, claims=rows)
    assert sentence(page, 4).startswith(
        "Of 2 claims of the paper, 1 held in the part that was tested and 1 held in these trainings in the part that "
        "was tested (")  # fmt: skip


def test_words_are_for_headings_that_there_are():
    assert set(findings.SAID) <= {name for name, *_ in ledgers.PAGE}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_table_that_is_not_there_costs_its_sentence_and_this_is_said(page, name, ending):
    whole, _ = findings.findings(page.figures)
    (page.figures / f"{name}.{ending}").unlink()
    sentences, left_out = findings.findings(page.figures)
    lacking = 2 if name == "table3_inception_score" else 1
    assert len(left_out) == lacking and all(f"{name}.{ending} is not there" in one for one in left_out)
    assert len(sentences) == 5 - lacking and set(sentences) < set(whole)
    assert findings.said(page.figures)[-1] == f"not said of {left_out[-1]}"


def test_a_table_of_other_code_costs_its_sentence_too(page):
    write(page, table3_inception_score=[row for row in TABLE3 if row["recipe"] != "stable"],
          prediction_measures=[{"prediction": "MSE only"}], table4_frechet_distance=TABLE4[:1],
          claims=[{"kind": "shape"}])  # fmt: skip
    sentences, left_out = findings.findings(page.figures)
    assert [one.partition(";")[0] for one in left_out] == [
        "the Inception Score: the table has no 'HRVGAN, labels stable'",
        "the orders of Table 4: the table has no 'trained system'",
        "prediction: the table has no 'combined'",
        "the claims: the table has no 'verdict'",
    ]
    assert len(sentences) == 1


def test_a_page_is_renewed_between_its_marks_and_nowhere_else(page, capsys):
    readme = repo_root() / "README.md"
    readme.write_text(f"before\n\n{findings.START}\n- old\n{findings.END}\n\nafter\n")
    assert findings.main(["tried"]) == 0
    sentences, _ = findings.findings(page.figures)
    listed = "".join(f"- {one}\n" for one in sentences)
    assert readme.read_text() == f"before\n\n{findings.START}\n{listed}{findings.END}\n\nafter\n"
    assert capsys.readouterr().out.splitlines() == [f"the run says: {one}" for one in sentences]
    (page.figures / "claims.csv").unlink()
    assert findings.main(["tried"]) == 1 and listed in readme.read_text()
    assert "left as it is: lacking are 1 of 5 sentences" in capsys.readouterr().err
    with pytest.raises(ValueError, match="put them where the sentences belong"):
        findings.renewed("no marks", sentences)


@pytest.mark.parametrize(
    "chapter, names",
    [
        ("10_tables", ["system", "recipe", "ours", "95 % low", "95 % high", "interval over", "clear of untrained", "N",
                       "clips seen", "diverged", "order", "both clear of untrained", "as in the paper",
                       "the other way round", "open", "real clips (test split)", "stable"]),
        ("07_prediction", ["prediction", "clips seen", "less held, dB"]),
    ],
)  # fmt: skip
def test_the_chapters_write_the_columns_and_words_that_are_read(chapter, names):
    source = (repo_root() / f"notebooks/{chapter}.py").read_text(encoding="utf-8")
    assert [name for name in names if f'"{name}"' not in source] == []


def test_the_readme_says_what_the_recorded_tables_say():
    recorded = repo_root() / "figures" / "overnight"
    if not recorded.is_dir():
        pytest.skip("no recorded run figures/overnight/ yet")
    sentences, left_out = findings.findings(recorded)
    assert not left_out
    readme = (repo_root() / "README.md").read_text(encoding="utf-8")
    assert findings.renewed(readme, sentences) == readme, "python -m hrvgan_lib.book.findings puts them in"


PANEL = [
    {"clips": "real", "named right": 1.0, "named 95 %": "0.98 to 1.00", "Fréchet distance": 1.5, "FD 95 %": "0 to 3"},
    {"clips": "untrained", "named right": 0.125, "named 95 %": "0.10 to 0.16", "Fréchet distance": 480.0,
     "FD 95 %": "450 to 510"},
    {"clips": "hrvgan", "named right": 0.85, "named 95 %": "0.83 to 0.87", "Fréchet distance": 32.0,
     "FD 95 %": "26 to 38"},
    {"clips": "hrvgan frozen", "named right": 0.17, "named 95 %": "0.15 to 0.19", "Fréchet distance": 483.0,
     "FD 95 %": "455 to 510"},
]  # fmt: skip


def with_panel(page):
    write(page, [ACTIONS], evaluation_panel=[row | {"named over": 1024, "N": 512} for row in PANEL],
          evaluation_fidelity_variety=[{"clips": "real", "coverage": "0.90 [0.84, 0.95]"},
                                       {"clips": "hrvgan", "coverage": "0.37 [0.3, 0.45]"}],
          evaluation_behaviour=[{"clips": "real", "variety": 0.6}, {"clips": "hrvgan", "variety": 0.45}])  # fmt: skip


def test_what_is_said_of_samples_is_in_the_tables_of_chapter_08(page):
    with_panel(page)
    assert findings.samples(page.figures) == (
        "Of 1024 samples of HRVGAN with labels the judge names 85% as asked (95 %: 0.83 to 0.87), of the same samples "
        "frozen 17%, of held-out real clips 100.0%. Their Fréchet distance is 32 (95 %: 26 to 38), where real clips "
        "have 1.5 and the untrained network 480. They vary 0.75 times as much as real clips, and 37% of the training "
        "clips have a sample near them, where 90% have a held-out one (procedural stand-ins for UCF101, Abacus "
        "(2 cores))."
    )


def test_a_chapter_says_what_the_first_recorded_run_with_the_tables_says(page, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda said: shown.append(said.data))
    findings.tell(page, findings.samples)
    assert shown == [] and "no recorded run has the tables" in capsys.readouterr().out
    overnight = book.open_page("99_toy", run="overnight")
    with_panel(overnight)
    findings.tell(page, findings.samples, findings.score)
    assert len(shown) == 1 and shown[0].startswith("**Recorded run `overnight`.** Of 1024 samples")
    with_panel(book.open_page("99_toy", run="gpu"))
    findings.tell(page, findings.samples)
    assert shown[-1].startswith("**Recorded run `gpu`.**")
    findings.tell(overnight, findings.samples)  # a recorded run speaks of itself
    assert shown[-1].startswith("**Recorded run `overnight`.**")
