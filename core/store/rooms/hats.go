package rooms

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	wornSQL      = `SELECT jid, hats FROM room_hats WHERE room = ?`
	setHatsSQL   = `UPDATE rooms SET hats = ? WHERE room = ?`
	clearWornSQL = `DELETE FROM room_hats WHERE room = ?`
	addWornSQL   = `INSERT INTO room_hats (room, jid, hats) VALUES (?, ?, ?)`
)

// readWorn reads who wears the hats of a room.
func (t *Tables) readWorn(ctx context.Context, at jid.JID, l *hats.List) error {
	if len(l.Hats) == 0 {
		return nil
	}
	l.Worn = map[string][]string{}
	_, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var who, list string
		if err := row.Scan(&who, &list); err != nil {
			return none, err
		}
		var worn []string
		err = json.Unmarshal([]byte(list), &worn)
		l.Worn[who] = worn
		return none, err
	}, wornSQL, at.String())
	if err != nil {
		return fmt.Errorf("read hats: %w", err)
	}
	return nil
}

// hats writes the hats of a room, all of them.
func (w *writer) hats() error {
	if w.Hats == nil {
		return nil
	}
	list, err := json.Marshal(slices.Concat([]hats.Hat{}, w.Hats.Hats))
	if err != nil {
		return err
	}
	if err := one(w.tx.Exec(setHatsSQL, string(list), w.at.String())); err != nil {
		return err
	}
	if _, err := w.tx.Exec(clearWornSQL, w.at.String()); err != nil {
		return err
	}
	for _, who := range slices.Sorted(maps.Keys(w.Hats.Worn)) {
		worn, err := json.Marshal(w.Hats.Worn[who])
		if err != nil {
			return err
		}
		if _, err := w.tx.Exec(addWornSQL, w.at.String(), who, string(worn)); err != nil {
			return err
		}
	}
	return nil
}
