-- Versions of the affiliations of a room (XEP-0463): whose affiliation has changed, and what it was before.

-- +goose Up
CREATE TABLE room_affiliation_versions (
    room        TEXT   NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    version     TEXT   NOT NULL,
    jid         TEXT   NOT NULL, -- empty: the first version
    affiliation TEXT   NOT NULL,
    PRIMARY KEY (room, position)
);
INSERT INTO room_affiliation_versions (room, position, version, jid, affiliation) SELECT room, 1, 'first-' || created, '', '' FROM rooms;

-- +goose Down
DROP TABLE room_affiliation_versions;
