package rooms

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct {
	store *store.Store
	fresh fresh
}

var (
	_ rooms.Store          = (*Tables)(nil)
	_ conference.Lists     = (*Tables)(nil)
	_ conference.Archives  = (*Tables)(nil)
	_ conference.Directory = (*Tables)(nil)
)

// New returns the tables in a database. Call it before the store is used.
func New(s *store.Store) *Tables {
	s.OnDeleteAccount(deleteAccount)
	return &Tables{store: s}
}

const (
	// Where a deleted account has or had an affiliation, what clients know of the lists becomes worthless: they read them anew.
	forgetVersionsSQL = `DELETE FROM room_affiliation_versions WHERE room IN (SELECT room FROM room_affiliations WHERE jid = ?1
UNION SELECT room FROM room_affiliation_versions WHERE jid = ?1)`
	deleteAffiliationsSQL = `DELETE FROM room_affiliations WHERE jid = ?`
	deleteHatsSQL         = `DELETE FROM room_hats WHERE jid = ?`
	deleteRequestsSQL     = `DELETE FROM room_requests WHERE jid = ?`
	deleteRolesSQL        = `DELETE FROM room_roles WHERE jid = ?`
	forgetCreatorSQL      = `UPDATE rooms SET creator = '' WHERE creator = ?`
)

func deleteAccount(tx *sql.Tx, account jid.JID) error {
	for _, query := range []string{forgetVersionsSQL, deleteAffiliationsSQL, deleteHatsSQL, deleteRequestsSQL, deleteRolesSQL, forgetCreatorSQL} {
		if _, err := tx.Exec(query, account.String()); err != nil {
			return fmt.Errorf("delete affiliations of %s: %w", account, err)
		}
	}
	return nextGeneration(tx, account)
}

const (
	roomSQL         = `SELECT info, config, subject, hats FROM rooms WHERE room = ?`
	affiliationsSQL = `SELECT jid, affiliation, nick, reason FROM room_affiliations WHERE room = ?`
)

// LoadRoom implements rooms.Store.
func (t *Tables) LoadRoom(ctx context.Context, at jid.JID) (s room.Snapshot, ok bool, err error) {
	// A context that may end would cost more than the queries.
	ctx = context.WithoutCancel(ctx)
	var info, config, subject, hats string
	err = t.store.Reader().QueryRowContext(ctx, roomSQL, at.String()).Scan(&info, &config, &subject, &hats)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s, false, nil
	case err != nil:
		return s, false, fmt.Errorf("read room: %w", err)
	}
	for _, part := range []struct {
		text string
		into any
	}{{info, &s.Info}, {config, &s.Config}, {subject, &s.Subject}, {hats, &s.Hats.Hats}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return s, false, fmt.Errorf("read room: %w", err)
		}
	}
	if err := t.readWorn(ctx, at, &s.Hats); err != nil {
		return s, false, err
	}
	if s.Affiliations, err = t.affiliations(ctx, at); err != nil {
		return s, false, err
	}
	if err := t.readPeople(ctx, at, &s); err != nil {
		return s, false, err
	}
	s.Versions, err = t.versions(ctx, at)
	return s, err == nil, err
}

func (t *Tables) affiliations(ctx context.Context, at jid.JID) (map[jid.JID]affiliations.Entry, error) {
	list := map[jid.JID]affiliations.Entry{}
	_, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var address, affiliation string
		var e affiliations.Entry
		if err := row.Scan(&address, &affiliation, &e.Nick, &e.Reason); err != nil {
			return none, err
		}
		j, err := jid.Parse(address)
		e.Affiliation = rules.Affiliation(affiliation)
		list[j] = e
		return none, err
	}, affiliationsSQL, at.String())
	if err != nil {
		return nil, fmt.Errorf("read affiliations: %w", err)
	}
	return list, nil
}
