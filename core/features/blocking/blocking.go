package blocking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0191.
const (
	NS       = "urn:xmpp:blocking"
	nsErrors = "urn:xmpp:blocking:errors"
)

// ErrFull is returned by a Store if an account would block too many addresses.
var ErrFull = errors.New("too many addresses are blocked")

// Store keeps the block lists.
type Store interface {
	// Blocked returns an account's list.
	Blocked(ctx context.Context, account jid.JID) ([]jid.JID, error)
	// Block and Unblock change a list; Unblock with an empty list removes everything (XEP-0191 §3.5).
	// committed is called right after the commit, in the order of the commits, and must not block.
	// Block keeps the reports in the same transaction, and returns how many of them: an account that reports too often blocks all
	// the same.
	Block(ctx context.Context, account jid.JID, list []jid.JID, reports []Report, committed func()) (kept int, err error)
	Unblock(ctx context.Context, account jid.JID, list []jid.JID, committed func()) error
}

// Contacts returns the addresses that see the account's presence (from) and those whose presence it sees
// (to), including blocked ones.
type Contacts func(ctx context.Context, account *router.Account) (from, to []jid.JID, err error)

// Blocking holds the block lists of one host's accounts.
type Blocking struct {
	host     *router.Host
	store    Store
	contacts Contacts
	watcher  router.Watcher
	lists    *router.Slot[list]
	notified *router.Flag // the session has requested the list and gets pushes
	reported func(Report)
	tooMany  atomic.Uint64 // reports that were not kept
}

// New returns the feature. Call Join before the host is attached.
func New(h *router.Host, s Store) *Blocking {
	return &Blocking{
		host: h, store: s, notified: &router.Flag{Name: "blocklist"},
		lists: &router.Slot[list]{Load: func(ctx context.Context, a *router.Account) (*list, error) {
			blocked, err := s.Blocked(ctx, a.JID())
			if err != nil {
				return nil, fmt.Errorf("read who is blocked by %s: %w", a.JID(), err)
			}
			if len(blocked) == 0 {
				return &nobody, nil
			}
			l := list{}.with(blocked)
			return &l, nil
		}},
	}
}

// Join sets the source of the contacts, and the Watcher that sends presence after a change. Call it before
// the host is attached.
func (b *Blocking) Join(contacts Contacts, watcher router.Watcher) {
	b.contacts, b.watcher = contacts, watcher
}

// OnReport sets a function that is called for each report that is kept (XEP-0377). Call it before the host is attached.
func (b *Blocking) OnReport(f func(Report)) { b.reported = f }

// Feature declares the feature.
func (b *Blocking) Feature() router.Feature {
	return router.Feature{
		Name: "blocking",
		Stages: []router.Stage{
			{Name: "blocking", Position: router.Refuse, Outbound: b.sent, Inbound: b.received, Shared: true},
			{Name: "invitations of blocked addresses", Position: router.Refuse, Inbound: b.invited, Skip: invitesNobody, Shared: true},
		},
		AccountIQ: map[string]router.IQHandler{NS: router.Own(b.iq)},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS, NSReport}}}, // XEP-0377 §3
		Slots:     []router.AccountSlot{b.lists},
		Flags:     []*router.Flag{b.notified},
		Counters:  []router.Counter{{Setting: "limits.reports", Value: &b.tooMany}},
		Specs: []spec.Spec{
			{Number: "0191", Title: "Blocking Command", Version: "1.3", State: spec.Complete, Note: "Server."},
			{Number: "0377", Title: "Spam Reporting", Version: "0.4.1", State: spec.Complete, Note: "Server. Reports are kept for operators, and not forwarded."},
		},
	}
}

// Blocks reports whether an account has blocked an address.
// Its own sessions and its server are never blocked (XEP-0191 §4).
func (b *Blocking) Blocks(ctx context.Context, a *router.Account, other jid.JID) (bool, error) {
	if other.IsZero() || other == b.host.Domain() || other.Bare() == a.JID() {
		return false, nil
	}
	l, err := b.lists.Get(ctx, a)
	if err != nil {
		return false, err
	}
	return l.has(other), nil
}

func (b *Blocking) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	switch set := q.Stanza.Type == stanza.TypeSet; {
	case !set && q.Payload.Is(NS, "blocklist"):
		if q.Session != nil {
			q.Session.Set(b.notified, true) // before reading, so that no push is missed
		}
		return b.listBlocked(ctx, q.Account)
	case set && q.Payload.Is(NS, "block"):
		return nil, b.block(ctx, q)
	case set && q.Payload.Is(NS, "unblock"):
		return nil, b.unblock(ctx, q)
	}
	return nil, stanza.BadRequest("")
}

// listBlocked answers the request for the list (XEP-0191 §3.2).
func (b *Blocking) listBlocked(ctx context.Context, a *router.Account) (*stanza.Element, error) {
	l, err := b.lists.Get(ctx, a)
	if err != nil {
		return nil, err
	}
	all := stanza.NewElement(NS, "blocklist")
	var names []string
	for j := range *l {
		names = append(names, j.String())
	}
	slices.Sort(names)
	for _, name := range names {
		all.Add(stanza.NewElement(NS, "item").With("jid", name))
	}
	return all, nil
}

