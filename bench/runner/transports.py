"""The same rooms over each transport: loads, the table beside the usual figures, the plot."""
import dataclasses
import json
import statistics

from runner import report, svg
from runner.mixes import Mix

CONTENT = 64
_SIZE = ("--payload", CONTENT)
SAME = Mix("same", "1000 clients in 20 rooms, 100 messages/s in all: each client gets 5 a second",
           ("--connections", 1000, "--rooms", 20, "--senders", 20, "--rate", 100, *_SIZE), 1000)
MOST = Mix("most", "500 clients in one room, 16 senders with 4 messages under way each",
           ("--connections", 500, "--rooms", 1, "--senders", 16, "--in-flight", 4, *_SIZE), 500)
CONNECT = Mix("connect", "2000 clients come and listen", ("--connections", 2000, "--rooms", 20, "--idle", *_SIZE), 2000, 3)
SENDS = Mix("sends", "100 senders, each waits for its answer, and nobody listens",
            ("--connections", 100, "--rooms", 20, "--no-subscribe", *_SIZE), 100)
LOADS = (SAME, MOST, CONNECT, SENDS)


@dataclasses.dataclass(frozen=True)
class Transport:
    key: str
    name: str
    options: tuple
    usual: str = ""        # whose usual figures it is measured by
    browsers: str = "all"
    coming: tuple = ()     # options besides, where only the connect counts


TRANSPORTS = (
    Transport("polling", "polling each second", ("--transport", "polling", "--poll-every", 1000), "polling",
              coming=("--poll-every", 3_600_000)),
    Transport("longpoll", "long polling", ("--transport", "longpoll"), "long polling"),
    Transport("sse", "SSE", ("--transport", "sse"), "SSE", "all but IE"),
    Transport("websocket", "WebSocket (STOMP)", ("--transport", "stomp"), "WebSocket"),
    Transport("sockjs", "SockJS websocket", ("--transport", "sockjs"), "WebSocket"),
    Transport("xhr-streaming", "SockJS xhr-streaming", ("--transport", "xhr-streaming"), "SSE"),
    Transport("xhr-polling", "SockJS xhr-polling", ("--transport", "xhr-polling"), "long polling", "all, IE 7 too"),
)


@dataclasses.dataclass(frozen=True)
class Usual:
    rate: int              # messages a second
    best: float            # ms
    worst: float


USUAL = {"polling": Usual(100, 500, 5000), "long polling": Usual(1000, 100, 500), "SSE": Usual(1000, 100, 500),
         "WebSocket": Usual(10_000, 10, 50)}
AHEAD = 10                 # times, of those in HELD
HELD = ("longpoll", "sse", "websocket")
BEGIN, END = "<!-- figures: written by make bench BENCH=transports -->", "<!-- end of figures -->"


def message_json():
    """Bytes of a message as section 1 of docs/protocol.md has it, in these loads."""
    return len(json.dumps({"messageId": "0" * 36, "roomId": "bench-00000000-00000", "seq": 100, "senderId": "bench-000000",
                           "senderNickname": "bench-000000", "content": "x" * CONTENT, "type": "TALK",
                           "createdAt": "2026-11-20T12:34:56.789Z"}, separators=(",", ":")))


def middle(results, transport, load, field):
    """The median of all rounds; None: nothing was measured."""
    values = [run[field] for run in results["runs"].get(transport.key, {}).get(load.name, []) if run.get(field) is not None]
    return statistics.median(values) if values else None


def connect(results, transport, field):
    values = [run["connect"][field] for run in results["runs"].get(transport.key, {}).get(CONNECT.name, [])]
    return statistics.median(values) if values else None


def a_core(results, transport):
    """Deliveries a second that a core's worth of the server's CPU does."""
    cpu = middle(results, transport, MOST, "cpu")
    return 1e6 / cpu if cpu else None


def overhead(results, transport):
    """Bytes of a delivery that are not the message: heads, frames, and the requests that ask for it."""
    down, up = (middle(results, transport, SAME, field) for field in ("frame", "up"))
    return None if down is None else down + up - message_json()


@dataclasses.dataclass(frozen=True)
class Verdict:
    name: str
    rate: float            # times the usual one
    latency: tuple         # times better than the best and the worst usual one, at the median

    @property
    def holds(self):
        """Throughput by that much, and the median latency below a tenth of the middle of what is usual."""
        return self.rate >= AHEAD and (self.latency[0] * self.latency[1]) ** 0.5 >= AHEAD


def judge(results):
    verdicts = []
    for transport in TRANSPORTS:
        usual, p50, rate = USUAL[transport.usual], middle(results, transport, SAME, "p50"), a_core(results, transport)
        if transport.key in HELD:
            verdicts.append(Verdict(transport.name, 0, (0, 0)) if None in (p50, rate) else
                            Verdict(transport.name, rate / usual.rate, (usual.best / p50, usual.worst / p50)))
    return verdicts


def _whole(value):
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def _short(value):
    return "–" if value is None else svg.figure(value)


def _times(value):
    return f"{_whole(value)} ×" if value >= 100 else f"{value:.1f} ×"


