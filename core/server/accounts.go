package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
)

// databaseName is the file in the data directory that holds everything.
const databaseName = "dragoman.db"

// openStore opens the database of a configuration, and makes its directory where there is none.
func openStore(ctx context.Context, c config.Config, o store.Options) (*store.Store, error) {
	if err := os.MkdirAll(c.Server.Data, 0o700); err != nil {
		return nil, fmt.Errorf("server.data: %w", err)
	}
	o.Path = filepath.Join(c.Server.Data, databaseName)
	o.Limits = store.Limits{
		OfflineMessages: c.Limits.OfflineMessages, OfflineBytes: int64(c.Limits.OfflineBytes), RosterItems: c.Limits.RosterItems,
		PendingIn: c.Limits.RosterRequests,
	}
	return store.Open(ctx, o)
}

// Accounts manages accounts beside a server that may be running.
type Accounts struct {
	config config.Config
	store  *store.Store
}

// OpenAccounts opens the accounts of a configuration; Close them.
func OpenAccounts(ctx context.Context, c config.Config) (*Accounts, error) {
	s, err := openStore(ctx, c, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &Accounts{config: c, store: s}, nil
}

// Close closes the database.
func (a *Accounts) Close() error { return a.store.Close() }

// address reads user@host, and user alone as one of the first served host.
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

// Add makes an account.
func (a *Accounts) Add(ctx context.Context, name, password string) (string, error) {
	account, credentials, err := a.credentials(name, password)
	if err != nil {
		return "", err
	}
	if err := a.store.CreateAccount(ctx, account, credentials); err != nil {
		if errors.Is(err, store.ErrAccountExists) {
			return "", fmt.Errorf("%s exists already; 'dragoman account passwd' changes its password", account)
		}
		return "", err
	}
	return account.String(), nil
}

// SetPassword changes a password.
func (a *Accounts) SetPassword(ctx context.Context, name, password string) (string, error) {
	account, credentials, err := a.credentials(name, password)
	if err != nil {
		return "", err
	}
	if err := a.store.SetCredentials(ctx, account, credentials); err != nil {
		return "", missing(account, err)
	}
	return account.String(), nil
}

// Remove deletes an account with all that belongs to it.
func (a *Accounts) Remove(ctx context.Context, name string) (string, error) {
	account, err := a.address(name)
	if err != nil {
		return "", err
	}
	if err := a.store.DeleteAccount(ctx, account); err != nil {
		return "", missing(account, err)
	}
	return account.String(), nil
}

// List lists the accounts.
func (a *Accounts) List(ctx context.Context) ([]store.Account, error) { return a.store.Accounts(ctx) }

func (a *Accounts) credentials(name, password string) (jid.JID, sasl.Credentials, error) {
	account, err := a.address(name)
	if err != nil {
		return account, sasl.Credentials{}, err
	}
	credentials, err := sasl.NewCredentials(password, a.config.Login.Iterations)
	return account, credentials, err
}

func missing(account jid.JID, err error) error {
	if errors.Is(err, store.ErrNoAccount) {
		return fmt.Errorf("there is no account %s", account)
	}
	return err
}
