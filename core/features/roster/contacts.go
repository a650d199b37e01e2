package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// contacts are an account's subscriptions, which every broadcast needs. They are immutable: a change of
// the roster invalidates them, and the next use loads them again.
type contacts struct {
	from, to []jid.JID // by address
	asked    []jid.JID // who have not answered the account's request
	answers  answers
}

// maxAnswers is the number of others of whom an account's contacts remember whether they are in the roster.
const maxAnswers = 256

// answers are those of Roster.Listed since the roster has changed. Without them every message of a stranger would read the database.
type answers struct {
	mu     sync.Mutex
	listed map[jid.JID]bool
}

func (a *answers) find(other jid.JID) (listed, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	listed, known = a.listed[other]
	return listed, known
}

func (a *answers) keep(other jid.JID, listed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.listed) >= maxAnswers {
		clear(a.listed)
	}
	if a.listed == nil {
		a.listed = map[jid.JID]bool{}
	}
	a.listed[other] = listed
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
	c, err := r.contacts.Get(ctx, a) // before the entry is read: a change of it invalidates c
	if err != nil {
		return false, err
	}
	other = other.Bare()
	if listed, known := c.answers.find(other); known {
		return listed, nil
	}
	e, err := r.store.RosterEntry(ctx, a.JID(), other)
	if err == nil {
		c.answers.keep(other, e.Listed)
	}
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
