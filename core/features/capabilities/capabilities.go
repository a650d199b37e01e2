package capabilities

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
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
	Session     *router.Bound // nil: it is Address, which another server has, a contact of Of
	Of          *router.Account
	Address     jid.JID
	Before, Now *disco.Capabilities
	Route       func(*stanza.Stanza)
}

// Capabilities knows the capabilities of one host's sessions, and of the sessions of their contacts elsewhere.
type Capabilities struct {
	host     *router.Host
	watchers []func(context.Context, Change)
	contacts Contacts
	remotes  *router.Slot[remotes]
	asking   asking // questions to sessions of other servers that wait

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
	asked        announcer   // whose answer is awaited; nil: nobody is asked
	waiting      []announcer // sessions that have announced the hash meanwhile, each once
	waits        map[announcer]bool
}

// announcer is a session that has announced a hash. Two of them are equal if they are the same session.
type announcer interface {
	// ask asks the session what a hash stands for. It returns false if that is not possible.
	ask(c *Capabilities, query *stanza.Element, route func(*stanza.Stanza), answered router.Answered) bool
	// announced returns the capabilities that its latest presence refers to, nil if it has gone.
	announced() *disco.Capabilities
	// replace replaces these, unless they have changed.
	replace(was, now *disco.Capabilities) bool
	// change describes a change of them.
	change(before, now *disco.Capabilities, route func(*stanza.Stanza)) Change
}

// local is a session of the host.
type local struct{ *router.Bound }

func (l local) ask(c *Capabilities, query *stanza.Element, route func(*stanza.Stanza), answered router.Answered) bool {
	return c.host.Ask(l.Account().JID(), l.JID(), query, route, answered)
}

func (l local) announced() *disco.Capabilities {
	if p := l.Presence(); p != nil {
		return p.Capabilities.Load()
	}
	return nil
}

func (l local) replace(was, now *disco.Capabilities) bool {
	p := l.Presence()
	return p != nil && p.Capabilities.CompareAndSwap(was, now)
}

func (l local) change(before, now *disco.Capabilities, route func(*stanza.Stanza)) Change {
	return Change{Session: l.Bound, Before: before, Now: now, Route: route}
}

// New returns the feature.
func New(h *router.Host) *Capabilities {
	c := &Capabilities{host: h, known: map[key]*entry{}}
	c.remotes = &router.Slot[remotes]{Load: func(context.Context, *router.Account) (*remotes, error) { return &remotes{}, nil }}
	h.OnRestore(c.restored)
	h.OnFailed(c.failed)
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
	if e, ask := c.announce(hash, local{s}, &now.Capabilities); ask {
		c.ask(context.Background(), e, local{s}, c.host.Router().Route)
	}
}

// Watch adds a function that is called for each Change, in the goroutine of the session or of the one that has answered.
// Call it before the host is attached.
func (c *Capabilities) Watch(f func(context.Context, Change)) { c.watchers = append(c.watchers, f) }

// Feature declares the feature.
func (c *Capabilities) Feature() router.Feature {
	return router.Feature{
		Name:   "capabilities",
		Stages: []router.Stage{{Name: "capabilities", Position: router.Clean, Inbound: c.received, Skip: router.Only(stanza.Presence)}},
		Slots:  []router.AccountSlot{c.remotes},
		Specs:  []spec.Spec{{Number: "0390", Title: "Entity Capabilities 2.0", Version: "0.3.2", State: spec.Complete, Note: "Server."}},
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
	session := local{p.Session}
	e, ask := c.announce(hash, session, &now.Capabilities)
	switch {
	case e.capabilities.Known():
		if e.capabilities != before {
			c.notify(ctx, session.change(before, e.capabilities, p.Route))
		}
	case ask && before.Known() && sameHash(p.Previous.Stanza, hash): // its answer did not have the hash
		now.Capabilities.Store(before)
		c.ask(ctx, e, c.next(e), p.Route)
	case ask:
		c.ask(ctx, e, session, p.Route)
	}
}

func sameHash(presence *stanza.Stanza, h disco.CapsHash) bool {
	before, ok := disco.FindCapsHash(presence.Tree())
	presence.DropTree()
	return ok && before == h
}

// announce gives the presence of a session, whose capabilities are at, those of its hash. It returns the entry of the hash, and whether the
// session has to be asked what it stands for.
func (c *Capabilities) announce(h disco.CapsHash, session announcer, at *atomic.Pointer[disco.Capabilities]) (e *entry, ask bool) {
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
	at.Store(e.capabilities) // before the answer can come
	switch {
	case e.capabilities.Known():
	case e.asked == nil:
		e.asked, ask = session, true
	case e.asked != session && !e.waits[session]: // once, however often it changes its hash
		if e.waits == nil {
			e.waits = map[announcer]bool{}
		}
		e.waits[session] = true
		e.waiting = append(e.waiting, session)
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
func (c *Capabilities) ask(ctx context.Context, e *entry, s announcer, route func(*stanza.Stanza)) {
	for s != nil {
		query := stanza.NewElement(disco.NSInfo, "query").With("node", e.hash.Node)
		asked := s
		if s.ask(c, query, route, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
			c.answered(context.WithoutCancel(ctx), e, asked, answer, route)
		}) {
			return
		}
		s = c.next(e) // too many questions wait: nobody is asked in the end
	}
}

// next returns the next session to be asked, or nil.
func (c *Capabilities) next(e *entry) announcer {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.asked = nil
	for len(e.waiting) > 0 {
		s := e.waiting[0]
		e.waiting = e.waiting[1:]
		delete(e.waits, s)
		if s.announced() == e.capabilities {
			e.asked = s
			return s
		}
	}
	return nil
}

// answered handles the answer of a session; nil: it has not answered.
func (c *Capabilities) answered(ctx context.Context, e *entry, s announcer, answer *stanza.Stanza, route func(*stanza.Stanza)) {
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
func (c *Capabilities) learned(ctx context.Context, s announcer, announced, now *disco.Capabilities, route func(*stanza.Stanza)) {
	if s.replace(announced, now) {
		c.notify(ctx, s.change(nil, now, route))
	}
}

func (c *Capabilities) notify(ctx context.Context, change Change) {
	for _, f := range c.watchers {
		f(ctx, change)
	}
}
