-- What gateways keep. Times are microseconds since 1970. Everything of a room hangs on
-- bridge_rooms(id), everything else on bridge_gateways(id). Databases of earlier releases have
-- these tables already, with their rows: migration 00002 of core/store made them.

-- +goose Up
CREATE TABLE IF NOT EXISTS bridge_gateways (
    id     INTEGER NOT NULL PRIMARY KEY,
    domain TEXT    NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS bridge_accounts (
    id      TEXT   NOT NULL PRIMARY KEY,
    gateway BIGINT NOT NULL REFERENCES bridge_gateways (id) ON DELETE CASCADE,
    owner   TEXT   NOT NULL, -- bare JID of the local user
    person  TEXT   NOT NULL, -- who the account is on the network
    name    TEXT   NOT NULL,
    key_id  TEXT   NOT NULL, -- which key has sealed the secret
    secret  BLOB   NOT NULL,
    state   BLOB,            -- the session's own, to resume by
    status  TEXT   NOT NULL,
    cause   TEXT   NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE (gateway, owner, person)
);

CREATE TABLE IF NOT EXISTS bridge_rooms (
    id      INTEGER NOT NULL PRIMARY KEY,
    gateway BIGINT  NOT NULL REFERENCES bridge_gateways (id) ON DELETE CASCADE,
    scope   TEXT    NOT NULL, -- the account whose view it is; '': shared
    key     TEXT    NOT NULL, -- the network's id, or '@' and the person of a conversation
    room    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    peer    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    topic   TEXT    NOT NULL,
    space   TEXT    NOT NULL,
    section TEXT    NOT NULL,
    members BIGINT  NOT NULL,
    seen    TEXT    NOT NULL, -- the last message that came from the network
    seen_at BIGINT  NOT NULL,
    filled  BOOLEAN NOT NULL, -- its history was read once
    UNIQUE (gateway, scope, key)
);
CREATE INDEX IF NOT EXISTS bridge_rooms_room ON bridge_rooms (gateway, scope, room);

CREATE TABLE IF NOT EXISTS bridge_visible ( -- who sees which room
    login    TEXT    NOT NULL REFERENCES bridge_accounts (id) ON DELETE CASCADE,
    room     BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    joined   BOOLEAN NOT NULL,
    writable BOOLEAN NOT NULL,
    PRIMARY KEY (login, room)
);
CREATE INDEX IF NOT EXISTS bridge_visible_room ON bridge_visible (room);

CREATE TABLE IF NOT EXISTS bridge_people (
    gateway BIGINT NOT NULL REFERENCES bridge_gateways (id) ON DELETE CASCADE,
    id      TEXT   NOT NULL,
    info    BLOB   NOT NULL, -- JSON
    PRIMARY KEY (gateway, id)
);

CREATE TABLE IF NOT EXISTS bridge_members ( -- who of the network is in a room, as far as is known
    room   BIGINT NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    person TEXT   NOT NULL,
    PRIMARY KEY (room, person)
);
CREATE INDEX IF NOT EXISTS bridge_members_person ON bridge_members (person);

CREATE TABLE IF NOT EXISTS bridge_contacts (
    login   TEXT NOT NULL REFERENCES bridge_accounts (id) ON DELETE CASCADE,
    person  TEXT NOT NULL,
    pushed  TEXT NOT NULL, -- what the owner's roster was last told
    PRIMARY KEY (login, person)
);
CREATE INDEX IF NOT EXISTS bridge_contacts_person ON bridge_contacts (person);

CREATE TABLE IF NOT EXISTS bridge_inbox (
    seq     INTEGER NOT NULL PRIMARY KEY,
    room    BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    account TEXT    NOT NULL, -- whose session brought it
    key     TEXT    NOT NULL, -- the network's idempotency key
    kind    TEXT    NOT NULL,
    lane    INTEGER NOT NULL, -- 1: held behind a catch-up
    place   BIGINT  NOT NULL, -- in the lane
    data    BLOB    NOT NULL,
    at      BIGINT  NOT NULL,
    state   INTEGER NOT NULL, -- 0 new, 1 ready, 2 failed, 3 done
    out     BLOB,             -- of a ready row: what is to be handed over
    error   TEXT,
    UNIQUE (room, key)
);
CREATE INDEX IF NOT EXISTS bridge_inbox_new ON bridge_inbox (room, lane, place) WHERE state = 0;
CREATE INDEX IF NOT EXISTS bridge_inbox_ready ON bridge_inbox (seq) WHERE state = 1;
CREATE INDEX IF NOT EXISTS bridge_inbox_failed ON bridge_inbox (seq) WHERE state = 2;

CREATE TABLE IF NOT EXISTS bridge_outbox (
    seq      INTEGER NOT NULL PRIMARY KEY,
    room     BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    account  TEXT    NOT NULL, -- whose session makes the call
    sender   TEXT    NOT NULL, -- bare JID
    resource TEXT    NOT NULL,
    origin   TEXT    NOT NULL, -- by which the same stanza is known when it comes again
    message  TEXT    NOT NULL, -- the stanza's id
    stanza   TEXT    NOT NULL, -- its id in the archive
    kind     TEXT    NOT NULL,
    data     BLOB    NOT NULL,
    state    INTEGER NOT NULL, -- 0 queued, 1 sending, 2 done, 3 failed
    part     INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    since    BIGINT  NOT NULL, -- of the first attempt; 0: none
    created  BIGINT  NOT NULL,
    told     BOOLEAN NOT NULL  -- the sender knows that it waits
);
CREATE INDEX IF NOT EXISTS bridge_outbox_known ON bridge_outbox (room, sender, origin);
CREATE INDEX IF NOT EXISTS bridge_outbox_waiting ON bridge_outbox (room, seq) WHERE state < 2;

CREATE TABLE IF NOT EXISTS bridge_ids ( -- messages of the network and the stanzas that they are
    room   BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    net    TEXT    NOT NULL,
    stanza TEXT    NOT NULL,
    origin TEXT    NOT NULL,
    first  TEXT    NOT NULL, -- the stanza that this one corrects
    part   INTEGER NOT NULL,
    author TEXT    NOT NULL,
    sender TEXT    NOT NULL, -- bare JID where it came from XMPP
    at     BIGINT  NOT NULL,
    body   TEXT    NOT NULL, -- how it begins
    gone   BOOLEAN NOT NULL,
    PRIMARY KEY (room, net, stanza)
);
CREATE INDEX IF NOT EXISTS bridge_ids_stanza ON bridge_ids (room, stanza);
CREATE INDEX IF NOT EXISTS bridge_ids_origin ON bridge_ids (room, origin) WHERE origin <> stanza;

CREATE TABLE IF NOT EXISTS bridge_echoes ( -- changes of ours that the network will tell us of
    room  BIGINT NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    net   TEXT   NOT NULL,
    kind  TEXT   NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (room, net, kind)
);

CREATE TABLE IF NOT EXISTS bridge_reactions (
    room   BIGINT NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    net    TEXT   NOT NULL,
    person TEXT   NOT NULL,
    emoji  TEXT   NOT NULL,
    PRIMARY KEY (room, net, person, emoji)
);

CREATE TABLE IF NOT EXISTS bridge_archive ( -- XEP-0313 of the gateways' rooms
    seq     INTEGER NOT NULL PRIMARY KEY, -- the order of the archive
    room    BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    id      TEXT    NOT NULL,
    message TEXT    NOT NULL, -- the stanza's own id
    at      BIGINT  NOT NULL,
    nick    TEXT    NOT NULL,
    who     TEXT    NOT NULL, -- occupant id
    lang    TEXT    NOT NULL,
    extra   TEXT    NOT NULL,
    payload TEXT    NOT NULL,
    UNIQUE (room, id)
);
CREATE INDEX IF NOT EXISTS bridge_archive_order ON bridge_archive (room, seq);

-- +goose Down
DROP TABLE IF EXISTS bridge_archive;
DROP TABLE IF EXISTS bridge_reactions;
DROP TABLE IF EXISTS bridge_echoes;
DROP TABLE IF EXISTS bridge_ids;
DROP TABLE IF EXISTS bridge_outbox;
DROP TABLE IF EXISTS bridge_inbox;
DROP TABLE IF EXISTS bridge_contacts;
DROP TABLE IF EXISTS bridge_members;
DROP TABLE IF EXISTS bridge_people;
DROP TABLE IF EXISTS bridge_visible;
DROP TABLE IF EXISTS bridge_rooms;
DROP TABLE IF EXISTS bridge_accounts;
DROP TABLE IF EXISTS bridge_gateways;
