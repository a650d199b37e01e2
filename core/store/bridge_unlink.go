package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// unlinkSQL removes an account (?1) of a gateway (?2) and all that only it could see. What
// hangs on a room goes with the room.
var unlinkSQL = []string{
	`UPDATE bridge_ids SET sender = '' WHERE sender = (SELECT owner FROM bridge_accounts WHERE id = ?1)
  AND room IN (SELECT room FROM bridge_visible WHERE login = ?1)
  AND NOT EXISTS (SELECT 1 FROM bridge_accounts a, bridge_accounts me WHERE me.id = ?1 AND a.owner = me.owner AND a.gateway = ?2 AND a.id <> ?1)`,
	`UPDATE bridge_inbox SET account = '' WHERE account = ?1`,
	`DELETE FROM bridge_outbox WHERE account = ?1`,
	`DELETE FROM bridge_reactions WHERE person = (SELECT person FROM bridge_accounts WHERE id = ?1)
  AND room IN (SELECT room FROM bridge_visible WHERE login = ?1)`,
	`DELETE FROM bridge_accounts WHERE id = ?1 AND gateway = ?2`, // bridge_visible and bridge_contacts go with it
	`DELETE FROM bridge_rooms WHERE gateway = ?2 AND scope = ?1`,
	`DELETE FROM bridge_rooms WHERE gateway = ?2 AND scope = ''
  AND NOT EXISTS (SELECT 1 FROM bridge_visible v WHERE v.room = bridge_rooms.id AND v.login <> ?1)`,
	`DELETE FROM bridge_people WHERE gateway = ?2 AND id <> ?1
  AND NOT EXISTS (SELECT 1 FROM bridge_contacts c, bridge_accounts a WHERE c.person = bridge_people.id AND a.id = c.login AND a.gateway = ?2)
  AND NOT EXISTS (SELECT 1 FROM bridge_members m, bridge_rooms r WHERE m.person = bridge_people.id AND r.id = m.room AND r.gateway = ?2)`,
}

// Unlink implements bridge.Accounts.
func (b *Bridge) Unlink(ctx context.Context, id transports.LoginID) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error { return unlink(tx, id, b.id) })
}

func unlink(tx *sql.Tx, id transports.LoginID, gateway int64) error {
	for _, q := range unlinkSQL {
		args := []any{string(id), gateway}
		if !strings.Contains(q, "?2") {
			args = args[:1]
		}
		if _, err := tx.Exec(q, args...); err != nil {
			return fmt.Errorf("unlink account %s: %w", id, err)
		}
	}
	return nil
}
