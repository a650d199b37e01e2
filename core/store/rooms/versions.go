package rooms

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	versionsSQL      = `SELECT position, version, jid, affiliation FROM room_affiliation_versions WHERE room = ? ORDER BY position`
	addVersionSQL    = `INSERT INTO room_affiliation_versions (room, position, version, jid, affiliation) VALUES (?, ?, ?, ?, ?)`
	pruneVersionsSQL = `DELETE FROM room_affiliation_versions WHERE room = ? AND position <= ?`
)

// versions reads the versions of the affiliations of a room, the oldest first.
func (t *Tables) versions(ctx context.Context, at jid.JID) ([]affiliations.Version, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (v affiliations.Version, err error) {
		var who, before string
		if err := row.Scan(&v.Position, &v.ID, &who, &before); err != nil {
			return v, err
		}
		v.Before = rules.Affiliation(before)
		if who != "" {
			v.JID, err = jid.Parse(who)
		}
		return v, err
	}, versionsSQL, at.String())
	if err != nil {
		return nil, fmt.Errorf("read versions of affiliations: %w", err)
	}
	return list, nil
}

// versions writes the versions that the changes of affiliations lead to, and deletes those that are too old.
func (w *writer) versions() error {
	for _, v := range w.Versions {
		who := ""
		if !v.JID.IsZero() {
			who = v.JID.String()
		}
		if _, err := w.tx.Exec(addVersionSQL, w.at.String(), v.Position, v.ID, who, string(v.Before)); err != nil {
			return err
		}
	}
	n := len(w.Versions)
	if n == 0 {
		return nil
	}
	oldest := w.Versions[n-1].Position - affiliations.Kept
	if oldest <= 0 {
		return nil
	}
	_, err := w.tx.Exec(pruneVersionsSQL, w.at.String(), oldest)
	return err
}
