-- Clients that have logged in to an account, as far as they have named themselves (XEP-0388, XEP-0494), and the tokens by which they
-- log in again (XEP-0484).

-- +goose Up
CREATE TABLE clients (
    account    TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    client     TEXT   NOT NULL, -- id of the user agent
    id         TEXT   NOT NULL, -- by which the account's owner refers to it
    software   TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    access     TEXT   NOT NULL, -- besides tokens: password, grant, certificate or nothing
    PRIMARY KEY (account, client)
);
CREATE INDEX clients_seen ON clients (last_seen);

CREATE TABLE client_tokens ( -- the text of a token is computed from this and the server's secret
    account   TEXT    NOT NULL,
    client    TEXT    NOT NULL,
    fresh     BOOLEAN NOT NULL, -- the client has not used it yet
    mechanism TEXT    NOT NULL,
    seed      BLOB    NOT NULL,
    issued    BIGINT  NOT NULL,
    expires   BIGINT  NOT NULL,
    count     BIGINT  NOT NULL, -- of logins with it, as the client counts them
    PRIMARY KEY (account, client, fresh),
    FOREIGN KEY (account, client) REFERENCES clients (account, client) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE client_tokens;
DROP TABLE clients;