// items returns the addresses of a request, and what is reported about them.
func items(account jid.JID, e *stanza.Element) (all []jid.JID, reports []Report, err error) {
	for x := range e.Elements() {
		if !x.Is(NS, "item") {
			continue
		}
		j, err := jid.Parse(strings.Clone(x.Attr("jid"))) // kept longer than the stanza, whose buffer it would hold
		if err != nil {
			return nil, nil, stanza.JIDMalformed("")
		}
		if slices.Contains(all, j) {
			continue
		}
		all = append(all, j)
		if r := parseReport(account, j, x); r != nil {
			reports = append(reports, *r)
		}
	}
	return all, reports, nil
}

func (b *Blocking) block(ctx context.Context, q *router.IQ) error {
	account := q.Account.JID()
	more, reports, err := items(account, q.Payload)
	if err != nil {
		return err
	}
	if len(more) == 0 {
		return stanza.BadRequest("there is no item") // XEP-0191 §3.3
	}
	// Before the change: the contacts that see the account now get unavailable presence afterwards.
	hide, err := b.affected(ctx, q.Account, more)
	if err != nil {
		return err
	}
	kept, err := b.store.Block(ctx, account, more, reports, func() {
		b.committed(account, "block", more, func(l list) list { return l.with(more) })
	})
	if errors.Is(err, ErrFull) {
		return stanza.ResourceConstraint("you have blocked too many addresses already")
	}
	if err != nil {
		return fmt.Errorf("block for %s: %w", account, err)
	}
	b.tooMany.Add(uint64(len(reports) - kept))
	if b.reported != nil {
		for _, r := range reports[:kept] {
			b.reported(r)
		}
	}
	for _, contact := range hide.from {
		b.watcher.Revoked(q.Account, contact, q.Route)
	}
	b.hideDirected(q, more)
	return nil
}

// hideDirected sends unavailable presence to the blocked addresses that got directed presence.
func (b *Blocking) hideDirected(q *router.IQ, from []jid.JID) {
	gone := list{}.with(from)
	for _, s := range q.Account.Sessions() {
		for _, to := range s.Directed() {
			if gone.has(to) && s.RemoveDirected(to) {
				q.Route(stanza.NewPresence(to, s.JID(), stanza.TypeUnavailable))
			}
		}
	}
}

func (b *Blocking) unblock(ctx context.Context, q *router.IQ) error {
	fewer, _, err := items(q.Account.JID(), q.Payload)
	if err != nil {
		return err
	}
	freed := fewer
	if len(freed) == 0 { // XEP-0191 §3.5
		l, err := b.lists.Get(ctx, q.Account)
		if err != nil {
			return err
		}
		for j := range *l {
			freed = append(freed, j)
		}
	}
	seen, err := b.affected(ctx, q.Account, freed)
	if err != nil {
		return err
	}
	account := q.Account.JID()
	err = b.store.Unblock(ctx, account, fewer, func() {
		b.committed(account, "unblock", fewer, func(l list) list { return l.without(fewer) })
	})
	if err != nil {
		return fmt.Errorf("unblock for %s: %w", account, err)
	}
	return b.sharePresence(ctx, q, seen)
}

// sharePresence sends presence to contacts that are no longer blocked, and probes for theirs.
func (b *Blocking) sharePresence(ctx context.Context, q *router.IQ, seen affected) error {
	for _, contact := range seen.from {
		still, err := b.Blocks(ctx, q.Account, contact) // another item, such as the domain, may still block it
		if err != nil {
			return err
		}
		if !still {
			b.watcher.Granted(q.Account, contact, q.Route)
		}
	}
	for _, contact := range seen.to {
		still, err := b.Blocks(ctx, q.Account, contact)
		if err != nil {
			return err
		}
		if !still {
			probe := stanza.NewPresence(contact, q.Account.JID(), stanza.TypeProbe)
			probe.ID = stanza.NewID()
			q.Route(probe)
		}
	}
	return nil
}

// affected holds the contacts that a change concerns.
type affected struct{ from, to []jid.JID }

func (b *Blocking) affected(ctx context.Context, a *router.Account, by []jid.JID) (affected, error) {
	from, to, err := b.contacts(ctx, a)
	if err != nil {
		return affected{}, fmt.Errorf("read contacts of %s: %w", a.JID(), err)
	}
	changed := list{}.with(by)
	return affected{changed.matching(from), changed.matching(to)}, nil
}

// committed is called right after a commit. It changes the list in memory and sends a push to the sessions
// that have requested the list (XEP-0191 §3.3, §3.4).
func (b *Blocking) committed(account jid.JID, what string, changed []jid.JID, change func(list) list) {
	a := b.host.Local(account)
	b.lists.Change(a, func(l *list) *list { n := change(*l); return &n })
	e := stanza.NewElement(NS, what)
	for _, j := range changed {
		e.Add(stanza.NewElement(NS, "item").With("jid", j.String()))
	}
	for _, s := range a.Sessions() {
		if s.Has(b.notified) {
			s.Send(stanza.NewIQ(s.JID(), account, stanza.TypeSet, e))
		}
	}
}
