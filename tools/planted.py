"""What `mutants.py` plants: who owns a file, the named bugs, and changes that are known to change nothing."""

# Pattern of files -> the test files that own them, the quick and likely ones first. Bugs are drawn in these.
OWNERS = {
    "hrvgan_lib/losses.py": "tests/test_losses.py tests/test_networks.py tests/test_switches.py",
    "hrvgan_lib/norms.py": "tests/test_norms.py tests/test_networks.py tests/test_switches.py",
    "hrvgan_lib/networks/hrvgan.py": "tests/test_networks.py tests/test_switches.py tests/test_training.py",
    "hrvgan_lib/networks/prediction.py": "tests/test_prediction.py tests/test_switches.py",
    "hrvgan_lib/networks/fused.py": "tests/test_fused.py",
    "hrvgan_lib/networks/resampling.py": "tests/test_fused.py tests/test_networks.py tests/test_switches.py",
    "hrvgan_lib/networks/*.py": "tests/test_systems.py tests/test_networks.py tests/test_training.py",
    "hrvgan_lib/training.py": "tests/test_training.py tests/test_keys.py tests/test_systems.py tests/test_switches.py "
    "tests/test_stand_in.py",
    "hrvgan_lib/metrics/rulers/draws.py": "tests/test_intervals.py tests/test_rulers.py",
    "hrvgan_lib/metrics/rulers/estimates.py": "tests/test_intervals.py tests/test_rulers.py",
    "hrvgan_lib/metrics/rulers/neighbours.py": "tests/test_intervals.py tests/test_rulers.py",
    "hrvgan_lib/metrics/rulers/frames.py": "tests/test_prediction.py",
    "hrvgan_lib/metrics/forecasts.py": "tests/test_prediction.py",
    "hrvgan_lib/metrics/comparisons.py": "tests/test_intervals.py tests/test_rulers.py",
    "hrvgan_lib/metrics/eyes/*.py": "tests/test_judge.py tests/test_rulers.py tests/test_metrics.py tests/test_eyes.py "
    "tests/test_switches.py tests/test_keys.py",
    "hrvgan_lib/metrics/**/*.py": "tests/test_rulers.py tests/test_judge.py tests/test_metrics.py tests/test_eyes.py "
    "tests/test_switches.py tests/test_ledgers.py tests/test_keys.py",
    "hrvgan_lib/data/**/*.py": "tests/test_drawing.py tests/test_data.py tests/test_procedural.py tests/test_keys.py "
    "tests/test_switches.py",
    "hrvgan_lib/book/ledgers.py": "tests/test_verdicts.py tests/test_ledgers.py",
    "hrvgan_lib/book/measurements.py": "tests/test_ledgers.py",
    "hrvgan_lib/series/reproduce.py": "tests/test_keys.py tests/test_reproduce.py",
}
# Here only named bugs are planted.
OTHERS = {
    "hrvgan_lib/predict.py": "tests/test_predict.py",
    "hrvgan_lib/series/jobs.py": "tests/test_jobs.py",
    "hrvgan_lib/series/timing.py": "tests/test_timing.py",
    "hrvgan_lib/captures.py": "tests/test_captures.py",
    "hrvgan_lib/mishaps.py": "tests/test_mishaps.py",
    "hrvgan_lib/book/page.py": "tests/test_book.py tests/test_ledgers.py",
    "hrvgan_lib/checkpoints.py": "tests/test_training.py",
    "hrvgan_lib/keys.py": "tests/test_keys.py",
    "hrvgan_lib/paper/tables.py": "tests/test_paper.py",
    "hrvgan_lib/provenance.py": "tests/test_provenance.py",
}

