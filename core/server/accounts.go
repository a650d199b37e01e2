package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/keyfile"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
)

// Files in the data directory.
const (
	databaseName = "dragoman.db" // SQLite
	saslKeyName  = "sasl.key"
)

// OpenStore opens the database of a configuration for a role, and creates the data directory if necessary. Close the store, then the
// Hold, which keeps other processes from both.
func OpenStore(ctx context.Context, c config.Config, role exclusive.Role, log *slog.Logger) (*store.Store, *exclusive.Hold, error) {
	hold, err := newHold(ctx, c, role)
	if err != nil {
		return nil, nil, err
	}
	s, err := openStore(ctx, c, log)
	if err != nil {
		return nil, nil, errors.Join(err, hold.Close())
	}
	return s, hold, nil
}

// newHold keeps other processes from the data directory, which it creates if necessary, and from the database.
func newHold(ctx context.Context, c config.Config, role exclusive.Role) (*exclusive.Hold, error) {
	if err := os.MkdirAll(c.Server.Data, 0o700); err != nil {
		return nil, fmt.Errorf("server.data: %w", err)
	}
	if err := keyfile.CheckDirectory(c.Server.Data); err != nil {
		return nil, fmt.Errorf("server.data: %w", err)
	}
	return exclusive.New(ctx, exclusive.Scope{Directory: c.Server.Data, URL: c.Store.URL}, role)
}

func openStore(ctx context.Context, c config.Config, log *slog.Logger) (*store.Store, error) {
	o := storeOptions(c)
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
	if _, err := os.Stat(filepath.Join(c.Server.Data, saslKeyName)); err != nil {
		return nil // the first start did not come far
	}
	return fmt.Errorf("the database %s is empty (0 bytes): restore it from a backup, or delete it to begin without accounts", path)
}

func storeOptions(c config.Config) store.Options {
	return store.Options{
		Path: filepath.Join(c.Server.Data, databaseName), URL: c.Store.URL,
		Partitions: c.Store.Partitions, Readers: c.Store.Readers, Limits: StoreLimits(c),
	}
}

// Accounts manages accounts in the database, while a server may be running.
type Accounts struct {
	config config.Config
	store  *store.Store
	hold   *exclusive.Hold
}

// OpenAccounts opens the database of a configuration for Accounts. Call Close after use.
func OpenAccounts(ctx context.Context, c config.Config) (*Accounts, error) {
	s, hold, err := OpenStore(ctx, c, exclusive.Account, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return &Accounts{config: c, store: s, hold: hold}, nil
}

// Close closes the database.
func (a *Accounts) Close() error { return errors.Join(a.store.Close(), a.hold.Close()) }

// address parses user@host, or user alone for the first served host.
func (a *Accounts) address(name string) (jid.JID, error) {
	j, err := jid.Parse(name)
	if err == nil && j.Local() == "" {
		j, err = jid.New(name, a.config.Server.Hosts[0], "")
	}
	if err != nil || !j.IsBare() {
		return jid.JID{}, fmt.Errorf("%q is not an address such as ann@%s", name, a.config.Server.Hosts[0])
	}
	if !slices.Contains(a.config.Server.Hosts, j.Domain()) {
		return jid.JID{}, fmt.Errorf("%s is not a served host: server.hosts names %v", j.Domain(), a.config.Server.Hosts)
	}
	return j, nil
}

// Add creates an account and returns its address.
func (a *Accounts) Add(ctx context.Context, name, password string) (string, error) {
	account, credentials, err := a.credentials(name, password)
	if err != nil {
		return "", err
	}
	if err := a.store.CreateAccount(ctx, account, credentials); err != nil {
		if errors.Is(err, store.ErrAccountExists) {
			return "", fmt.Errorf("%s exists already; 'dragoman account passwd' changes its password", account)
		}
		if errors.Is(err, store.ErrBeingRemoved) {
			return "", fmt.Errorf("the old account %s is still being deleted: start the server to complete that", account)
		}
		return "", err
	}
	return account.String(), nil
}

// SetPassword changes a password and returns the address. A running server ends the account's sessions within a second.
func (a *Accounts) SetPassword(ctx context.Context, name, password string) (string, error) {
	return a.setPassword(ctx, name, password, a.store.SetCredentialsAndRevoke)
}

// SetPasswordOnly is SetPassword, but sessions go on.
func (a *Accounts) SetPasswordOnly(ctx context.Context, name, password string) (string, error) {
	return a.setPassword(ctx, name, password, a.store.SetCredentials)
}

func (a *Accounts) setPassword(ctx context.Context, name, password string, set func(context.Context, jid.JID, sasl.Credentials) error) (string, error) {
	account, credentials, err := a.credentials(name, password)
	if err != nil {
		return "", err
	}
	if err := set(ctx, account, credentials); err != nil {
		return "", accountError(account, err)
	}
	return account.String(), nil
}

// Admin reports whether server.admins names an address.
func (a *Accounts) Admin(address string) bool {
	account, err := jid.Parse(address)
	return err == nil && slices.ContainsFunc(a.config.Server.Admins, func(name string) bool {
		admin, err := jid.Parse(name)
		return err == nil && admin == account
	})
}

// How long Remove waits for a running server, and how often it checks.
const (
	removeWait  = 3 * time.Second
	removeCheck = 50 * time.Millisecond
)

// Address returns the address of an existing account.
func (a *Accounts) Address(ctx context.Context, name string) (string, error) {
	account, err := a.address(name)
	if err != nil {
		return "", err
	}
	found, err := a.store.Exists(ctx, account)
	if err == nil && !found {
		err = accountError(account, store.ErrNoAccount)
	}
	return account.String(), err
}

// Remove deletes an account with all its data. When it returns nobody can log in any more. done reports
// whether a running server has completed the deletion; otherwise the next server to start does.
func (a *Accounts) Remove(ctx context.Context, name string) (address string, done bool, err error) {
	account, err := a.address(name)
	if err != nil {
		return "", false, err
	}
	if err := a.store.RemoveAccount(ctx, account); err != nil {
		return "", false, accountError(account, err)
	}
	done, err = a.waitRemoved(ctx, account)
	return account.String(), done, err
}

// waitRemoved waits until a running server has completed the deletion, or for removeWait.
func (a *Accounts) waitRemoved(ctx context.Context, account jid.JID) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, removeWait)
	defer cancel()
	tick := time.NewTicker(removeCheck)
	defer tick.Stop()
	for {
		list, err := a.store.Removals(ctx)
		switch {
		case err == nil && !slices.Contains(list, account):
			return true, nil
		case err != nil && ctx.Err() == nil:
			return false, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false, nil
		}
	}
}

func (a *Accounts) credentials(name, password string) (jid.JID, sasl.Credentials, error) {
	account, err := a.address(name)
	if err != nil {
		return account, sasl.Credentials{}, err
	}
	credentials, err := sasl.NewCredentials(password, a.config.Login.Iterations)
	return account, credentials, err
}

func accountError(account jid.JID, err error) error {
	if errors.Is(err, store.ErrNoAccount) {
		return fmt.Errorf("there is no account %s", account)
	}
	if errors.Is(err, store.ErrForeign) {
		return fmt.Errorf("%s has no password here: another back end of login.backends checks it", account)
	}
	return err
}
