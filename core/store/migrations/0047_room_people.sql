-- What rooms (XEP-0045) remember of people: registrations that wait for an admin, the roles that moderators have decided about, and how often
-- the name of an account was given to somebody else.

-- +goose Up
CREATE TABLE room_requests (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    jid  TEXT NOT NULL, -- bare
    nick TEXT NOT NULL, -- that is asked for
    PRIMARY KEY (room, jid)
);
CREATE INDEX room_requests_jid ON room_requests (jid);

CREATE TABLE room_roles (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    occupant TEXT NOT NULL, -- occupant id (XEP-0421)
    jid      TEXT NOT NULL, -- bare
    role     TEXT NOT NULL,
    PRIMARY KEY (room, occupant)
);
CREATE INDEX room_roles_jid ON room_roles (jid);

CREATE TABLE room_generations (
    name       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the address, in hex
    generation BIGINT NOT NULL              -- accounts of this name that were deleted
);

-- +goose Down
DROP TABLE room_generations;
DROP TABLE room_roles;
DROP TABLE room_requests;
