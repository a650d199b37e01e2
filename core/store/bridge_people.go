package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

const (
	personSQL    = `SELECT info FROM bridge_people WHERE gateway = ? AND id = ?`
	putPersonSQL = `INSERT INTO bridge_people (gateway, id, info) VALUES (?, ?, ?)
ON CONFLICT (gateway, id) DO UPDATE SET info = excluded.info`

	contactsSQL         = `SELECT login, person, pushed FROM bridge_contacts WHERE login = ? ORDER BY person`
	hasPersonContactSQL = `SELECT 1 FROM bridge_contacts WHERE login = ? AND person = ?`
	seesPersonSQL       = `SELECT 1 FROM bridge_contacts WHERE login = ?1 AND person = ?2
UNION ALL SELECT 1 FROM bridge_rooms WHERE gateway = ?3 AND scope = ?1 AND key = '@' || ?2 AND room <> ''
UNION ALL SELECT 1 FROM bridge_members m JOIN bridge_visible v ON v.room = m.room WHERE m.person = ?2 AND v.login = ?1
LIMIT 1`
	addPersonContactSQL = `INSERT INTO bridge_contacts (login, person, pushed) VALUES (?, ?, '') ON CONFLICT DO NOTHING`
	putPersonContactSQL = `INSERT INTO bridge_contacts (login, person, pushed) VALUES (?, ?, ?)
ON CONFLICT (login, person) DO UPDATE SET pushed = excluded.pushed`
	dropPersonContactSQL = `DELETE FROM bridge_contacts WHERE login = ? AND person = ?`
)

func readPerson(row scanner) (u transports.UserInfo, err error) {
	var data []byte
	if err := row.Scan(&data); err != nil {
		return u, err
	}
	err = json.Unmarshal(data, &u)
	return u, err
}

// Person implements bridge.People.
func (b *Bridge) Person(ctx context.Context, id transports.UserID) (transports.UserInfo, bool, error) {
	return oneRow(readPerson(b.s.reads.QueryRowContext(ctx, personSQL, b.id, string(id))))
}

// PutPeople implements bridge.People. With an account they become its contacts.
func (b *Bridge) PutPeople(ctx context.Context, account transports.LoginID, people []transports.UserInfo) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error {
		for _, u := range people {
			if err := b.putPerson(tx, u); err != nil {
				return err
			}
			if account == "" || u.Gone {
				continue
			}
			if _, err := tx.Exec(addPersonContactSQL, string(account), string(u.ID)); err != nil {
				return fmt.Errorf("keep contact %s: %w", u.ID, err)
			}
		}
		return nil
	})
}

func (b *Bridge) putPerson(tx *sql.Tx, u transports.UserInfo) error {
	data, err := json.Marshal(u)
	if err == nil {
		_, err = tx.Exec(putPersonSQL, b.id, string(u.ID), data)
	}
	if err != nil {
		return fmt.Errorf("keep person %s: %w", u.ID, err)
	}
	return nil
}

// Contacts implements bridge.People.
func (b *Bridge) Contacts(ctx context.Context, account transports.LoginID) ([]bridge.ContactRow, error) {
	return scan(ctx, b.s.reads, func(row scanner) (c bridge.ContactRow, err error) {
		err = row.Scan(&c.Account, &c.User, &c.Pushed)
		return c, err
	}, contactsSQL, string(account))
}

// HasContact implements bridge.People.
func (b *Bridge) HasContact(ctx context.Context, account transports.LoginID, user transports.UserID) (bool, error) {
	var n int
	return found(b.s.reads.QueryRowContext(ctx, hasPersonContactSQL, string(account), string(user)).Scan(&n))
}

// Sees implements bridge.People.
func (b *Bridge) Sees(ctx context.Context, account transports.LoginID, user transports.UserID) (bool, error) {
	var n int
	return found(b.s.reads.QueryRowContext(ctx, seesPersonSQL, string(account), string(user), b.id).Scan(&n))
}

// PutContacts implements bridge.People.
func (b *Bridge) PutContacts(ctx context.Context, put, remove []bridge.ContactRow) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error {
		for _, c := range put {
			if _, err := tx.Exec(putPersonContactSQL, string(c.Account), string(c.User), c.Pushed); err != nil {
				return fmt.Errorf("keep contact %s: %w", c.User, err)
			}
		}
		for _, c := range remove {
			if _, err := tx.Exec(dropPersonContactSQL, string(c.Account), string(c.User)); err != nil {
				return fmt.Errorf("remove contact %s: %w", c.User, err)
			}
		}
		return nil
	})
}
