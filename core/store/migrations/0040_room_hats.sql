-- Hats of rooms (XEP-0317), and who wears them: the URIs of an address as JSON.

-- +goose Up
ALTER TABLE rooms ADD COLUMN hats TEXT NOT NULL DEFAULT '[]';
CREATE TABLE room_hats (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    jid  TEXT NOT NULL, -- bare
    hats TEXT NOT NULL,
    PRIMARY KEY (room, jid)
);
CREATE INDEX room_hats_jid ON room_hats (jid);

-- +goose Down
DROP TABLE room_hats;
ALTER TABLE rooms DROP COLUMN hats;