LIB = "hrvgan_lib/"
# Name -> (file, the text as it stands there once, the bug).
PLANTED = {
    "gradients pile up": ("training.py", "    optimiser.zero_grad(set_to_none=True)\n", ""),
    "colours not turned round": ("metrics/eyes/protocols.py", "127.5 * clips.flip(1) + 127.5", "127.5 * clips + 127.5"),
    "a mistyped score": ("paper/tables.py", "14.29", "14.92"),
    "a wrong label may be right": (
        "networks/hrvgan.py",
        "torch.randint(1, self.n_classes",
        "torch.randint(0, self.n_classes",
    ),
    "steps at zero are not counted": ("training.py", "stuck + 1 if won else 0", "1 if won else 0"),
    "order of the stddev groups": (
        "norms.py",
        "features.dtype).repeat(group)",
        "features.dtype).repeat_interleave(group)",
    ),
    "the same noise every step": ("training.py", '"noise", config.seed, step, 0', '"noise", config.seed, 0, 0'),
    "a cut video counts as whole": ("data/formats/video.py", "0.95 * declared - 2", "0.15 * declared - 2"),
    "one mix a pixel": ("losses.py", "shape = [1] * (real.ndim - 1)", "shape = real.shape[1:]"),
    "an average without warm-up": (
        "networks/system.py",
        "min(self.ema_decay, (1 + step) / (10 + step))",
        "self.ema_decay",
    ),
    "the same windows every turn": ("training.py", '"window", config.seed, turn, 0', '"window", config.seed, 0, 0'),
    "a training's key without its data": ("training.py", "data=identity(dataset)", "data=0"),
    "a digest without labels": ("data/clips.py", "{row.sha256} {row.label} {row.group}", "{row.sha256} {row.group}"),
    "an evaluation's key without its sets": ("metrics/evaluation.py", "reference=identity(reference)", "reference=0"),
    "statistics in half precision": ("checkpoints.py", "tensor.half() if name in learned else tensor", "tensor.half()"),
    "an odd unit that is never in a half": ("metrics/rulers/draws.py", "+ random.integers(2)) // 2", "+ 0) // 2"),
    "a sweep over the first rows": (
        "metrics/rulers/intervals.py",
        "[random.permutation(len(array))[:size]]",
        "[:size]",
    ),
    "intervals that ignore shared videos": (
        "metrics/answers.py",
        "self.source, self.labels, self.units, self.unit)",
        "self.source, self.labels, None, self.unit)",
    ),
    "intervals that ignore classes": (
        "metrics/answers.py",
        "self.source, self.labels, self.units, self.unit)",
        "self.source, None, self.units, self.unit)",
    ),
    "an exam by clip": (
        "metrics/eyes/judge.py",
        "dataset.labels.numpy(), units, dataset.unit)",
        "dataset.labels.numpy())",
    ),
    "looks of each class on their own": (
        "data/clips.py",
        'group.rpartition("/")[2] if self.unit == "look" else group',
        "group",
    ),
    "a difference that is not paired": (
        "metrics/rulers/estimates.py",
        "merged[one.source] = merged[one.source] + one if one.source in merged else one",
        "merged[f'{one.source} {len(merged)}'] = one",
    ),
    "few units and a normal factor": (
        "metrics/rulers/estimates.py",
        "student.ppf(0.975, total**2 / squares) * sqrt(total)",
        "1.96 * sqrt(total)",
    ),
    "real clips that seeds average out": (
        "metrics/rulers/estimates.py",
        "parts = [(between, count - 1.0), *shared]",
        "parts = [(between, count - 1.0)]",
    ),
    "an order that turns round with N": ("book/ledgers.py", "if limit is not None and", "if False and"),
    "unequal budgets are fair": (
        "book/ledgers.py",
        "if len({(side.clips, side.fakes) for side in m.sides}) > 1:",
        "if len(m.sides) > 2:",
    ),
    "what has not learned may be ahead": (
        "book/ledgers.py",
        "m.sides if not side.learned]",
        "m.sides if side.learned is False]",
    ),
    "a control that may pass is fine": ("book/ledgers.py", "if False not in parts]", "if True in parts]"),
    "zero at the edge is an order": ("book/ledgers.py", "asked[0] < m.low and m.high < asked[1]", "asked[0] <= m.low"),
    "one seed speaks for the method": ("book/ledgers.py", "if fewest >= FIRM else", "if fewest >= 1 else"),
    "a split that the published judge knows": (
        "metrics/eyes/published.py",
        'getattr(train_set, "fold", 1) != 1',
        "False",
    ),
    "real clips from their first window": (
        "metrics/sources.py",
        "positions].tolist(), generator=windows)",
        "positions].tolist())",
    ),
    "one missing need is forgiven": ("book/ledgers.py", "if any(need not in m.has for", "if all(need not in m.has for"),
    "partial data counts as whole": (
        "book/page.py",
        'dataset.kind == "real" and not self.allow_partial',
        'dataset.kind == "real"',
    ),
    "a chapter's key without torch": ("series/reproduce.py", 'torch=provenance.versions().get("torch")', "torch=0"),
    "a chapter's key without the recorded run": ("series/reproduce.py", "read[run] = {", "_ = {"),
    "the first clips are not grey": (
        "networks/hrvgan.py",
        "nn.init.normal_(self.generator.layers[-2].weight, std=0.02)",
        "pass",
    ),
    # Relatives of these, in what has come since.
    "a horizon that starts from the first frames again": (
        "networks/prediction.py",
        "seen[:, :, -self.given :], asked",
        "seen[:, :, : self.given], asked",
    ),
    "a change from the first frame": ("networks/prediction.py", "given[:, :, -1:] + 2", "given[:, :, :1] + 2"),
    "frames counted from the first": (
        "predict.py",
        "length - 1 - np.arange(steps, -1, -1) * seconds * rate",
        "np.arange(steps + 1) * seconds * rate",
    ),
    "a gap of means": (
        "metrics/rulers/frames.py",
        "np.abs(edges(predicted) - theirs).mean(axis=2)",
        "np.abs((edges(predicted) - theirs).mean(axis=2))",
    ),
    "the first half of the horizon": (
        "metrics/forecasts.py",
        "values[:, values.shape[1] // 2 :]",
        "values[:, : values.shape[1] // 2]",
    ),
    "a backward that forgets the mean": ("networks/fused.py", "rows.sub_(along).addcmul_", "rows.addcmul_"),
    "taps that are not summed": ("networks/resampling.py", " + torch.cat([nothing, weight], axis)", ""),
    "a share of more than everything": ("series/timing.py", "return min(1.0, float(", "return min(9.0, float("),
    "an evaluation's key without its held-out set": (
        "metrics/evaluation.py",
        "held_out=None if held_out is None else identity(held_out)",
        "held_out=0",
    ),
    "a judge's key without its data": ("metrics/eyes/judge.py", "train=identity(train_set)", "train=0"),
    "a key that forgets torch": (
        "keys.py",
        "if any(source.torch for source in",
        "if all(not source.torch for source in",
    ),
    "a key that follows registries": ("keys.py", "        if registries:", "        if True:"),
    "a key that reads docstrings": ("keys.py", "                    del body[0]", "                    pass"),
    "an unreadable disk is a bad file": (
        "data/store.py",
        "except ValueError as error:  # of the file",
        "except (ValueError, OSError) as error:",
    ),
    "the last losses of a GPU are not read": ("training.py", "not (regular or due or stop", "not (due or stop"),
    "one network is replayed beside a plain one": ("captures.py", "if None in recordings.values():", "if False:"),
    "a recording that forbids other threads to pin": ("captures.py", ', capture_error_mode="thread_local"', ""),
    "an interrupt ends well": ("mishaps.py", "return 130", "return 0"),
    "a full disk without a remedy": ("mishaps.py", "errno.ENOSPC: ROOM, errno.EDQUOT", "errno.EDQUOT"),
    "whoever has seen enough is an error": ("mishaps.py", "if not isinstance(error, BrokenPipeError):", "if True:"),
    "any pyproject.toml is ours": ("provenance.py", '["project"]["name"] == "hrvgan-lib"', '["project"]["name"] != ""'),
    "a stand-in without folds": (
        "data/__init__.py",
        "listing = scan(name, folder, fold)\n        title = f",
        "listing = scan(name, folder)\n        title = f",
    ),
}

# (file's name, the line, the line with the change) -> why nothing can see it.
EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "tgan.py",
        "wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T  # (n, m), n <= m",
        "wide = matrix if matrix.shape[1] <= matrix.shape[1] else matrix.T  # (n, m), n <= m",
    ): "a matrix and its transpose have the same singular values; it only takes longer",
    (
        "__main__.py",
        'parser = argparse.ArgumentParser(prog="python -m hrvgan_lib.data", description=__doc__.split(": ", 1)[1])',
        'parser = argparse.ArgumentParser(prog="python -m hrvgan_lib.data", description=__doc__.split(": ", 2)[1])',
    ): "the docstring has one colon",
    (
        "__main__.py",
        "command.add_argument(",
        "command.add_argument('--root', help='folder with ucf101/ golf/ aeroplane/ weizmann/ (default: data/)')",
    ): "without a default it is None, as false as the empty text",
    (
        "c3d.py",
        "time, side = pooled(time, stride[0]), pooled(side, stride[1])",
        "time, side = pooled(time, stride[0]), pooled(side, stride[2])",
    ): "rows and columns are pooled alike",
    ("tgan.py", "above = squares > 1", "above = (squares >= 1)"): "at one the excess is zero",
}
