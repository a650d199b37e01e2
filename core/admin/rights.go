package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// Errors of use cases, for those who called for them.
var (
	ErrNoAccount  = router.ErrNoAccount
	ErrConfigured = errors.New("the configuration gives this role")
)

// RoleStore keeps the roles that are granted at run time.
type RoleStore interface {
	// Roles returns the roles of accounts that are not being deleted.
	Roles(ctx context.Context) (map[jid.JID]Role, error)
	// SetRole grants a role to an account, or revokes it where role is User. ErrNoAccount if there is no such account.
	SetRole(ctx context.Context, account jid.JID, role Role) error
}

// Rights says which role an address has.
type Rights struct {
	configured map[jid.JID]Role
	store      RoleStore
	granted    atomic.Pointer[map[jid.JID]Role] // immutable
}

// NewRights returns the rights with the addresses that the configuration names. Those that cannot be parsed have none.
func NewRights(admins, operators []string, s RoleStore) *Rights {
	r := &Rights{configured: map[jid.JID]Role{}, store: s}
	r.granted.Store(&map[jid.JID]Role{})
	for role, list := range map[Role][]string{Operator: operators, Admin: admins} {
		for _, address := range list {
			if j, err := jid.Parse(address); err == nil && j.IsBare() && j.Local() != "" {
				r.configured[j] = max(role, r.configured[j])
			}
		}
	}
	return r
}

// Reload reads the roles that were granted. After an error those that were read before stay in force.
func (r *Rights) Reload(ctx context.Context) error {
	list, err := r.store.Roles(ctx)
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	if !maps.Equal(list, *r.granted.Load()) {
		r.granted.Store(&list)
	}
	return nil
}

// Role returns the role of the bare address of who.
func (r *Rights) Role(who jid.JID) Role {
	who = who.Bare()
	return max(r.configured[who], (*r.granted.Load())[who])
}

// Configured returns the role that the configuration gives to an address.
func (r *Rights) Configured(who jid.JID) Role { return r.configured[who.Bare()] }

// All returns everybody who has a role, with it.
func (r *Rights) All() map[jid.JID]Role {
	all := maps.Clone(r.configured)
	for who, role := range *r.granted.Load() {
		all[who] = max(role, all[who])
	}
	return all
}

// Grant gives an account a role at run time, or takes it away where role is User. It returns ErrNoAccount, or ErrConfigured
// where the configuration gives a higher role.
func (r *Rights) Grant(ctx context.Context, account jid.JID, role Role) error {
	if r.configured[account] > role {
		return ErrConfigured
	}
	if err := r.store.SetRole(ctx, account, role); err != nil {
		return err
	}
	return r.Reload(ctx)
}
