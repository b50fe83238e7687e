#!/usr/bin/env python3
"""Protocol section 6 over a real PostgreSQL: what stops a start, what two servers share, what the tools read."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, expect, run, run_parley, short
from harness.rooms import history, post
from harness.shared_store import PASSWORD, SharedStore

store = SharedStore("postgres")
settings, refused = store.settings, store.refused


def database():
    return store.database()


def toml(url, log="store", schema="parley"):
    return f'[store]\nkind = "postgres"\n[log]\nkind = "{log}"\n[postgres]\nurl = "{url}"\nschema = "{schema}"\n'


@check("a wrong address, password, database or URL stops the start with the key, file and line")
def _():
    url = database().url
    refused(toml("postgres://parley:pa55word@127.0.0.1:1/parley"), "postgres.url (", "parley.toml:6)", "Connection refused")
    refused(toml(url.replace(":parley@", f":{PASSWORD}@")), "parley.toml:6)", 'password authentication failed for user "parley"')
    refused(toml(url + "_not"), "parley.toml:6)", 'database "parley_not" does not exist')
    refused(toml("postgres://me:pa55/word@127.0.0.1/parley"), "parley.toml:6)", "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE")
    refused(toml(url), "postgres.url (environment PARLEY_POSTGRES_URL)", "Connection refused",
            env={"PARLEY_POSTGRES_URL": f"postgres://u:{PASSWORD}@127.0.0.1:1/x"})
    refused(toml(url), "postgres.url (--set)", "Connection refused", extra=("--set", f"postgres.url=postgres://u:{PASSWORD}@127.0.0.1:1/x"))


@check("a server that takes the connection and says nothing stops the start within seconds")
def _():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        refused(toml(f"postgres://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/x"), "parley.toml:6)", "does not answer")


@check("a combination that cannot keep the promises is refused with the reason")
def _():
    refused('log.kind = "store"', "parley.toml:1: log.kind=store needs a database that several servers can share: store.kind=postgres or mongodb")
    refused('store.kind = "postgres"', "parley.toml:1: store.kind=postgres needs postgres.url")
    with Server({"store.kind": "postgres", "postgres.url": database().url, "postgres.schema": "alone"}) as server:
        equal(post(server, "r-1", "one").status, 201)
        server.restart()
        equal(len(history(server, "r-1")), 1, "messages after a restart")
        refused(toml(database().url, "embedded", "alone"), "log.kind (", "parley.toml:4)", "belongs to the embedded log")
        refused(toml(database().url, "store", "alone"), "belongs to the embedded log", "this server has log.kind=store")


@check("tables of a later version stop the start")
def _():
    with Server(settings("later")):
        pass
    database().sql("INSERT INTO later.versions (version) VALUES (99)")
    refused(toml(database().url, schema="later"), "parley.toml:6)", "schema later are of version 99; this Parley knows versions up to")


@check("config show and the log hold no password")
def _():
    url = database().url.replace(":parley@", f":{PASSWORD}@")
    shown = run_parley("config", "show", "--set", f"postgres.url={url}")
    expect('postgres.url = "********"' in shown.stdout and PASSWORD not in shown.stdout, short(shown.stdout))
    with Server(settings("quiet")) as server:
        expect("127.0.0.1" in server.log() and "parley:parley" not in server.log(), "the log")


store.checks()


if __name__ == "__main__":
    run()
