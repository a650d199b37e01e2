-- Rooms of other services that are linked to channels of the network: everything that is said in one of the two is said in the other.

-- +goose Up
CREATE TABLE bridge_links (
    id      INTEGER NOT NULL PRIMARY KEY,
    room    BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    login   TEXT    NOT NULL REFERENCES bridge_accounts (id) ON DELETE CASCADE, -- that writes to the channel
    address TEXT    NOT NULL, -- of the linked room
    people  BIGINT  NOT NULL, -- how many people of the channel are in it at most
    sent    BIGINT  NOT NULL, -- seq in bridge_archive: all entries up to it are in the linked room
    seen    TEXT    NOT NULL, -- id (XEP-0359) of the last message of the linked room that the channel has
    seen_at BIGINT  NOT NULL,
    cause   TEXT    NOT NULL, -- why the link does not work until its owner does something; '': it works
    UNIQUE (room, address)
);
CREATE INDEX bridge_links_login ON bridge_links (login);

CREATE TABLE bridge_link_messages ( -- one message in both rooms
    link     BIGINT  NOT NULL REFERENCES bridge_links (id) ON DELETE CASCADE,
    entry    TEXT    NOT NULL, -- id in bridge_archive
    message  TEXT    NOT NULL, -- its own id in the room of the channel
    there    TEXT    NOT NULL, -- its own id in the linked room
    there_id TEXT    NOT NULL, -- the id that the linked room has given it
    author   TEXT    NOT NULL, -- who wrote it in the linked room; '': it is from the channel
    nick     TEXT    NOT NULL, -- its author's nickname in the linked room
    at       BIGINT  NOT NULL,
    PRIMARY KEY (link, entry)
);
CREATE INDEX bridge_link_messages_message ON bridge_link_messages (link, message);
CREATE INDEX bridge_link_messages_there ON bridge_link_messages (link, there);
CREATE INDEX bridge_link_messages_there_id ON bridge_link_messages (link, there_id);

CREATE TABLE bridge_link_reactions ( -- of people of the linked room
    link   BIGINT NOT NULL REFERENCES bridge_links (id) ON DELETE CASCADE,
    entry  TEXT   NOT NULL,
    author TEXT   NOT NULL,
    emoji  TEXT   NOT NULL,
    PRIMARY KEY (link, entry, author, emoji)
);

-- +goose Down
DROP TABLE bridge_link_reactions;
DROP TABLE bridge_link_messages;
DROP TABLE bridge_links;
