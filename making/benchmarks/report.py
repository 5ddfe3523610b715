"""The results as plain text, ratios first."""

from making.benchmarks.ratios import goals, one, ratio, select, summary


def as_text(results):
    """Lines of the report."""
    yield from _heading(results)
    yield ""
    for goal in goals(results):
        yield goal["sentence"]
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


def _heading(results):
    machine = results["machine"]
    yield (f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
           f"{machine['system']}, Python {machine['python']}, {results['date']}.")
    yield (f"Other programs kept {results['others']:.2f} cores busy meanwhile."
           + (" A quick run: its numbers mean little." if results["quick"] else ""))
    versions = {}
    for found in results["peers"].values():
        versions |= found.get("versions") or {}
    yield ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def _table(results, title, unit, scale, records, base):
    if not records:
        return
    ratios = "times as fast" if base else ""
    yield ""
    yield title
    yield (f"  {'':39}{ratios:>14}{unit:>14}{'quartiles':>18}{'processor':>12}{'peak MB':>9}")
    for record in sorted(records, key=lambda record: summary(record)["median"]):
        found = summary(record)
        name = f"{results['peers'][record['peer']]['title']}"
        if "recording" in record:
            name += f", {record['model'][:3]}"
        if record.get("batch") and record["measurement"] != "first_stage":
            name += f" ({record['batch']} a call)"
        times = f"{ratio(base, record):.2f}" if base else ""
        low, high = (f"{scale * value:.2f}" for value in found["quartiles"])
        yield (f"  {name:39}{times:>14}{scale * found['median']:>14.2f}"
               f"{low + ' to ' + high:>18}{scale * found['cpu']:>12.2f}"
               f"{record['peak'] / 1e6:>9.0f}")


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
