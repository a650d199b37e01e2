-- E-mail addresses and telephone numbers as the network has shown them to a login: it shows them to some logins only.

-- +goose Up
ALTER TABLE bridge_contacts ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE bridge_contacts ADD COLUMN phone TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE bridge_contacts DROP COLUMN phone;
ALTER TABLE bridge_contacts DROP COLUMN email;
