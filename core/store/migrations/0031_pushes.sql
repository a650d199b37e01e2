-- Push services that accounts have enabled (XEP-0357).

-- +goose Up
CREATE TABLE pushes (
    account TEXT NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    service TEXT NOT NULL,
    node    TEXT NOT NULL,
    options TEXT NOT NULL, -- the form that each notification contains; empty: none
    PRIMARY KEY (account, service, node)
);

-- +goose Down
DROP TABLE pushes;
