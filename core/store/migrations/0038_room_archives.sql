-- Archives of rooms (XEP-0313). The archive of a room that was destroyed has no room; its messages are deleted little by little.

-- +goose Up
CREATE TABLE room_archives (
    number BIGINT NOT NULL PRIMARY KEY,
    room   TEXT UNIQUE
);
CREATE TABLE room_messages (
    archive  BIGINT NOT NULL REFERENCES room_archives (number),
    position BIGINT NOT NULL, -- when it came, in microseconds since 1970, or more where another one has that
    id       TEXT   NOT NULL, -- the stanza-id
    message  TEXT   NOT NULL, -- the id that its sender has given
    nick     TEXT   NOT NULL,
    occupant TEXT   NOT NULL, -- empty: the room itself
    lang     TEXT   NOT NULL,
    extra    TEXT   NOT NULL,
    payload  TEXT   NOT NULL,
    PRIMARY KEY (archive, position)
);
CREATE UNIQUE INDEX room_messages_id ON room_messages (archive, id);
INSERT INTO room_archives (number, room) SELECT row_number() OVER (ORDER BY room), room FROM rooms;

-- +goose Down
DROP TABLE room_messages;
DROP TABLE room_archives;
