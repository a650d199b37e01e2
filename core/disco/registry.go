package disco

import (
	"context"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Query is one question.
type Query struct {
	To, From jid.JID
	Node     string
}

// Source knows what is not fixed. An item-not-found means "ask the next one"; any other
// *stanza.Error is the answer.
type Source interface {
	DiscoInfo(ctx context.Context, q Query) (Info, error)
	// DiscoItems gives all items, in an order that stays the same.
	DiscoItems(ctx context.Context, q Query) ([]Item, error)
}

// Registry answers for all addresses of one service. What is added for the zero address holds for
// every address of which nothing else is known. The zero Registry is not usable.
type Registry struct {
	mu      sync.RWMutex
	known   map[entityKey]*entity
	sources []Source
}

type entityKey struct {
	jid  jid.JID
	node string
}

type entity struct {
	info  Info
	items []Item
}

// Page sizes of disco#items.
const (
	usualPage = 200
	mostPage  = 1000
)

// NewRegistry makes an empty registry.
func NewRegistry() *Registry { return &Registry{known: map[entityKey]*entity{}} }

// Add adds to the information about an entity. node may be "".
func (r *Registry) Add(j jid.JID, node string, more Info) {
	r.change(j, node, func(e *entity) { e.info = e.info.add(more) })
}

// AddItems gives an entity more items; one with the same address and node is replaced.
func (r *Registry) AddItems(j jid.JID, node string, items ...Item) {
	r.change(j, node, func(e *entity) {
		kept := slices.Clone(e.items)
		for _, i := range items {
			if k := slices.IndexFunc(kept, func(o Item) bool { return o.id() == i.id() }); k >= 0 {
				kept[k] = i
			} else {
				kept = append(kept, i)
			}
		}
		e.items = kept
	})
}

// Ask adds a source, which is asked beside what is fixed and after the sources before it.
func (r *Registry) Ask(s Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(slices.Clone(r.sources), s)
}

// change replaces an entity by a changed copy: readers keep the one they have.
func (r *Registry) change(j jid.JID, node string, f func(*entity)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := entity{}
	if old := r.known[entityKey{j, node}]; old != nil {
		e = *old
	}
	f(&e)
	r.known[entityKey{j, node}] = &e
}

func (r *Registry) look(q Query) (*entity, []Source) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.known[entityKey{q.To, q.Node}]
	if e == nil {
		e = r.known[entityKey{node: q.Node}]
	}
	return e, r.sources
}

// Info is what is known about an entity: what is fixed and what the sources add.
func (r *Registry) Info(ctx context.Context, q Query) (Info, error) {
	e, sources := r.look(q)
	var all Info
	found := e != nil
	if found {
		all = e.info
	}
	for _, s := range sources {
		more, err := s.DiscoInfo(ctx, q)
		switch {
		case err == nil:
			all, found = all.add(more), true
		case !notFound(err):
			return Info{}, err
		}
	}
	if !found { // XEP-0030 §3.1, §3.2
		return Info{}, stanza.ItemNotFound("")
	}
	if q.Node == "" {
		all = all.add(Info{Features: []string{NSInfo, NSItems}}) // XEP-0030 §3.1
	}
	return all, nil
}

// Items are all items of an entity.
func (r *Registry) Items(ctx context.Context, q Query) ([]Item, error) {
	e, sources := r.look(q)
	var all []Item
	found := e != nil
	if found {
		all = slices.Clone(e.items)
	}
	for _, s := range sources {
		more, err := s.DiscoItems(ctx, q)
		switch {
		case err == nil:
			all, found = append(all, more...), true
		case !notFound(err):
			return nil, err
		}
	}
	if !found {
		return nil, stanza.ItemNotFound("")
	}
	return all, nil
}

// Answer answers an IQ get of disco#info or disco#items; other requests are
// feature-not-implemented.
func (r *Registry) Answer(ctx context.Context, iq *stanza.Stanza) (*stanza.Element, error) {
	query := iq.FirstChild()
	if iq.Type != stanza.TypeGet || query == nil || query.Local != "query" {
		return nil, stanza.FeatureNotImplemented("")
	}
	q := Query{To: iq.To, From: iq.From, Node: query.Attr("node")}
	switch query.Space {
	case NSInfo:
		info, err := r.Info(ctx, q)
		if err != nil {
			return nil, err
		}
		return info.Element(q.Node), nil
	case NSItems:
		items, err := r.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		return Paged(query, items)
	}
	return nil, stanza.FeatureNotImplemented("")
}

// Paged is the page of items that a disco#items query asks for; a long list is cut
// even for requests without paging, and marked so (XEP-0059 §2.1).
func Paged(query *stanza.Element, items []Item) (*stanza.Element, error) {
	request, asked, err := paging.Parse(query)
	if err != nil {
		return nil, err
	}
	usual := mostPage
	if asked {
		usual = usualPage
	}
	page, answer, err := paging.List(items, Item.id, request.Limit(usual, mostPage))
	if err != nil {
		return nil, err
	}
	node := query.Attr("node")
	if len(items) == 0 || !asked && len(page) == len(items) { // XEP-0059 §2.2: an empty set has no <set/>
		return ItemsElement(node, page, nil), nil
	}
	return ItemsElement(node, page, &answer), nil
}

func notFound(err error) bool {
	e, ok := err.(*stanza.Error)
	return ok && e.Condition == "item-not-found"
}

// SoftwareForm is the XEP-0232 form that names the software.
func SoftwareForm(name, version, system string) *form.Form {
	f := form.New(form.Result, "urn:xmpp:dataforms:softwareinfo", "")
	for _, v := range [][2]string{{"os", system}, {"software", name}, {"software_version", version}} {
		if v[1] != "" {
			f.Add(form.Field{Var: v[0], Values: []string{v[1]}})
		}
	}
	return f
}
