package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/administration"
)

// AccountInfo is an account with its role and its last activity.
type AccountInfo struct {
	store.Account
	Role       admin.Role
	Configured bool      // the configuration gives the role
	LastSeen   time.Time // zero: never, or online since the server was started
	Archive    string    // how long its archive is kept, such as "30 days"; only Show gives it
}

// rights returns the roles that the configuration and the database give.
func (a *Accounts) rights(ctx context.Context) (*admin.Rights, error) {
	r := admin.NewRights(a.config.Server.Admins, a.config.Accounts.Operators, administration.New(a.store, a.config.Login.Iterations))
	return r, r.Reload(ctx)
}

// Disable keeps everybody from logging in to an account until Enable. A running server ends its sessions within a second.
func (a *Accounts) Disable(ctx context.Context, name string) (string, error) {
	return a.change(name, func(account jid.JID) error { return a.store.DisableAndRevoke(ctx, account) })
}

// Enable undoes Disable and Lock.
func (a *Accounts) Enable(ctx context.Context, name string) (string, error) {
	return a.change(name, func(account jid.JID) error {
		return errors.Join(a.store.SetDisabled(ctx, account, false), a.store.SetLocked(ctx, account, time.Time{}))
	})
}

// Lock keeps everybody from logging in to an account until a time. A running server ends its sessions within a second.
func (a *Accounts) Lock(ctx context.Context, name string, until time.Time) (string, error) {
	if !until.After(time.Now()) {
		return "", fmt.Errorf("%s is over already", until.Format(time.RFC3339))
	}
	return a.change(name, func(account jid.JID) error { return a.store.LockAndRevoke(ctx, account, until) })
}

// Grant gives an account a role, or takes it away: admin.User. A running server knows it within a second.
func (a *Accounts) Grant(ctx context.Context, name string, role string) (string, error) {
	wanted, err := admin.ParseRole(role)
	if err != nil {
		return "", err
	}
	r, err := a.rights(ctx)
	if err != nil {
		return "", err
	}
	return a.change(name, func(account jid.JID) error {
		err := r.Grant(ctx, account, wanted)
		if errors.Is(err, admin.ErrConfigured) {
			return fmt.Errorf("server.admins or accounts.operators names %s: change the configuration", account)
		}
		return err
	})
}

// change does something with an account and returns its address.
func (a *Accounts) change(name string, do func(account jid.JID) error) (string, error) {
	account, err := a.address(name)
	if err != nil {
		return "", err
	}
	return account.String(), accountError(account, do(account))
}

// Show returns what there is to know about an account.
func (a *Accounts) Show(ctx context.Context, name string) (AccountInfo, error) {
	address, err := a.address(name)
	if err != nil {
		return AccountInfo{}, err
	}
	account, err := a.store.Account(ctx, address)
	if err != nil {
		return AccountInfo{}, accountError(address, err)
	}
	r, err := a.rights(ctx)
	if err != nil {
		return AccountInfo{}, err
	}
	keep, err := a.retentionText(ctx, address)
	if err != nil {
		return AccountInfo{}, err
	}
	seen, _, err := a.store.LastSeen(ctx, address)
	return AccountInfo{Account: account, Role: r.Role(address), Configured: r.Configured(address) == r.Role(address), LastSeen: seen, Archive: keep}, err
}

// List returns all accounts.
func (a *Accounts) List(ctx context.Context) ([]AccountInfo, error) {
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	r, err := a.rights(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]AccountInfo, 0, len(accounts))
	for _, account := range accounts {
		list = append(list, AccountInfo{Account: account, Role: r.Role(account.JID)})
	}
	return list, nil
}
