"""The results as plain text: first what to quote, then every table."""

from helpers.evidence.speed import comparisons, cost, one, quartiles, ratio, select


def as_text(results):
    """Lines of the report."""
    yield from quoting(results)
    for found in results["peers"].values():
        if found["status"] != "measured":
            yield f"{found['title']}: {found['status']} ({found['why']})."
    for model in results["models"]:
        yield from _table(results, f"Patches to tags, {model}", "ms per patch", 1e3,
                          select(results, "throughput", model=model),
                          one(results, "throughput", model=model, peer="original"))
    for kind, words in (("warm", "open process"), ("cold", "new process")):
        yield from _table(results, f"File of {results['song']:g} s to taggram, {words}", "s", 1,
                          select(results, kind), one(results, kind, peer="original"))
    for cores in sorted({record["compared"] for record in select(results, "cores")}):
        records = select(results, "cores", cores=cores)
        yield from _table(results, f"Patches to tags on {cores} of "
                                   f"{results['machine']['cores']} cores", "ms per patch", 1e3,
                          records, one(results, "cores", cores=cores, peer="original"))
    for model in results["models"]:
        yield from _table(results, f"First stage of the compact network, {model}",
                          "ms per patch", 1e3, select(results, "first_stage", model=model),
                          one(results, "first_stage", model=model, peer="first_numpy"))
    yield from _checks(results)


def quoting(results):
    """What who quotes these numbers has to say with them: machine, settings, ratios, spread."""
    machine, rounds = results["machine"], results["rounds"]
    yield (f"Measured on {results['date']}: {machine['processor']} ({machine['model']}; "
           f"{', '.join(machine['instruction_sets'])}"
           + ("; a virtual machine" if machine["virtual"] else "")
           + f"), {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
           f"Python {machine['python']}, {machine['matrix_products']}.")
    versions = {}
    for found in results["peers"].values():
        versions |= found.get("versions") or {}
    yield ", ".join(f"{name} {version}" for name, version in versions.items()) + "."
    yield (f"{rounds} rounds, all peers in turn; ratios of medians with 95 % bootstrap intervals "
           "over rounds; each peer at the best number of patches per call and setting of those "
           f"tried. Other programs kept {results['others']:.2f} cores busy meanwhile."
           + (" A quick run: its numbers mean little." if results["quick"] else ""))
    yield ("On another processor the ratios are others: they depend on its instruction sets, "
           "caches and number of cores.")
    yield ""
    yield "The compact network:"
    for found in comparisons(results):
        title = results["peers"][found.slow]["title"]
        yield (f"  {found.what}, {found.model}: {_told(found.times)} times as fast as "
               f"{title}, for {_told(found.processor)} times less processor time")
    bare = one(results, "command", peer="decoding")
    for record in select(results, "command", peer="command"):
        yield (f"  `tags` on a file of {results['long']:g} s in a new process, {record['model']}: "
               f"{cost(record):.2f} s, {_told(ratio(record, bare))} times what bare decoding takes")
    yield ""


def _told(interval):
    if interval.low != interval.low:  # too few rounds
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _table(results, title, unit, scale, records, base):
    if not records:
        return
    yield ""
    yield title
    yield (f"  {'':49}{'times as fast' if base else '':>22}{unit:>14}{'quartiles':>18}"
           f"{'processor':>12}{'peak MB':>9}")
    for record in records:
        name = f"{results['peers'][record['peer']]['title']}"
        if "recording" in record:
            name += f", {record['model'][:3]}"
        how = [f"{record['batch']} a call"] if record.get("batch") else []
        how += [record["setting"]] if record.get("setting") else []
        name += f" ({', '.join(how)})" if how else ""
        times = _told(ratio(base, record)) if base else ""
        low, middle, high = scale * quartiles(record)
        yield (f"  {name:57}{times:>18}{middle:>10.2f}{f'{low:.2f} to {high:.2f}':>18}"
               f"{scale * cost(record, 'cpu'):>12.2f}{record['peak'] / 1e6:>9.0f}")


def _checks(results):
    yield ""
    yield "Answers against the original's (largest difference of a score)"
    for check in results["checks"]:
        told = "no number" if check["difference"] is None else f"{check['difference']:.1e}"
        allowed = ("not held to it" if check["tolerance"] is None else
                   f"allowed {check['tolerance']:g}" + " of means" * check["of_means"])
        title = results["peers"][check["peer"]]["title"]
        yield (f"  {title}, {check['what']}, {check['model']}: {told} ({allowed})"
               + ("" if check["right"] else ": WRONG"))
