package blocking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0191.
const (
	NS       = "urn:xmpp:blocking"
	nsErrors = "urn:xmpp:blocking:errors"
)

// ErrFull is returned by a Store where an account would block too many.
var ErrFull = errors.New("too many addresses are blocked")

// Store keeps the lists.
type Store interface {
	// EachBlocked goes through the lists of all accounts of a domain.
	EachBlocked(ctx context.Context, domain jid.JID, f func(account, blocked jid.JID)) error
	// Block and Unblock change a list; none is all. committed is called right after the
	// commit, in the order of the commits, and must not block.
	Block(ctx context.Context, account jid.JID, list []jid.JID, committed func()) error
	Unblock(ctx context.Context, account jid.JID, list []jid.JID, committed func()) error
}

// Watcher shows and hides the account's presence.
type Watcher interface {
	Granted(account, contact jid.JID, route func(*stanza.Stanza))
	Revoked(account, contact jid.JID, route func(*stanza.Stanza))
}

// Contacts tells who sees the account, and whom it sees, blocked or not.
type Contacts func(ctx context.Context, account jid.JID) (from, to []jid.JID, err error)

// Blocking is the lists of one host's accounts.
type Blocking struct {
	host     *router.Host
	store    Store
	contacts Contacts
	watcher  Watcher

	used  atomic.Bool // somebody has blocked somebody
	mu    sync.RWMutex
	lists map[jid.JID]list
}

// asked marks a session that wants to be told of changes: it has asked for the list.
type asked struct{}

// New registers the feature and reads the lists; Stage joins it to the stanzas, Join to presence.
func New(ctx context.Context, h *router.Host, s Store) (*Blocking, error) {
	b := &Blocking{host: h, store: s, lists: map[jid.JID]list{}}
	err := s.EachBlocked(ctx, h.Domain(), func(account, blocked jid.JID) {
		l := b.lists[account]
		if l == nil {
			l = list{}
			b.lists[account] = l
		}
		l[blocked] = struct{}{} // nobody else has it yet
		b.used.Store(true)
	})
	if err != nil {
		return nil, fmt.Errorf("read who is blocked: %w", err)
	}
	h.HandleIQ(NS, router.Own(b.iq))
	return b, nil
}

// Join tells who is to be shown and hidden by a change; call it before the host is attached.
func (b *Blocking) Join(contacts Contacts, watcher Watcher) {
	b.contacts, b.watcher = contacts, watcher
}

// Features are what the host's disco#info says about this feature.
func (b *Blocking) Features() []string { return []string{NS} }

// Forget drops the list of an account that has been deleted.
func (b *Blocking) Forget(account jid.JID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.lists, account)
}

// Blocks tells whether an account wants nothing from that address, and nothing to go there.
// Its own sessions and its server are never blocked (XEP-0191 §4).
func (b *Blocking) Blocks(account, other jid.JID) bool {
	if !b.used.Load() || other.IsZero() || other.Bare() == account || other == b.host.Domain() {
		return false
	}
	return b.list(account).has(other)
}

func (b *Blocking) list(account jid.JID) list {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.lists[account]
}

func (b *Blocking) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	switch set := q.Stanza.Type == stanza.TypeSet; {
	case !set && q.Payload.Is(NS, "blocklist"):
		q.Session.SetValue(asked{}, true) // before reading, so that no push is missed
		return b.show(q.Account), nil
	case set && q.Payload.Is(NS, "block"):
		return nil, b.block(ctx, q)
	case set && q.Payload.Is(NS, "unblock"):
		return nil, b.unblock(ctx, q)
	}
	return nil, stanza.BadRequest("")
}

func (b *Blocking) show(account jid.JID) *stanza.Element {
	all := stanza.NewElement(NS, "blocklist")
	var names []string
	for j := range b.list(account) {
		names = append(names, j.String())
	}
	slices.Sort(names)
	for _, name := range names {
		all.Add(stanza.NewElement(NS, "item").With("jid", name))
	}
	return all
}

