-- Rooms (XEP-0045) with what is known of people in them. kept is false for a room that ends when everybody has left.

-- +goose Up
CREATE TABLE rooms (
    room    TEXT    NOT NULL PRIMARY KEY,
    domain  TEXT    NOT NULL,
    creator TEXT    NOT NULL, -- empty: the account was deleted
    created BIGINT  NOT NULL,
    name    TEXT    NOT NULL,
    listed  BOOLEAN NOT NULL,
    kept    BOOLEAN NOT NULL,
    info    TEXT    NOT NULL,
    config  TEXT    NOT NULL,
    subject TEXT    NOT NULL
);
CREATE INDEX rooms_domain ON rooms (domain, room);
CREATE INDEX rooms_creator ON rooms (creator);

CREATE TABLE room_affiliations (
    room        TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    jid         TEXT NOT NULL, -- a bare address or a domain
    affiliation TEXT NOT NULL,
    nick        TEXT NOT NULL, -- reserved for the address
    reason      TEXT NOT NULL,
    PRIMARY KEY (room, jid)
);
CREATE INDEX room_affiliations_jid ON room_affiliations (jid);

-- +goose Down
DROP TABLE room_affiliations;
DROP TABLE rooms;
