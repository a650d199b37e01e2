package tables

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	mediaSQL = `SELECT m.id, m.room, m.net, m.ref, m.name, m.type, m.size, m.at, g.domain, r.scope FROM bridge_media m
  JOIN bridge_rooms r ON r.id = m.room JOIN bridge_gateways g ON g.id = r.gateway WHERE m.id = ?`
	mediaLoginsSQL = `SELECT login FROM bridge_visible WHERE room = ? ORDER BY login`
	dropMediaSQL   = `DELETE FROM bridge_media WHERE room = ? AND net = ?`
	pruneMediaSQL  = `DELETE FROM bridge_media WHERE at < ? AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?)`
)

// Media is a file of a message, which has an address here.
type Media struct {
	ID   string
	Room int64
	Net  transports.MessageID
	Ref  string // of the network
	Name string
	Type string // media type; "" where it is not known
	Size int64  // bytes; 0 where it is not known
	At   time.Time

	Gateway string             // its domain; only read
	Scope   transports.LoginID // of the room; only read
}

func (m Media) columns() []any {
	return []any{m.ID, m.Room, string(m.Net), m.Ref, m.Name, m.Type, m.Size, micros(m.At)}
}

// has reports whether a file is of one of the messages.
func (d Deletion) has(m Media) bool { return m.Room == d.Room && slices.Contains(d.Net, m.Net) }

func readMedia(row scan.Row) (m Media, err error) {
	var at int64
	err = row.Scan(&m.ID, &m.Room, &m.Net, &m.Ref, &m.Name, &m.Type, &m.Size, &at, &m.Gateway, &m.Scope)
	m.At = moment(at)
	return m, err
}

// Media finds a file by its id, of whatever gateway; false where there is none, or no longer.
func (d *Database) Media(ctx context.Context, id string) (Media, bool, error) {
	list, err := scan.Rows(ctx, d.engine.Reader(), readMedia, mediaSQL, id)
	if err != nil {
		return Media{}, false, fmt.Errorf("look up file: %w", err)
	}
	if len(list) == 0 {
		return Media{}, false, nil
	}
	return list[0], true, nil
}

// MediaLogins are the logins that may see a file.
func (s *Store) MediaLogins(ctx context.Context, m Media) ([]transports.LoginID, error) {
	if m.Scope != "" {
		return []transports.LoginID{m.Scope}, nil
	}
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (id transports.LoginID, err error) {
		err = row.Scan(&id)
		return id, err
	}, mediaLoginsSQL, m.Room)
}
