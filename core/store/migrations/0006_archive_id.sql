-- Ids are sorted by time: with them in front an entry of any account goes to the end of the index,
-- and a commit changes few pages of it. Before, it was one page for each account at least.

-- +goose Up
DROP INDEX archive_id;
CREATE UNIQUE INDEX archive_id ON archive (id, account);

-- +goose Down
DROP INDEX archive_id;
CREATE UNIQUE INDEX archive_id ON archive (account, id);
