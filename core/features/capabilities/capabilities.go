package capabilities

import (
	"context"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxKnown is how many hashes are kept.
const maxKnown = 4000

// maxFeatures is how many elements an answer may have.
const maxFeatures = 1000

// Change is a session whose capabilities have become known, or have changed. Before is nil if it had none.
type Change struct {
	Session     *router.Bound
	Before, Now *disco.Capabilities
	Route       func(*stanza.Stanza)
}

// Capabilities knows the capabilities of one host's sessions.
type Capabilities struct {
	host     *router.Host
	watchers []func(context.Context, Change)

	mu    sync.Mutex
	known map[key]*entry
}

// key is a hash function with a value. Hashes of the two specifications are never equal.
type key struct {
	generation       int
	algorithm, value string
}

// entry is what is known about a hash.
type entry struct {
	capabilities *disco.Capabilities
	hash         disco.CapsHash
	asked        *router.Bound   // whose answer is awaited; nil: nobody is asked
	waiting      []*router.Bound // sessions that have announced the hash meanwhile, each once
	waits        map[*router.Bound]bool
}

// New returns the feature.
func New(h *router.Host) *Capabilities {
	c := &Capabilities{host: h, known: map[key]*entry{}}
	h.OnRestore(c.restored)
	return c
}

// restored reads the capabilities of a session that goes on after the server was started again.
func (c *Capabilities) restored(s *router.Bound) {
	now := s.Presence()
	if now == nil || now.Capabilities.Load() != nil {
		return
	}
	hash, ok := disco.FindCapsHash(now.Stanza.Tree())
	now.Stanza.DropTree()
	if !ok {
		return
	}
	if e, ask := c.announce(hash, announcement{session: s, presence: now}); ask {
		c.ask(context.Background(), e, s, c.host.Router().Route)
	}
}

// Watch adds a function that is called for each Change, in the goroutine of the session or of the one that has answered.
// Call it before the host is attached.
func (c *Capabilities) Watch(f func(context.Context, Change)) { c.watchers = append(c.watchers, f) }

// Feature declares the feature.
func (c *Capabilities) Feature() router.Feature {
	return router.Feature{
		Name:  "capabilities",
		Specs: []spec.Spec{{Number: "0390", Title: "Entity Capabilities 2.0", Version: "0.3.2", State: spec.Partial, Note: "Server: hashes of clients are checked; its own are those of XEP-0115."}},
	}
}

// Available reads the capabilities of a session's presence; p.Previous is the one before.
func (c *Capabilities) Available(ctx context.Context, p *router.Pass) {
	now := p.Session.Presence()
	if now == nil || !strings.Contains(p.Stanza.Payload, "caps") { // the names of both namespaces
		return
	}
	hash, ok := disco.FindCapsHash(p.Stanza.Tree())
	if !ok {
		return
	}
	var before *disco.Capabilities
	if p.Previous != nil {
		before = p.Previous.Capabilities.Load()
	}
	e, ask := c.announce(hash, announcement{p.Session, now, before})
	switch {
	case e.capabilities.Known():
		if e.capabilities != before {
			c.notify(ctx, Change{p.Session, before, e.capabilities, p.Route})
		}
	case ask && before.Known() && sameHash(p.Previous.Stanza, hash): // its answer did not have the hash
		now.Capabilities.Store(before)
		c.ask(ctx, e, c.next(e), p.Route)
	case ask:
		c.ask(ctx, e, p.Session, p.Route)
	}
}

func sameHash(presence *stanza.Stanza, h disco.CapsHash) bool {
	before, ok := disco.FindCapsHash(presence.Tree())
	presence.DropTree()
	return ok && before == h
}

// announcement is a session with a new presence, and the capabilities of the one before.
type announcement struct {
	session  *router.Bound
	presence *router.Presence
	before   *disco.Capabilities
}

// announce gives a presence the capabilities of its hash. It returns the entry of the hash, and whether the session has to
// be asked what it stands for.
func (c *Capabilities) announce(h disco.CapsHash, a announcement) (e *entry, ask bool) {
	k := key{h.Generation, h.Algorithm, h.Value}
	c.mu.Lock()
	defer c.mu.Unlock()
	e = c.known[k]
	if e == nil {
		if len(c.known) >= maxKnown {
			c.evict()
		}
		// Copied: they refer to the stanza, whose buffer they would hold.
		k.algorithm, k.value = strings.Clone(k.algorithm), strings.Clone(k.value)
		h.Algorithm, h.Value, h.Node = k.algorithm, k.value, strings.Clone(h.Node)
		e = &entry{capabilities: &disco.Capabilities{}, hash: h}
		c.known[k] = e
	}
	a.presence.Capabilities.Store(e.capabilities) // before the answer can come
	switch {
	case e.capabilities.Known():
	case e.asked == nil:
		e.asked, ask = a.session, true
	case e.asked != a.session && !e.waits[a.session]: // once, however often it changes its hash
		if e.waits == nil {
			e.waits = map[*router.Bound]bool{}
		}
		e.waits[a.session] = true
		e.waiting = append(e.waiting, a.session)
	}
	return e, ask
}

// evict removes an entry, any of those that are not known and for whose answer no second session waits if there is one:
// sessions that announce one unknown hash after the other do not remove what is known. Sessions keep what they refer to.
func (c *Capabilities) evict() {
	for k, e := range c.known {
		if !e.capabilities.Known() && len(e.waiting) == 0 {
			delete(c.known, k)
			return
		}
	}
	for k := range c.known {
		delete(c.known, k)
		return
	}
}

// ask asks a session what the hash of its presence stands for.
func (c *Capabilities) ask(ctx context.Context, e *entry, s *router.Bound, route func(*stanza.Stanza)) {
	for s != nil {
		query := stanza.NewElement(disco.NSInfo, "query").With("node", e.hash.Node)
		asked := s
		if c.host.Ask(s.Account().JID(), s.JID(), query, route, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
			c.answered(context.WithoutCancel(ctx), e, asked, answer, route)
		}) {
			return
		}
		s = c.next(e) // too many questions wait: nobody is asked in the end
	}
}

