"""One run of a load generator against one server, as figures; a run that fails its own check has none."""
import json

from runner import process
from runner.process import Failed

# Beyond the seconds asked for: connecting ten thousand, what is still on its way, the check.
_SLACK = 90


def merged(options):
    """Options of which later ones stand for earlier ones of the same name: the generator takes each once."""
    named, name = {}, None
    for word in map(str, options):
        if word.startswith("--"):
            name = word
            named.pop(name, None)
            named[name] = []
        else:
            named[name].append(word)
    return [word for name, values in named.items() for word in (name, *values)]


def figures(answer):
    """What is kept of a run. Times in milliseconds; `cpu` is the server's seconds per million deliveries, user and
    system; `frame` the bytes of a delivery; `memory` the KiB of user space that each connection added; `busy` how much
    of a core the server used."""
    delivery, seconds, check = answer["delivery"], answer["seconds"], answer["check"]
    kept = {"rate": round(answer["delivered_per_second"]), "sends": round(answer["acknowledged_per_second"], 1)}
    if answer["delivered"]:
        kept.update(cpu=answer["server_cpu_seconds_per_million_deliveries"], p50=delivery["p50_ms"],
                    p99=delivery["p99_ms"], p999=delivery["p999_ms"],
                    frame=round(answer["delivered_bytes"] / answer["delivered"]),
                    up=round(answer["sent_bytes"] / answer["delivered"], 1))
    elif answer["acknowledged_per_second"]:
        sent = answer["acknowledged_per_second"] * seconds
        kept.update(send_cpu=answer["server_cpu_seconds_per_million_sends"], send_up=round(answer["sent_bytes"] / sent),
                    send_down=round(answer["delivered_bytes"] / sent), receipt=answer["receipt"]["p50_ms"])
    if answer["server_bytes_per_connection"] is not None:
        kept["memory"] = round(answer["server_bytes_per_connection"] / 1024, 3)
    if seconds and answer["server_cpu_seconds"]:
        kept["busy"] = round(answer["server_cpu_seconds"] / seconds, 3)
        kept["generator"] = round(answer["generator_cpu_seconds"] / seconds, 3)
    kept["connect"] = answer["connect"]
    if answer["storm"]["asked"]:
        kept["storm"] = {name: answer["storm"][name] for name in ("asked", "served", "refused", "failed")}
    for name in ("resyncs", "slow_closed"):
        if check.get(name):
            kept[name] = check[name]
    return kept


def _run(command, on, seconds, folder):
    """Runs the generator; its JSON. Raises Failed with what it said last."""
    results = folder / "load.json"
    status, output = process.run([*command, "--json", results], on, seconds + _SLACK)
    if status != 0:
        said = [" ".join(line.split()) for line in output.strip().splitlines()]
        wrong = [line for line in said if "FAILED" in line or "only" in line] or said[-3:]
        raise Failed(f"exit status {status}: {' / '.join(wrong)[-400:]}")
    answer = json.loads(results.read_text())
    if not answer["check"]["good"]:
        raise Failed(f"the check failed: {answer['check']}")
    return answer


def parley(binary, server, folder, on, options, seconds, urls=None):
    """`urls`: where connections go, in turns; else all to `server`."""
    each = urls or [f"ws://{server.address}"]
    command = [binary, "bench", *(word for url in each for word in ("--url", url)), "--data-dir", server.data, "--pid", server.pid,
               *merged(options)]
    with server.process.watched():
        return _run(command, on, seconds, folder)


def peer(binary, server, folder, on, options, seconds, dialect):
    command = [binary, *dialect, "--url", server.url, "--pid", server.pid, *merged(options)]
    with server.process.watched():
        return _run(command, on, seconds, folder)