def tables(results):
    speed = ["| | median latency, 99 % below | usual | server CPU a delivery | deliveries/s, one core | usual/s | bytes around a message |",
             "| --- |" + " --- |" * 6]
    costs = ["| | a connect: round trips; bytes up, down; server CPU | a send: server CPU; bytes up, down | memory a client | browsers |",
             "| --- |" + " --- |" * 4]
    for transport in TRANSPORTS:
        usual, name = USUAL[transport.usual], f"| **{transport.name}** | "
        speed.append(name + " | ".join([
            f"{_short(middle(results, transport, SAME, 'p50'))} ms, {_short(middle(results, transport, SAME, 'p99'))} ms",
            f"{usual.best:g}–{usual.worst:g} ms", f"{_short(middle(results, transport, SAME, 'cpu'))} µs",
            _whole(a_core(results, transport)), _whole(usual.rate), _whole(overhead(results, transport))]) + " |")
        trips, up, down, cpu = (connect(results, transport, field) for field in
                                ("round_trips", "sent_bytes", "received_bytes", "server_cpu_microseconds"))
        send, send_up, send_down = (middle(results, transport, SENDS, field) for field in ("send_cpu", "send_up", "send_down"))
        costs.append(name + " | ".join([
            f"{_whole(trips)}; {_whole(up)}, {_whole(down)}; {_whole(cpu)} µs", f"{_whole(send)} µs; {_whole(send_up)}, {_whole(send_down)}",
            f"{_short(middle(results, transport, CONNECT, 'memory'))} KiB", transport.browsers]) + " |")
    return [*speed, "", *costs]


def targets(results):
    lines = [f"| ahead of the usual figures, {AHEAD} × wanted | deliveries/s a core | median latency, of the best to the worst | |",
             "| --- | --- | --- | --- |"]
    for verdict in judge(results):
        lines.append(f"| {verdict.name} | {_times(verdict.rate)} | {_times(verdict.latency[0])} to {_times(verdict.latency[1])} | "
                     f"{'holds' if verdict.holds else '**missed**'} |")
    return lines


def section(results):
    """What both pages show."""
    busiest = max((run.get("generator", 0) for loads in results["runs"].values() for run in loads.get(SAME.name, [])), default=0)
    lines = [*tables(results), "",
             f"Latency, CPU and bytes around a message: {SAME.says}. A core's deliveries: {MOST.says}. "
             f"A connect: {CONNECT.says}. A send: {SENDS.says}. CPU is the server's, user and system, everything included; bytes "
             f"are TCP's payload, without the message's own {message_json()}.", "", *targets(results), "",
             f"{results['date']}, {results['machine']['cores']} × {results['machine']['cpu']}, {results['machine']['kernel']}; "
             f"median of {results['rounds']} round{'s' if results['rounds'] > 1 else ''} of {results['seconds']} s, server and "
             f"generator a core each; other programs used {100 * results['others']:.0f} % of a core, the generator "
             f"{100 * busiest:.0f} % at most under the same load. Every run found nothing lost, doubled or reordered."]
    failed = [f"- {key}, {load}: {why}" for key, load, why in results["failed"]]
    return lines + (["", "Without figures:", "", *failed] if failed else [])


def markdown(results):
    return "\n".join(["# Transports", "", "The same rooms over each of them: [which one when](../../docs/transports.md).", "",
                      "![Latency, throughput and costs of each transport](transports.svg)", "", *section(results), ""])


def place_in_page(results):
    """The markers there, and what stands between them."""
    return BEGIN, END, "\n".join(["", *section(results), ""])


def _panel(results, title, unit, figure, usual=()):
    rows = [svg.Row(transport.name, figure(transport), kind="ours", note="failed") for transport in TRANSPORTS]
    rows += [svg.Row(f"usual {name}", value, low, high, "peer") for name, value, low, high in usual]
    return svg.Panel(title, unit, tuple(rows)) if any(row.value for row in rows[:len(TRANSPORTS)]) else None


def picture(results):
    def of(load, field):
        return lambda transport: middle(results, transport, load, field)
    named = [("long polling, SSE" if name == "SSE" else name, usual) for name, usual in USUAL.items() if name != "long polling"]
    panels = [
        _panel(results, "Median latency, send to delivery", "ms", of(SAME, "p50"),
               [(name, (usual.best * usual.worst) ** 0.5, usual.best, usual.worst) for name, usual in named]),
        _panel(results, "Deliveries a second, one core", "/s", lambda transport: a_core(results, transport),
               [(name, usual.rate, None, None) for name, usual in named]),
        _panel(results, "Server CPU a delivery", "µs", of(SAME, "cpu")),
        _panel(results, "Bytes around a message", "bytes", lambda transport: overhead(results, transport)),
        _panel(results, "Server CPU a connect", "µs", lambda transport: connect(results, transport, "server_cpu_microseconds")),
        _panel(results, "Server CPU a send", "µs", of(SENDS, "send_cpu")),
    ]
    panels = [panel for panel in panels if panel is not None]
    if not panels:
        return None
    on = results["machine"]
    return svg.plot("The same rooms over each transport", f"{on['cores']} × {on['cpu']}, {on['kernel']}; logarithmic axes; {SAME.says}",
                    panels, label=168)


def new_results(seconds, rounds):
    return {"machine": report.machine(), "date": report.today(), "seconds": seconds, "rounds": rounds, "runs": {}, "failed": [],
            "others": 0}
