package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// contacts are an account's subscriptions, which every broadcast needs. They are immutable: a change of
// the roster invalidates them, and the next use loads them again.
type contacts struct {
	from, to []jid.JID // by address
	asked    []jid.JID // who have not answered the account's request
}

func (r *Roster) loadContacts(ctx context.Context, a *router.Account) (*contacts, error) {
	items, err := r.store.RosterContacts(ctx, a.JID())
	if err != nil {
		return nil, fmt.Errorf("read contacts of %s: %w", a.JID(), err)
	}
	c := &contacts{}
	for _, item := range items {
		if item.Subscription.HasFrom() {
			c.from = append(c.from, item.JID)
		}
		if item.Subscription.HasTo() {
			c.to = append(c.to, item.JID)
		}
		if item.Ask {
			c.asked = append(c.asked, item.JID)
		}
	}
	slices.SortFunc(c.from, compare)
	slices.SortFunc(c.to, compare)
	return c, nil
}

func compare(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) }

func has(list []jid.JID, j jid.JID) bool {
	_, found := slices.BinarySearchFunc(list, j, compare)
	return found
}

// Contacts implements router.Subscriptions.
func (r *Roster) Contacts(ctx context.Context, a *router.Account) (from, to []jid.JID, err error) {
	c, err := r.contacts.Get(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	return r.mergeContacts(a.JID(), c.from), r.mergeContacts(a.JID(), c.to), nil
}

// Subscription implements router.Subscriptions.
func (r *Roster) Subscription(ctx context.Context, a *router.Account, other jid.JID) (from, to bool, err error) {
	c, err := r.contacts.Get(ctx, a)
	if err != nil {
		return false, false, err
	}
	other = other.Bare()
	if r.shared.Load().share(a.JID(), other) {
		return true, true, nil
	}
	return has(c.from, other), has(c.to, other), nil
}

// Listed reports whether a contact is in the account's roster, with or without a subscription.
func (r *Roster) Listed(ctx context.Context, a *router.Account, other jid.JID) (bool, error) {
	if r.shared.Load().share(a.JID(), other.Bare()) {
		return true, nil
	}
	e, err := r.store.RosterEntry(ctx, a.JID(), other.Bare())
	return e.Listed, err
}

// InGroup reports whether a contact is in one of some groups of the account's roster.
func (r *Roster) InGroup(ctx context.Context, a *router.Account, contact jid.JID, groups []string) (bool, error) {
	e, err := r.store.RosterEntry(ctx, a.JID(), contact.Bare())
	if err != nil {
		return false, fmt.Errorf("read groups of a contact of %s: %w", a.JID(), err)
	}
	return slices.ContainsFunc(e.Groups, func(g string) bool { return slices.Contains(groups, g) }), nil
}
