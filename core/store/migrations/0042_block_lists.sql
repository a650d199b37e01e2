-- Lists of addresses that send spam, which the server has subscribed to at other services.

-- +goose Up
CREATE TABLE block_list_entries (
    list  TEXT NOT NULL, -- the address of the service and the node, with a space between them
    entry TEXT NOT NULL, -- SHA-256 hash of an address or a domain, in hexadecimal digits
    PRIMARY KEY (list, entry)
);

-- +goose Down
DROP TABLE block_list_entries;
