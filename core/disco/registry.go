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

// Query is a disco#info or disco#items request.
type Query struct {
	To, From jid.JID
	Node     string
}

// Source returns information that changes at run time. After item-not-found the next source is called; any
// other *stanza.Error is the answer.
type Source interface {
	DiscoInfo(ctx context.Context, q Query) (Info, error)
	// DiscoItems returns all items in a stable order.
	DiscoItems(ctx context.Context, q Query) ([]Item, error)
}

// Registry answers for all addresses of one service. Entries for the zero address hold for every address
// without an entry of its own. Use NewRegistry.
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
	defaultPage = 200
	maxPage     = 1000
)

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{known: map[entityKey]*entity{}} }

// Add adds to the information about an entity. node may be "".
func (r *Registry) Add(j jid.JID, node string, more Info) {
	r.change(j, node, func(e *entity) { e.info = e.info.add(more) })
}

// AddItems adds items of an entity; it replaces one with the same address and node.
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

// RemoveItem removes the item of an entity that has the same address and node.
func (r *Registry) RemoveItem(j jid.JID, node string, item Item) {
	r.change(j, node, func(e *entity) {
		e.items = slices.DeleteFunc(slices.Clone(e.items), func(o Item) bool { return o.id() == item.id() })
	})
}

// AddSource adds a source; its answers are appended to the fixed entries and those of earlier sources.
func (r *Registry) AddSource(s Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(slices.Clone(r.sources), s)
}

// change replaces an entity by a changed copy, because readers use entities without the lock.
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

func (r *Registry) lookUp(q Query) (*entity, []Source) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.known[entityKey{q.To, q.Node}]
	if e == nil {
		e = r.known[entityKey{node: q.Node}]
	}
	return e, r.sources
}

// Info returns the fixed information about an entity and that of the sources.
func (r *Registry) Info(ctx context.Context, q Query) (Info, error) {
	e, sources := r.lookUp(q)
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

// Items returns all items of an entity.
func (r *Registry) Items(ctx context.Context, q Query) ([]Item, error) {
	e, sources := r.lookUp(q)
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
		return ItemsPage(query, items)
	}
	return nil, stanza.FeatureNotImplemented("")
}

// ItemsPage returns the page of items that a disco#items query requests. A long list is cut even without
// paging in the request; the answer says so (XEP-0059 §2.1).
func ItemsPage(query *stanza.Element, items []Item) (*stanza.Element, error) {
	request, paged, err := paging.Parse(query)
	if err != nil {
		return nil, err
	}
	size := maxPage
	if paged {
		size = defaultPage
	}
	page, answer, err := paging.List(items, Item.id, request.Limit(size, maxPage))
	if err != nil {
		return nil, err
	}
	node := query.Attr("node")
	if len(items) == 0 || !paged && len(page) == len(items) { // XEP-0059 §2.2: an empty set has no <set/>
		return ItemsElement(node, page, nil), nil
	}
	return ItemsElement(node, page, &answer), nil
}

func notFound(err error) bool {
	e, ok := err.(*stanza.Error)
	return ok && e.Condition == "item-not-found"
}

// SoftwareForm returns the form with the name and version of the software (XEP-0232).
func SoftwareForm(name, version, system string) *form.Form {
	f := form.New(form.Result, "urn:xmpp:dataforms:softwareinfo", "")
	for _, v := range [][2]string{{"os", system}, {"software", name}, {"software_version", version}} {
		if v[1] != "" {
			f.Add(form.Field{Var: v[0], Values: []string{v[1]}})
		}
	}
	return f
}