// next returns the next session to be asked, or nil.
func (c *Capabilities) next(e *entry) *router.Bound {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.asked = nil
	for len(e.waiting) > 0 {
		s := e.waiting[0]
		e.waiting = e.waiting[1:]
		delete(e.waits, s)
		if p := s.Presence(); p != nil && p.Capabilities.Load() == e.capabilities {
			e.asked = s
			return s
		}
	}
	return nil
}

// answered handles the answer of a session; nil: it has not answered.
func (c *Capabilities) answered(ctx context.Context, e *entry, s *router.Bound, answer *stanza.Stanza, route func(*stanza.Stanza)) {
	info, matches := disco.Info{}, false
	if answer != nil && answer.Type == stanza.TypeResult {
		if query := answer.FirstChild(); query.Is(disco.NSInfo, "query") && len(query.Nodes) <= maxFeatures {
			info, matches = e.hash.Matches(query)
		}
	}
	if !matches {
		if len(info.Features) > 0 { // it holds for this session alone (XEP-0115 §5.4)
			own := &disco.Capabilities{}
			own.SetInfo(info)
			c.learned(ctx, s, e.capabilities, own, route)
		}
		c.ask(ctx, e, c.next(e), route)
		return
	}
	e.capabilities.SetInfo(info)
	c.mu.Lock()
	all := append(e.waiting, s)
	e.asked, e.waiting, e.waits = nil, nil, nil
	c.mu.Unlock()
	for _, s := range all {
		c.learned(ctx, s, e.capabilities, e.capabilities, route)
	}
}

// learned notifies about a session whose capabilities have become known, if it still announces them.
func (c *Capabilities) learned(ctx context.Context, s *router.Bound, announced, now *disco.Capabilities, route func(*stanza.Stanza)) {
	p := s.Presence()
	if p == nil || !p.Capabilities.CompareAndSwap(announced, now) {
		return
	}
	c.notify(ctx, Change{s, nil, now, route})
}

func (c *Capabilities) notify(ctx context.Context, change Change) {
	for _, f := range c.watchers {
		f(ctx, change)
	}
}
