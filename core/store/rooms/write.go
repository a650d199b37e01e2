package rooms

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
)

// SaveRoom implements rooms.Store.
func (t *Tables) SaveRoom(ctx context.Context, at jid.JID, c room.Change) error {
	return t.store.Partition(at.String()).Write(ctx, func(tx *sql.Tx) error {
		w := writer{tx, at, c}
		for _, step := range []func() error{w.room, w.subject, w.affiliations, w.requests, w.roles, w.versions, w.hats} {
			if err := step(); err != nil {
				return fmt.Errorf("write room: %w", err)
			}
		}
		return nil
	})
}

// writer writes one change in a transaction.
type writer struct {
	tx *sql.Tx
	at jid.JID
	room.Change
}

const (
	createSQL = `INSERT INTO rooms (room, domain, creator, created, name, listed, kept, info, config, subject)
VALUES (?, ?, ?, ?, '', FALSE, FALSE, '{}', '{}', '{}')`
	beginArchiveSQL = `INSERT INTO room_archives (number, room) VALUES (?, ?)`
	leaveArchiveSQL = `UPDATE room_archives SET room = NULL WHERE room = ?`
	destroySQL      = `DELETE FROM rooms WHERE room = ?`
	infoSQL         = `UPDATE rooms SET name = ?, info = ? WHERE room = ?`
	configureSQL    = `UPDATE rooms SET listed = ?, kept = ?, config = ? WHERE room = ?`
	subjectSQL      = `UPDATE rooms SET subject = ? WHERE room = ?`
)

func (w *writer) room() error {
	switch {
	case w.Destroyed:
		if _, err := w.tx.Exec(leaveArchiveSQL, w.at.String()); err != nil {
			return err
		}
		_, err := w.tx.Exec(destroySQL, w.at.String())
		return err
	case w.Created:
		if _, err := w.tx.Exec(createSQL, w.at.String(), w.at.Domain(), w.creator(), time.Now().UnixMicro()); err != nil {
			return err
		}
		if _, err := w.tx.Exec(beginArchiveSQL, newArchive(), w.at.String()); err != nil {
			return err
		}
	}
	if w.Info != nil {
		info, err := json.Marshal(w.lasting())
		if err != nil {
			return err
		}
		if err := one(w.tx.Exec(infoSQL, w.Info.Name, string(info), w.at.String())); err != nil {
			return err
		}
	}
	if w.Config == nil {
		return nil
	}
	config, err := json.Marshal(w.Config)
	if err != nil {
		return err
	}
	open := !w.Config.Locked // XEP-0045 §10.1.3: before it is configured it is neither listed nor kept
	return one(w.tx.Exec(configureSQL, open && w.Config.Listed, open && w.Config.Persistent, string(config), w.at.String()))
}

// creator is the first owner of a new room.
func (w *writer) creator() string {
	for _, l := range w.Lists {
		if l.Entry.Affiliation == rules.AffOwner {
			return l.JID.String()
		}
	}
	return ""
}

// lasting is the description without what the service adds each time that it opens the room.
func (w *writer) lasting() rules.Info {
	info := *w.Info
	info.Features, info.Fields, info.More = nil, nil, nil
	return info
}

func (w *writer) subject() error {
	if w.Subject == nil {
		return nil
	}
	subject, err := json.Marshal(w.Subject)
	if err != nil {
		return err
	}
	return one(w.tx.Exec(subjectSQL, string(subject), w.at.String()))
}

const (
	setAffiliationSQL = `INSERT INTO room_affiliations (room, jid, affiliation, nick, reason) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (room, jid) DO UPDATE SET affiliation = excluded.affiliation, nick = excluded.nick, reason = excluded.reason`
	endAffiliationSQL = `DELETE FROM room_affiliations WHERE room = ? AND jid = ?`
)

func (w *writer) affiliations() error {
	for _, l := range w.Lists {
		var err error
		if e := l.Entry; e.Affiliation == rules.AffNone {
			_, err = w.tx.Exec(endAffiliationSQL, w.at.String(), l.JID.String())
		} else {
			_, err = w.tx.Exec(setAffiliationSQL, w.at.String(), l.JID.String(), string(e.Affiliation), e.Nick, e.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one returns an error if a statement has changed nothing: the room is not there.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return rooms.ErrNoRoom
	}
	return err
}

// newArchive returns the number of a new archive, from 1 to 2^53.
func newArchive() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return int64(binary.BigEndian.Uint64(b[:])>>11) + 1
}
