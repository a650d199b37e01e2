package private

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0049.
const NS = "jabber:iq:private"

// ErrFull is returned by a Store if an account would store too much.
var ErrFull = errors.New("too much private data")

// Item is a stored element.
type Item struct {
	Space, Name string
	XML         string // the element itself
}

// Store keeps the elements.
type Store interface {
	// Private returns "" if there is no such element.
	Private(ctx context.Context, account jid.JID, space, name string) (string, error)
	// SetPrivate replaces the elements in one transaction.
	SetPrivate(ctx context.Context, account jid.JID, items []Item) error
	// PrivateLimit returns how many bytes an account may store.
	PrivateLimit() int
}

// Source has one element of each account elsewhere, or a part of it.
type Source interface {
	// Private returns the element; stored is what the Store has of it, or nil.
	Private(ctx context.Context, account jid.JID, stored *stanza.Element) (*stanza.Element, error)
	// SetPrivate takes over an element, and returns what the Store keeps of it.
	SetPrivate(ctx context.Context, account jid.JID, e *stanza.Element, route func(*stanza.Stanza)) (*stanza.Element, error)
}

// Private serves the private data of a host's accounts.
type Private struct {
	store   Store
	sources map[name]Source
}

// name is that of an element.
type name struct{ space, local string }

// New returns the feature. The store limits the size.
func New(s Store) *Private { return &Private{s, map[name]Source{}} }

// From makes s the source of the elements with that name. Call it before the feature is used.
func (p *Private) From(s Source, space, local string) *Private {
	p.sources[name{space, local}] = s
	return p
}

// Feature declares the feature.
func (p *Private) Feature() router.Feature {
	return router.Feature{
		Name:      "private",
		AccountIQ: map[string]router.IQHandler{NS: router.Own(p.iq)},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Specs:     []spec.Spec{{Number: "0049", Title: "Private XML Storage", Version: "1.2", State: spec.Complete, Note: "Server."}},
	}
}

func (p *Private) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Payload.Is(NS, "query") {
		return nil, stanza.BadRequest("")
	}
	var elements []*stanza.Element
	for e := range q.Payload.Elements() {
		if e.Space == NS || e.Space == "" {
			return nil, stanza.NotAcceptable("the element has no namespace of its own") // XEP-0049 §3
		}
		elements = append(elements, e)
	}
	if len(elements) == 0 {
		return nil, stanza.NotAcceptable("there is no element") // XEP-0049 §3
	}
	if q.Stanza.Type == stanza.TypeSet {
		return nil, p.set(ctx, q, elements)
	}
	if len(elements) > 1 {
		return nil, stanza.NotAcceptable("one element at a time") // XEP-0049 §3
	}
	return p.get(ctx, q, elements[0])
}

func (p *Private) get(ctx context.Context, q *router.IQ, wanted *stanza.Element) (*stanza.Element, error) {
	xml, err := p.store.Private(ctx, q.Account.JID(), wanted.Space, wanted.Local)
	if err != nil {
		return nil, fmt.Errorf("read private data of %s: %w", q.Account.JID(), err)
	}
	var e *stanza.Element
	if xml != "" {
		if e, err = stanza.ParseElement(xml, ""); err != nil {
			return nil, fmt.Errorf("read private data of %s: %w", q.Account.JID(), err)
		}
	}
	if from := p.sources[name{wanted.Space, wanted.Local}]; from != nil {
		if e, err = from.Private(ctx, q.Account.JID(), e); err != nil {
			return nil, err
		}
	}
	if e == nil {
		e = stanza.NewElement(wanted.Space, wanted.Local)
	}
	return stanza.NewElement(NS, "query").Add(e), nil
}

// set stores the elements. Each is stored by itself, with all namespaces that it uses: the size is checked before the
// text is made, as thousands of elements may use a long namespace that the stanza declares once.
func (p *Private) set(ctx context.Context, q *router.IQ, elements []*stanza.Element) error {
	size, limit := 0, p.store.PrivateLimit()
	for _, e := range elements {
		if size += e.EncodedLen(); size > limit {
			return stanza.ResourceConstraint("you keep too much here already")
		}
	}
	items := make([]Item, 0, len(elements))
	for _, e := range elements {
		if to := p.sources[name{e.Space, e.Local}]; to != nil {
			var err error
			if e, err = to.SetPrivate(ctx, q.Account.JID(), e, q.Route); err != nil {
				return err
			}
		}
		items = append(items, Item{e.Space, e.Local, e.String()})
	}
	err := p.store.SetPrivate(ctx, q.Account.JID(), items)
	if errors.Is(err, ErrFull) {
		return stanza.ResourceConstraint("you keep too much here already")
	}
	if err != nil {
		return fmt.Errorf("write private data of %s: %w", q.Account.JID(), err)
	}
	return nil
}
