-- Files of messages, which have addresses here: their contents stay with the network.

-- +goose Up
CREATE TABLE bridge_media (
    id   TEXT   NOT NULL PRIMARY KEY, -- the unguessable part of the address
    room BIGINT NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    net  TEXT   NOT NULL, -- the message
    ref  TEXT   NOT NULL, -- by which the network finds the file
    name TEXT   NOT NULL,
    type TEXT   NOT NULL,
    size BIGINT NOT NULL,
    at   BIGINT NOT NULL
);
CREATE INDEX bridge_media_message ON bridge_media (room, net);
CREATE INDEX bridge_media_at ON bridge_media (at);

-- +goose Down
DROP TABLE bridge_media;
