-- The entries of archives are no children of their accounts by a foreign key: PostgreSQL checks that by a query for
-- each row. Who writes entries locks the accounts instead, and who deletes an account deletes its entries.

-- +goose Up
ALTER TABLE archive_entries DROP CONSTRAINT archive_entries_archive_fkey;
ALTER TABLE archive_contacts DROP CONSTRAINT archive_contacts_archive_fkey;

-- +goose Down
ALTER TABLE archive_entries ADD CONSTRAINT archive_entries_archive_fkey FOREIGN KEY (archive) REFERENCES archive_accounts (number) ON DELETE CASCADE;
ALTER TABLE archive_contacts ADD CONSTRAINT archive_contacts_archive_fkey FOREIGN KEY (archive) REFERENCES archive_accounts (number) ON DELETE CASCADE;
