package tables

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	puppetSQL    = `SELECT info FROM bridge_people WHERE gateway = ? AND id = ?`
	putPuppetSQL = `INSERT INTO bridge_people (gateway, id, info) VALUES (?, ?, ?)
ON CONFLICT (gateway, id) DO UPDATE SET info = excluded.info`

	pictureSQL    = `SELECT picture, picture_hash FROM bridge_people WHERE gateway = ? AND id = ?`
	putPictureSQL = `UPDATE bridge_people SET picture = ?, picture_hash = ? WHERE gateway = ? AND id = ?`

	contactsSQL   = `SELECT login, person, pushed, email, phone FROM bridge_contacts WHERE login = ? ORDER BY person`
	contactSQL    = `SELECT login, person, pushed, email, phone FROM bridge_contacts WHERE login = ? AND person = ?`
	hasContactSQL = `SELECT 1 FROM bridge_contacts WHERE login = ? AND person = ?`
	seesSQL       = `SELECT 1 FROM bridge_contacts WHERE login = ? AND person = ?
UNION ALL SELECT 1 FROM bridge_rooms WHERE gateway = ? AND scope = ? AND key = ? AND room <> ''
UNION ALL SELECT 1 FROM bridge_members m JOIN bridge_visible v ON v.room = m.room WHERE m.person = ? AND v.login = ?
LIMIT 1`
	addContactSQL = `INSERT INTO bridge_contacts (login, person, pushed, email, phone) SELECT id, ?, '', ?, ? FROM bridge_accounts WHERE id = ?
ON CONFLICT (login, person) DO UPDATE SET email = excluded.email, phone = excluded.phone`
	putPuppetContactSQL = `INSERT INTO bridge_contacts (login, person, pushed) VALUES (?, ?, ?)
ON CONFLICT (login, person) DO UPDATE SET pushed = excluded.pushed`
	dropContactSQL = `DELETE FROM bridge_contacts WHERE login = ? AND person = ?`
)

func readPuppet(row scan.Row) (u transports.UserInfo, err error) {
	var data []byte
	if err := row.Scan(&data); err != nil {
		return u, err
	}
	err = json.Unmarshal(data, &u)
	return u.Shared(), err // rows of earlier releases have all
}

// Puppet is a person of the network.
func (s *Store) Puppet(ctx context.Context, id transports.UserID) (transports.UserInfo, bool, error) {
	return oneRow(readPuppet(s.engine.Reader().QueryRowContext(ctx, puppetSQL, s.id, string(id))))
}

// PutPuppets keeps persons; with a login they become its contacts.
func (s *Store) PutPuppets(ctx context.Context, login transports.LoginID, puppets []transports.UserInfo) error {
	return s.engine.Write(ctx, func(tx *sql.Tx) error {
		for _, u := range puppets {
			if err := s.putPuppet(tx, u); err != nil {
				return err
			}
			if login == "" || u.Gone {
				continue
			}
			if err := addContact(tx, Contact{Login: login, User: u.ID, Email: u.Email, Phone: u.Phone}); err != nil {
				return err
			}
		}
		return nil
	})
}

// addContact keeps a contact, and what the network shows of it to the login; what the roster has is left as it is. Gone is true of its error
// where the login has been deleted: then nobody would ever delete the people that the same transaction keeps.
func addContact(tx *sql.Tx, c Contact) error {
	done, err := tx.Exec(addContactSQL, string(c.User), c.Email, c.Phone, string(c.Login))
	if err != nil {
		return fmt.Errorf("keep contact %s: %w", c.User, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, stanza.ItemNotFound("the login has been deleted"))
	}
	return nil
}

func (s *Store) putPuppet(tx *sql.Tx, u transports.UserInfo) error {
	data, err := json.Marshal(u.Shared())
	if err == nil {
		_, err = tx.Exec(putPuppetSQL, s.id, string(u.ID), data)
	}
	if err != nil {
		return fmt.Errorf("keep person %s: %w", u.ID, err)
	}
	return nil
}

// Picture is what is known of a person's picture: where it was read, and its SHA-1 hash in hex.
func (s *Store) Picture(ctx context.Context, id transports.UserID) (source, hash string, err error) {
	_, err = found(s.engine.Reader().QueryRowContext(ctx, pictureSQL, s.id, string(id)).Scan(&source, &hash))
	return source, hash, err
}

// PutPicture keeps what is known of the picture of a person who is known.
func (s *Store) PutPicture(ctx context.Context, id transports.UserID, source, hash string) error {
	return s.exec(ctx, putPictureSQL, source, hash, s.id, string(id))
}

// separator stands for the zero byte of Contact.Pushed, which PostgreSQL does not take.
const separator = "\x1f"

// Contacts are the contact list of a login.
func (s *Store) Contacts(ctx context.Context, login transports.LoginID) ([]Contact, error) {
	return scan.Rows(ctx, s.engine.Reader(), readContact, contactsSQL, string(login))
}

// Contact is somebody in the contact list of a login.
func (s *Store) Contact(ctx context.Context, login transports.LoginID, user transports.UserID) (Contact, bool, error) {
	return oneRow(readContact(s.engine.Reader().QueryRowContext(ctx, contactSQL, string(login), string(user))))
}

func readContact(row scan.Row) (c Contact, err error) {
	err = row.Scan(&c.Login, &c.User, &c.Pushed, &c.Email, &c.Phone)
	c.Pushed = strings.ReplaceAll(c.Pushed, separator, "\x00") // rows of earlier releases have the zero byte
	return c, err
}

// HasContact reports whether somebody is in the contact list of a login.
func (s *Store) HasContact(ctx context.Context, login transports.LoginID, user transports.UserID) (bool, error) {
	var n int
	return found(s.engine.Reader().QueryRowContext(ctx, hasContactSQL, string(login), string(user)).Scan(&n))
}

// Sees reports whether the network has shown a person to a login: as a contact, in a direct chat or in a room.
func (s *Store) Sees(ctx context.Context, login transports.LoginID, user transports.UserID) (bool, error) {
	var n int
	return found(s.engine.Reader().QueryRowContext(ctx, seesSQL,
		string(login), string(user), s.id, string(login), "@"+string(user), string(user), string(login)).Scan(&n))
}

// PutContacts changes contact lists.
func (s *Store) PutContacts(ctx context.Context, put, remove []Contact) error {
	return s.engine.Write(ctx, func(tx *sql.Tx) error {
		for _, c := range put {
			if _, err := tx.Exec(putPuppetContactSQL, string(c.Login), string(c.User), strings.ReplaceAll(c.Pushed, "\x00", separator)); err != nil {
				return fmt.Errorf("keep contact %s: %w", c.User, err)
			}
		}
		for _, c := range remove {
			if _, err := tx.Exec(dropContactSQL, string(c.Login), string(c.User)); err != nil {
				return fmt.Errorf("remove contact %s: %w", c.User, err)
			}
		}
		return nil
	})
}
