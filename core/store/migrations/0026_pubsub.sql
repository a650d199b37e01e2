-- Publish-subscribe nodes of accounts and of domains (XEP-0060). account is NULL for those of a domain.

-- +goose Up
CREATE TABLE pubsub_nodes (
    service TEXT NOT NULL,
    node    TEXT NOT NULL,
    account TEXT REFERENCES accounts (jid) ON DELETE CASCADE,
    config  TEXT NOT NULL,
    creator TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (service, node)
);
CREATE INDEX pubsub_nodes_account ON pubsub_nodes (account);
CREATE TABLE pubsub_items (
    service   TEXT NOT NULL,
    node      TEXT NOT NULL,
    item      TEXT NOT NULL,
    position  INTEGER NOT NULL,
    published INTEGER NOT NULL,
    publisher TEXT NOT NULL,
    size      INTEGER NOT NULL,
    payload   TEXT NOT NULL,
    PRIMARY KEY (service, node, item),
    FOREIGN KEY (service, node) REFERENCES pubsub_nodes (service, node) ON DELETE CASCADE
);
CREATE INDEX pubsub_items_position ON pubsub_items (service, node, position);
CREATE TABLE pubsub_affiliations (
    service     TEXT NOT NULL,
    node        TEXT NOT NULL,
    jid         TEXT NOT NULL,
    affiliation TEXT NOT NULL,
    PRIMARY KEY (service, node, jid),
    FOREIGN KEY (service, node) REFERENCES pubsub_nodes (service, node) ON DELETE CASCADE
);
CREATE INDEX pubsub_affiliations_jid ON pubsub_affiliations (jid);
CREATE TABLE pubsub_subscriptions (
    service TEXT NOT NULL,
    node    TEXT NOT NULL,
    jid     TEXT NOT NULL,
    bare    TEXT NOT NULL,
    subid   TEXT NOT NULL,
    state   TEXT NOT NULL,
    mute    BOOLEAN NOT NULL,
    PRIMARY KEY (service, node, jid),
    FOREIGN KEY (service, node) REFERENCES pubsub_nodes (service, node) ON DELETE CASCADE
);
CREATE INDEX pubsub_subscriptions_bare ON pubsub_subscriptions (bare);

-- +goose Down
DROP TABLE pubsub_subscriptions;
DROP TABLE pubsub_affiliations;
DROP TABLE pubsub_items;
DROP TABLE pubsub_nodes;
