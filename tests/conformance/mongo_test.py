#!/usr/bin/env python3
"""Protocol section 6 over a server that speaks MongoDB's protocol: what stops a start, what two servers share, what the tools read."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, expect, run, run_parley, short
from harness.rooms import history, post
from harness.shared_store import PASSWORD, SharedStore

store = SharedStore("mongo")


def toml(url, log="store", database="parley"):
    return f'[store]\nkind = "mongodb"\n[log]\nkind = "{log}"\n[mongodb]\nurl = "{url}"\ndatabase = "{database}"\n'


@check("a wrong address, password or URL stops the start with the key, file and line")
def _():
    url = store.database().url
    store.refused(toml(f"mongodb://parley:{PASSWORD}@127.0.0.1:1/"), "mongodb.url (", "parley.toml:6)", "connection refused")
    store.refused(toml(url.replace("://", f"://parley:{PASSWORD}@")), "parley.toml:6)", "MongoDB: ")  # it has no log-in
    store.refused(toml("mongodb://me:pa55/word@127.0.0.1/"), "parley.toml:6)", "expected mongodb://USER:PASSWORD@HOST:PORT/")
    store.refused(toml(url + "/?w=1"), "parley.toml:6)", "w in the URL asks for less than a journaled majority")
    store.refused(toml(url), "mongodb.url (environment PARLEY_MONGODB_URL)", "connection refused",
                  env={"PARLEY_MONGODB_URL": f"mongodb://u:{PASSWORD}@127.0.0.1:1/"})


@check("a server that takes the connection and says nothing stops the start within seconds")
def _():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store.refused(toml(f"mongodb://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/"), "parley.toml:6)", "MongoDB: ")


@check("a combination that cannot keep the promises is refused with the reason")
def _():
    url = store.database().url
    store.refused('store.kind = "mongodb"', "parley.toml:1: store.kind=mongodb needs mongodb.url")
    with Server({"store.kind": "mongodb", "mongodb.url": url, "mongodb.database": "alone"}) as server:
        equal(post(server, "r-1", "one").status, 201)
        server.restart()
        equal(len(history(server, "r-1")), 1, "messages after a restart")
        store.refused(toml(url, "embedded", "alone"), "log.kind (", "parley.toml:4)", "belongs to the embedded log")
        store.refused(toml(url, "store", "alone"), "belongs to the embedded log", "this server has log.kind=store")


@check("config show and the log hold no password")
def _():
    shown = run_parley("config", "show", "--set", f"mongodb.url=mongodb://me:{PASSWORD}@db/")
    expect('mongodb.url = "********"' in shown.stdout and PASSWORD not in shown.stdout, short(shown.stdout))
    with Server(store.settings("quiet")) as server:
        expect("members and rooms are in MongoDB" in server.log(), "the log")


store.checks()


if __name__ == "__main__":
    run()
