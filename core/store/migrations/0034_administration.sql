-- What administrators set at run time, and invitations.

-- +goose Up
CREATE TABLE server_texts ( -- the message of the day and the welcome message of each host (XEP-0133)
    host    TEXT   NOT NULL,
    name    TEXT   NOT NULL, -- motd or welcome
    text    TEXT   NOT NULL,
    version BIGINT NOT NULL, -- microseconds since 1970, rises with each change
    since   BIGINT NOT NULL, -- when there was none before
    PRIMARY KEY (host, name)
);

CREATE TABLE server_texts_seen ( -- who was sent which of them
    account TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    name    TEXT   NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE TABLE server_lists ( -- with whom the accounts of a host may not communicate, or only may (XEP-0133)
    host    TEXT NOT NULL,
    name    TEXT NOT NULL, -- blacklist or whitelist
    address TEXT NOT NULL, -- a domain or a bare address
    PRIMARY KEY (host, name, address)
);

CREATE TABLE invitations ( -- XEP-0379, XEP-0401
    token    TEXT    NOT NULL PRIMARY KEY, -- its SHA-256, in hexadecimal digits
    host     TEXT    NOT NULL,
    account  TEXT    REFERENCES accounts (jid) ON DELETE CASCADE, -- who invites; NULL: the operator
    username TEXT    NOT NULL, -- of the new account; empty: chosen by whoever registers
    registers  BOOLEAN NOT NULL, -- an account can be made with it
    subscribes BOOLEAN NOT NULL, -- the account that invites becomes a contact
    uses     BIGINT  NOT NULL, -- that are left
    created  BIGINT  NOT NULL,
    expires  BIGINT  NOT NULL
);
CREATE INDEX invitations_account ON invitations (account);

-- +goose Down
DROP TABLE invitations;
DROP TABLE server_lists;
DROP TABLE server_texts_seen;
DROP TABLE server_texts;
