package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/keyfile"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
)

// Names of files in the data directory.
const (
	Name        = "dragoman.db" // SQLite
	SASLKeyName = "sasl.key"
)

// Open opens the database of a configuration for a role, and creates the data directory if necessary. Close the store, then the
// Hold, which keeps other processes from both.
func Open(ctx context.Context, c config.Config, role exclusive.Role, log *slog.Logger) (*store.Store, *exclusive.Hold, error) {
	hold, err := Hold(ctx, c, role)
	if err != nil {
		return nil, nil, err
	}
	s, err := OpenHeld(ctx, c, log)
	if err != nil {
		return nil, nil, errors.Join(err, hold.Close())
	}
	return s, hold, nil
}

// Hold keeps other processes from the data directory, which it creates if necessary, and from the database.
func Hold(ctx context.Context, c config.Config, role exclusive.Role) (*exclusive.Hold, error) {
	if err := os.MkdirAll(c.Server.Data, 0o700); err != nil {
		return nil, fmt.Errorf("server.data: %w", err)
	}
	if err := keyfile.CheckDirectory(c.Server.Data); err != nil {
		return nil, fmt.Errorf("server.data: %w", err)
	}
	return exclusive.New(ctx, exclusive.Scope{Directory: c.Server.Data, URL: c.Store.URL}, role)
}

// OpenHeld opens the database of which the caller has the Hold.
func OpenHeld(ctx context.Context, c config.Config, log *slog.Logger) (*store.Store, error) {
	o := options(c)
	o.Log = log
	if err := checkDatabase(c, o.Path); err != nil {
		return nil, err
	}
	return store.Open(ctx, o)
}

// checkDatabase refuses an empty database file in a directory that a server has used before: the accounts would be gone silently.
func checkDatabase(c config.Config, path string) error {
	if c.Store.URL != "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 { // a file that is not there is made
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Server.Data, SASLKeyName)); err != nil {
		return nil // the first start did not come far
	}
	return fmt.Errorf("the database %s is empty (0 bytes): restore it from a backup, or delete it to begin without accounts", path)
}

func options(c config.Config) store.Options {
	return store.Options{
		Path: filepath.Join(c.Server.Data, Name), URL: c.Store.URL,
		Partitions: c.Store.Partitions, Readers: c.Store.Readers, Limits: Limits(c),
	}
}

// Limits returns the limits of what the store keeps for an account.
func Limits(c config.Config) store.Limits {
	l := c.Limits
	return store.Limits{
		OfflineMessages: l.OfflineMessages, OfflineBytes: int64(l.OfflineBytes), RosterItems: l.RosterItems, RosterBytes: int64(l.RosterBytes),
		PendingIn: l.RosterRequests, Blocked: l.Blocked, Reports: l.Reports, DeletedNames: time.Duration(c.Accounts.DeletedNames),
	}
}
