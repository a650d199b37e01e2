-- Ids that are no UUID of version 7, which the server does not make: without an index somebody who asks for one that is
-- not there has all of their archive read. A text of 16 bytes has a zero byte behind it.

-- +goose Up
CREATE INDEX archive_messages_text_id ON archive_messages (id) WHERE length(id) <> 16;

-- +goose Down
DROP INDEX archive_messages_text_id;
