package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/database"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
)

// Accounts manages accounts in the database, while a server may be running.
type Accounts struct {
	config config.Config
	store  *store.Store
	hold   *exclusive.Hold
}

// Open opens the database of a configuration for Accounts. Call Close after use.
func Open(ctx context.Context, c config.Config) (*Accounts, error) {
	s, hold, err := database.Open(ctx, c, exclusive.Account, slog.New(slog.DiscardHandler))
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
