package administration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct {
	*store.Store
	iterations int
}

// New returns the tables in a database; iterations are those of SCRAM for new passwords, 0 for the default.
func New(s *store.Store, iterations int) *Tables {
	if iterations == 0 {
		iterations = sasl.DefaultIterations
	}
	return &Tables{s, iterations}
}

var (
	_ admin.RoleStore     = (*Tables)(nil)
	_ admin.AccountWriter = (*Tables)(nil)
	_ admin.AccountReader = (*Tables)(nil)
	_ admin.TextStore     = (*Tables)(nil)
	_ admin.ListStore     = (*Tables)(nil)
)

// Create implements admin.AccountWriter.
func (t *Tables) Create(ctx context.Context, account jid.JID, password string) error {
	c, err := t.derive(password)
	if err != nil {
		return err
	}
	err = t.CreateAccount(ctx, account, c)
	switch {
	case errors.Is(err, store.ErrAccountExists):
		return admin.ErrExists
	case errors.Is(err, store.ErrBeingRemoved):
		return admin.ErrBeingRemoved
	}
	return err
}

// SetPassword implements admin.AccountWriter.
func (t *Tables) SetPassword(ctx context.Context, account jid.JID, password string) error {
	c, err := t.derive(password)
	if err != nil {
		return err
	}
	return t.SetCredentials(ctx, account, c)
}

func (t *Tables) derive(password string) (sasl.Credentials, error) {
	c, err := sasl.NewCredentials(password, t.iterations)
	if errors.Is(err, sasl.ErrPassword) {
		return c, fmt.Errorf("%w: %w", admin.ErrPassword, err)
	}
	return c, err
}

// Account implements admin.AccountReader.
func (t *Tables) Account(ctx context.Context, account jid.JID) (admin.Account, error) {
	a, err := t.Store.Account(ctx, account)
	return admin.Account{JID: a.JID, Created: a.Created, State: a.State()}, err
}

// Contacts implements admin.AccountReader.
func (t *Tables) Contacts(ctx context.Context, account jid.JID) ([]admin.Contact, error) {
	items, _, err := t.Roster(ctx, account, "")
	if err != nil {
		return nil, err
	}
	list := make([]admin.Contact, 0, len(items))
	for _, i := range items {
		list = append(list, admin.Contact{JID: i.JID, Name: i.Name, Subscription: string(i.Subscription), Groups: i.Groups})
	}
	return list, nil
}

// now is the time as the tables have it.
func now() int64 { return time.Now().UnixMicro() }
