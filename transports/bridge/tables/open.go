package tables

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
)

// Engine is the database: core/store, or in tests something that fails at will.
type Engine interface {
	// Write runs fn in a transaction and returns once it is on the disk.
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
	// Reader is a pool of connections that only read.
	Reader() *sql.DB
	Migrate(ctx context.Context, m store.Migrations) error
	// Dialect says which engine it is.
	Dialect() store.Dialect
	// OnDeleteAccount has fn called in the transaction that deletes an account of the server.
	OnDeleteAccount(fn func(tx *sql.Tx, account jid.JID) error)
}

// Database is the part of an Engine that all gateways share.
type Database struct{ engine Engine }

// Store is what one gateway keeps.
type Store struct {
	engine Engine
	id     int64 // of the gateway
	erase  func(ctx context.Context) error
	seen   atomic.Uint64 // changes of who sees which room
}

// VisibleChanges counts the changes of which logins see which rooms, since the start.
func (s *Store) VisibleChanges() uint64 { return s.seen.Load() }

//go:embed migrations
var migrations embed.FS

// Open makes or migrates the tables. From then on the deletion of an account removes its logins too,
// also those of gateways that do not run.
func Open(ctx context.Context, engine Engine) (*Database, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := engine.Migrate(ctx, store.Migrations{Name: "bridge", Files: files}); err != nil {
		return nil, fmt.Errorf("migrate the tables of gateways: %w", err)
	}
	engine.OnDeleteAccount(deleteOwner)
	return &Database{engine}, nil
}

const (
	// Without the condition each start would take an id on PostgreSQL.
	addGatewaySQL = `INSERT INTO bridge_gateways (domain) SELECT CAST(?1 AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM bridge_gateways WHERE domain = ?1) ON CONFLICT (domain) DO NOTHING`
	findGatewaySQL = `SELECT id FROM bridge_gateways WHERE domain = ?`
)

// partitioned is an engine whose writes go through one partition of the store: those of one gateway are
// committed in order, and wait for those of no other one.
type partitioned struct {
	Engine
	partition *store.Partition
}

// Write implements Engine.
func (p partitioned) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return p.partition.Write(ctx, fn)
}

// Gateway gives the part of one gateway.
func (d *Database) Gateway(ctx context.Context, domain jid.JID) (*Store, error) {
	s := &Store{engine: d.engine, erase: func(context.Context) error { return nil }}
	if e, ok := d.engine.(interface {
		Erase(ctx context.Context) error
	}); ok {
		s.erase = e.Erase
	}
	if e, ok := d.engine.(interface {
		Partition(key string) *store.Partition
	}); ok {
		s.engine = partitioned{d.engine, e.Partition(domain.String())}
	}
	err := s.engine.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(addGatewaySQL, domain.String()); err != nil {
			return err
		}
		return tx.QueryRow(findGatewaySQL, domain.String()).Scan(&s.id)
	})
	if err != nil {
		return nil, fmt.Errorf("open gateway %s: %w", domain, err)
	}
	if s.id > maxGateway {
		return nil, fmt.Errorf("open gateway %s: its id is %d, and the highest one is %d", domain, s.id, maxGateway)
	}
	return s, nil
}

// Local reports whether the database is a file of this machine.
func (s *Store) Local() bool { return s.engine.Dialect() == store.SQLite }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// found makes "no such row" no error.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func oneRow[T any](v T, err error) (T, bool, error) {
	ok, err := found(err)
	return v, ok, err
}

func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.engine.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}
