package channelsearch

import (
	"context"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0433 §3 and §6.
const (
	NS        = "urn:xmpp:channel-search:0:search"
	nsParams  = "urn:xmpp:channel-search:0:search-params"
	nsOrder   = "urn:xmpp:channel-search:0:order"
	nsErrors  = "urn:xmpp:channel-search:0:error"
	nsPrivacy = "urn:xmpp:channel-search:0:anonymity"
)

// Channel is a public room.
type Channel struct {
	Address     jid.JID
	Name        string
	Description string
	Language    string // "" where it is not known
	Users       int    // occupants
	Open        bool   // everybody may enter, without a password
	ShowsJIDs   bool   // occupants see each other's real addresses
}

// Source knows the public rooms of a service.
type Source interface {
	// Channels calls each with the public rooms that who, a bare JID, may know of, in any order.
	Channels(ctx context.Context, who jid.JID, each func(*Channel)) error
}

// Limits of searches.
type Limits struct {
	PerMinute int // of one address; 0 is no limit
	Results   int // on one page
}

// Options are the parameters of New. All are required.
type Options struct {
	Source Source
	Limits func() Limits
	Local  func(who jid.JID) bool // whether an address is an account of this server
}

// Search answers searches. Its methods may be called by any goroutine.
type Search struct {
	Options
	local, foreign searchers

	Limited atomic.Uint64 // searches that were refused because of the rate
}

// searchers are those of this server, or all others, who can make up as many addresses as they like. They do not wait for each other.
type searchers struct {
	limiter limiter
	running atomic.Int32
}

// New returns a Search.
func New(o Options) *Search { return &Search{Options: o} }

// maxRunning is how many searches of a service run at the same time, for accounts of this server and for others.
const maxRunning = 2

// Handles reports whether a request is a search.
func Handles(payload *stanza.Element) bool { return payload.Is(NS, "search") }

// Handle answers a request: with the form to fill in, or with what was found (XEP-0433 §4.2).
func (s *Search) Handle(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	x := st.FirstChild()
	if st.Type != stanza.TypeGet {
		return nil, stanza.BadRequest("A search is a request of type get.")
	}
	given := x.Child(form.NS, "x")
	if given == nil {
		return stanza.NewElement(NS, "search").Add(searchForm().Element()), nil
	}
	q, err := parse(given)
	if err != nil {
		return nil, err
	}
	page, _, err := paging.Parse(x)
	if err != nil {
		return nil, err
	}
	limits := s.Limits()
	c, err := newCollector(q, page.Limit(limits.Results, limits.Results))
	if err != nil {
		return nil, err
	}
	all := &s.foreign
	if s.Local(st.From.Bare()) {
		all = &s.local
	}
	if wait := all.limiter.wait(st.From.Bare(), limits.PerMinute); wait > 0 {
		s.Limited.Add(1)
		return nil, errRate(wait)
	}
	if q.nothing() {
		return c.result(), nil
	}
	if all.running.Add(1) > maxRunning {
		all.running.Add(-1)
		s.Limited.Add(1)
		return nil, errRate(busyWait)
	}
	defer all.running.Add(-1)
	if err := s.Source.Channels(ctx, st.From.Bare(), c.add); err != nil {
		return nil, err
	}
	return c.result(), nil
}