// items are the addresses of a request.
func items(e *stanza.Element) ([]jid.JID, error) {
	var all []jid.JID
	for x := range e.Elements() {
		if !x.Is(NS, "item") {
			continue
		}
		j, err := jid.Parse(strings.Clone(x.Attr("jid"))) // it is kept, and the stanza is not
		if err != nil {
			return nil, stanza.JIDMalformed("")
		}
		if !slices.Contains(all, j) {
			all = append(all, j)
		}
	}
	return all, nil
}

func (b *Blocking) block(ctx context.Context, q *router.IQ) error {
	more, err := items(q.Payload)
	if err != nil {
		return err
	}
	if len(more) == 0 {
		return stanza.BadRequest("there is no item") // XEP-0191 §3.3
	}
	// While the account still counts as seen: whom it blocks sees it go.
	hide, err := b.affected(ctx, q.Account, more)
	if err != nil {
		return err
	}
	err = b.store.Block(ctx, q.Account, more, func() {
		b.change(q.Account, func(l list) list { return l.with(more) })
		b.push(q.Account, "block", more)
	})
	if errors.Is(err, ErrFull) {
		return stanza.ResourceConstraint("you have blocked too many addresses already")
	}
	if err != nil {
		return fmt.Errorf("block for %s: %w", q.Account, err)
	}
	for _, contact := range hide.from {
		b.watcher.Revoked(q.Account, contact, q.Route)
	}
	b.takeBack(q, more)
	return nil
}

// takeBack hides the account from those to whom its sessions have shown themselves directly.
func (b *Blocking) takeBack(q *router.IQ, from []jid.JID) {
	gone := list{}.with(from)
	for _, s := range b.host.Sessions(q.Account) {
		for _, to := range s.Directed() {
			if gone.has(to) && s.RemoveDirected(to) {
				q.Route(stanza.NewPresence(to, s.JID(), stanza.TypeUnavailable))
			}
		}
	}
}

func (b *Blocking) unblock(ctx context.Context, q *router.IQ) error {
	fewer, err := items(q.Payload)
	if err != nil {
		return err
	}
	freed := fewer
	if len(freed) == 0 { // XEP-0191 §3.5
		for j := range b.list(q.Account) {
			freed = append(freed, j)
		}
	}
	seen, err := b.affected(ctx, q.Account, freed)
	if err != nil {
		return err
	}
	err = b.store.Unblock(ctx, q.Account, fewer, func() {
		b.change(q.Account, func(l list) list { return l.without(fewer) })
		b.push(q.Account, "unblock", fewer)
	})
	if err != nil {
		return fmt.Errorf("unblock for %s: %w", q.Account, err)
	}
	for _, contact := range seen.from {
		if !b.Blocks(q.Account, contact) { // by another item still
			b.watcher.Granted(q.Account, contact, q.Route)
		}
	}
	for _, contact := range seen.to {
		if !b.Blocks(q.Account, contact) {
			probe := stanza.NewPresence(contact, q.Account, stanza.TypeProbe)
			probe.ID = stanza.NewID()
			q.Route(probe)
		}
	}
	return nil
}

// affected are the contacts that a change is about.
type affected struct{ from, to []jid.JID }

func (b *Blocking) affected(ctx context.Context, account jid.JID, by []jid.JID) (a affected, err error) {
	if a.from, a.to, err = b.contacts(ctx, account); err != nil {
		return a, fmt.Errorf("read contacts of %s: %w", account, err)
	}
	changed := list{}.with(by)
	other := func(j jid.JID) bool { return !changed.has(j) }
	return affected{slices.DeleteFunc(a.from, other), slices.DeleteFunc(a.to, other)}, nil
}

// change is called right after a commit.
func (b *Blocking) change(account jid.JID, f func(list) list) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := f(b.lists[account]); len(l) > 0 {
		b.lists[account] = l
		b.used.Store(true)
	} else {
		delete(b.lists, account)
	}
}

// push tells the sessions that have asked for the list (XEP-0191 §3.3, §3.4).
func (b *Blocking) push(account jid.JID, what string, list []jid.JID) {
	e := stanza.NewElement(NS, what)
	for _, j := range list {
		e.Add(stanza.NewElement(NS, "item").With("jid", j.String()))
	}
	for _, s := range b.host.Sessions(account) {
		if s.Value(asked{}) != nil {
			s.Send(stanza.NewIQ(s.JID(), account, stanza.TypeSet, e))
		}
	}
}
