#pragma once
#include <array>

/// The tables, as the steps that made them: step N brings version N-1 to version N. What has been released is never
/// changed; a new version is a step more. docs/postgres.md explains the tables.
///
/// Ids are ordered by their bytes. Times are milliseconds since 1970. `v` is the format of the row.
namespace parley::postgres {

/// Of every row this version writes; it reads these and those of the version before.
inline constexpr unsigned kRowFormat = 1;

inline constexpr std::array kSteps{// 1: the directory, and the log.
                                   R"(
CREATE TABLE meta (
    v smallint NOT NULL DEFAULT 1,
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL,
    log text NOT NULL DEFAULT '');
INSERT INTO meta (epoch) VALUES ((extract(epoch FROM clock_timestamp()) * 1000)::bigint);

CREATE TABLE accounts (
    v smallint NOT NULL DEFAULT 1,
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    folded_name text COLLATE "C" NOT NULL UNIQUE,
    nickname text NOT NULL,
    password_hash text NOT NULL,
    created_at bigint NOT NULL);

CREATE TABLE revoked_members (
    v smallint NOT NULL DEFAULT 1,
    member text COLLATE "C" PRIMARY KEY,
    before bigint NOT NULL);

CREATE TABLE revoked_tokens (
    v smallint NOT NULL DEFAULT 1,
    sha256 text COLLATE "C" PRIMARY KEY,
    expires bigint NOT NULL);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires);

CREATE TABLE rooms (
    v smallint NOT NULL DEFAULT 1,
    kind smallint NOT NULL,
    visibility smallint NOT NULL,
    visibility_at bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    owner text COLLATE "C" NOT NULL);
CREATE INDEX rooms_listed ON rooms (id) WHERE kind = 1 AND visibility = 1;

CREATE TABLE memberships (
    v smallint NOT NULL DEFAULT 1,
    standing smallint NOT NULL,
    gone boolean NOT NULL,
    since bigint NOT NULL,
    room text COLLATE "C" NOT NULL,
    member text COLLATE "C" NOT NULL,
    nickname text NOT NULL,
    PRIMARY KEY (room, member));
CREATE INDEX memberships_of_member ON memberships (member, room) WHERE NOT gone AND standing <> 4;

CREATE TABLE changes_in_flight (
    v smallint NOT NULL DEFAULT 1,
    above bigint NOT NULL,
    room text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    nickname text NOT NULL,
    PRIMARY KEY (room, id));

CREATE TABLE read_marks (
    v smallint NOT NULL DEFAULT 1,
    seq bigint NOT NULL,
    room text COLLATE "C" NOT NULL,
    member text COLLATE "C" NOT NULL,
    PRIMARY KEY (room, member));

CREATE TABLE heads (
    v smallint NOT NULL DEFAULT 1,
    no bigint GENERATED ALWAYS AS IDENTITY,
    first bigint NOT NULL DEFAULT 1,
    head bigint NOT NULL DEFAULT 0,
    last_created bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    room text COLLATE "C" PRIMARY KEY) WITH (fillfactor = 50);

CREATE TABLE messages (
    v smallint NOT NULL,
    type smallint NOT NULL,
    size integer NOT NULL,
    room bigint NOT NULL,
    seq bigint NOT NULL,
    created_at bigint NOT NULL,
    sender text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    nickname text NOT NULL,
    content text NOT NULL,
    extra text NOT NULL,
    PRIMARY KEY (room, seq),
    UNIQUE (id, sender, room));
)",
                                   // 2: messages that are read from a topic. `part` and `pos` are where a record lies;
                                   // -1: in no topic. There an id may come again once the dedup window is past.
                                   R"(
ALTER TABLE heads ADD COLUMN part integer NOT NULL DEFAULT -1;
CREATE INDEX heads_of_partition ON heads (part) WHERE part >= 0;
ALTER TABLE messages ADD COLUMN part integer NOT NULL DEFAULT -1, ADD COLUMN pos bigint NOT NULL DEFAULT -1;
ALTER TABLE messages DROP CONSTRAINT messages_id_sender_room_key, ADD UNIQUE (id, sender, room, pos);
CREATE INDEX messages_by_position ON messages (part, pos) WHERE part >= 0;

CREATE TABLE topic (
    v smallint NOT NULL DEFAULT 1,
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    partitions integer NOT NULL,
    dedup_window bigint NOT NULL,
    cluster text NOT NULL,
    topic text NOT NULL);

CREATE TABLE positions (
    v smallint NOT NULL DEFAULT 1,
    part integer PRIMARY KEY,
    next bigint NOT NULL);
)",
                                   // 3: what readers of the log remember.
                                   R"(
CREATE TABLE ledger (
    v smallint NOT NULL DEFAULT 1,
    revision bigint NOT NULL,
    key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL);
)"};

}  // namespace parley::postgres
