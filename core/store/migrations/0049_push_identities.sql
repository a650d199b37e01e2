-- What the client is that has enabled a push service (XEP-0492). The versions of affiliations (XEP-0463) that tell of an address are found when
-- its account is deleted.

-- +goose Up
ALTER TABLE pushes ADD COLUMN identity TEXT NOT NULL DEFAULT ''; -- category/type; empty: not known
CREATE INDEX room_affiliation_versions_jid ON room_affiliation_versions (jid);

-- +goose Down
DROP INDEX room_affiliation_versions_jid;
ALTER TABLE pushes DROP COLUMN identity;
