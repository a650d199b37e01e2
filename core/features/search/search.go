package search

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of the service.
const (
	NS         = "jabber:iq:search"
	nsRegister = "jabber:iq:register" // XEP-0077
)

// maxFound is the number of matches that a search looks at; what is beyond is found by a narrower one.
const maxFound = 1000

// Entry is what an account has entered about itself, in the order of the fields of XEP-0055 §5.2.
type Entry struct {
	Account                  jid.JID
	First, Last, Nick, EMail string
}

// Query is a search in the directory of a host.
type Query struct {
	Host jid.JID
	By   jid.JID // the bare JID of who searches
	// Terms are what the fields First, Last, Nick and EMail must match, in this order.
	Terms [fields]Term
	Limit int
}

// Store keeps the directory.
type Store interface {
	// DirectoryEntry returns false if the account is not in the directory.
	DirectoryEntry(ctx context.Context, account jid.JID) (Entry, bool, error)
	// SetDirectoryEntry adds or replaces an entry; keys are its fields as Term compares them.
	SetDirectoryEntry(ctx context.Context, e Entry, keys [fields]string) error
	// RemoveDirectoryEntry returns false if there was no entry.
	RemoveDirectoryEntry(ctx context.Context, account jid.JID) (bool, error)
	// SearchDirectory returns the matching entries, sorted by account.
	SearchDirectory(ctx context.Context, q Query) ([]Entry, error)
}

// Limits of searches; zero means no limit.
type Limits struct {
	PerMinute int // of one account
	Results   int // in one answer
}

// Search is the directory of one host.
type Search struct {
	host     *router.Host
	store    Store
	limits   Limits
	commands *command.Engine
	searches *router.Slot[rate.Limiter] // of an account

	tooMany, cut atomic.Uint64 // how often the limits were reached
}

// New returns the directory of a host.
func New(h *router.Host, s Store, l Limits) *Search {
	if l.Results <= 0 {
		l.Results = maxFound
	}
	d := &Search{host: h, store: s, limits: l, commands: command.NewEngine(command.Limits{}, nil)}
	d.searches = &router.Slot[rate.Limiter]{Load: func(context.Context, *router.Account) (*rate.Limiter, error) {
		if l.PerMinute <= 0 {
			return rate.NewLimiter(rate.Inf, 0), nil
		}
		return rate.NewLimiter(rate.Every(time.Minute/time.Duration(l.PerMinute)), l.PerMinute), nil
	}}
	d.commands.Add(d.enterCommand())
	return d
}

// Feature declares what the host itself has to know.
func (d *Search) Feature() router.Feature {
	return router.Feature{
		Name:  "search",
		Slots: []router.AccountSlot{d.searches},
		Counters: []router.Counter{
			{Setting: "limits.searches", Value: &d.tooMany}, {Setting: "limits.search_results", Value: &d.cut},
		},
		Specs: []spec.Spec{{
			Number: "0055", Title: "Jabber Search", Version: "1.3", State: spec.Complete,
			Note: "Server: a directory of the accounts that have entered themselves. Gateways: the people whom one's own linked accounts see.",
		}},
	}
}

// Service declares the feature of the directory's own domain.
func (d *Search) Service() router.Feature {
	return router.Feature{
		Name: "directory",
		HostIQ: map[string]router.IQHandler{
			NS: d.iq, nsRegister: d.register,
			command.NS: local(func(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
				return d.commands.Handle(ctx, q.Stanza)
			}),
		},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS, nsRegister}}, Source: d.commands},
	}
}

// local returns a handler that calls h for accounts of the directory's host only.
func local(h router.IQHandler) router.IQHandler {
	return func(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
		if q.Session == nil {
			return nil, stanza.Forbidden("only accounts of this server may use its directory")
		}
		return h(ctx, q)
	}
}

// iq answers with the fields, or searches (XEP-0055 §2.1).
func (d *Search) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Session == nil || q.Session.Account().Host() != d.host:
		return nil, stanza.Forbidden("only accounts of this server may search its directory")
	case !q.Payload.Is(NS, "query"):
		return nil, stanza.BadRequest("")
	case q.Stanza.Type == stanza.TypeGet:
		return searchForm(), nil
	}
	s, err := parseSearch(q.Payload)
	if err != nil {
		return nil, err
	}
	limiter, err := d.searches.Get(ctx, q.Session.Account())
	if err != nil {
		return nil, err
	}
	if !limiter.Allow() {
		d.tooMany.Add(1)
		return nil, stanza.ResourceConstraint("you have searched very often just now: wait a moment")
	}
	found, err := d.store.SearchDirectory(ctx, Query{
		Host: d.host.Domain(), By: q.Session.JID().Bare(), Terms: s.terms, Limit: maxFound,
	})
	if err != nil {
		return nil, fmt.Errorf("search the directory of %s: %w", d.host.Domain(), err)
	}
	return d.answer(s, found)
}
