package pubsub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// oneAccount is a Host with one account.
type oneAccount struct{ nodes *Nodes }

func (h *oneAccount) Nodes(context.Context, jid.JID) (*Nodes, error) { return h.nodes, nil }

func (h *oneAccount) Change(_ jid.JID, change func(*Nodes) *Nodes) { h.nodes = change(h.nodes) }

func (h *oneAccount) Relation(context.Context, jid.JID, jid.JID, []string) (Relation, error) {
	return Relation{}, nil
}

func (h *oneAccount) Implicit(_ context.Context, _ jid.JID, _ *Node, send func(stanza.Receiver)) error {
	send(stanza.Receiver{JID: jid.MustParse("bob@example.org/x")})
	return nil
}

func (h *oneAccount) MayCreate(context.Context, jid.JID, jid.JID) bool { return false }

// transactions is a Store that remembers what it was given to write.
type transactions struct {
	Store
	refuse string // an id
	full   bool
	log    []string
}

func (s *transactions) Bytes(context.Context, jid.JID) (int64, error) { return 0, nil }

func (s *transactions) Write(_ context.Context, _ jid.JID, changes ...*Change) error {
	if s.full {
		return stanza.ResourceConstraint("the disk is full")
	}
	var ids []string
	for _, c := range changes {
		if c.Item.ID == s.refuse {
			return ErrGone
		}
		ids = append(ids, c.Item.ID)
	}
	s.log = append(s.log, strings.Join(ids, " "))
	return nil
}

// publishing is what a test publishes together.
type publishing struct {
	t      *testing.T
	engine *Engine
	store  *transactions
	routed []string
}

func newPublishing(t *testing.T) *publishing {
	limits := Limits{Nodes: 10, Items: 10, Bytes: 1 << 20, Payload: 100}
	p := &publishing{t: t, store: &transactions{}}
	p.engine = New(Options{
		Accounts: true, Defaults: AccountDefaults, Limits: func() Limits { return limits }, Host: &oneAccount{NewNodes(nil, 0)}, Store: p.store,
		Committed: func(_ context.Context, c Committed) { p.routed = append(p.routed, "committed "+c.Item.ID) },
	})
	t.Cleanup(func() { p.engine.Stop(context.Background()) })
	return p
}

// all publishes items, each given as node/id, and returns the outcomes.
func (p *publishing) all(items ...string) (outcomes []string) {
	p.t.Helper()
	account := jid.MustParse("alice@example.org")
	var list []*Request
	for _, item := range items {
		node, id, _ := strings.Cut(item, "/")
		payload := "<x xmlns='urn:test'/>"
		if id == "big" {
			payload = "<x xmlns='urn:test'>" + strings.Repeat("x", 200) + "</x>"
		}
		st := &stanza.Stanza{
			Kind: stanza.IQ, Type: stanza.TypeSet, From: jid.MustParse("alice@example.org/x"), ID: id,
			Payload: "<pubsub xmlns='" + NS + "'><publish node='" + node + "'><item id='" + id + "'>" + payload + "</item></publish></pubsub>",
		}
		if !Publishes(st) {
			p.t.Fatalf("%s does not publish", st)
		}
		list = append(list, &Request{Stanza: st, Payload: st.FirstChild(), Service: account, Route: func(st *stanza.Stanza) {
			for item := range st.FirstChild().Child(NSEvent, "items").Elements() {
				p.routed = append(p.routed, "event "+item.Attr("id"))
			}
		}})
	}
	outcomes = make([]string, len(items))
	p.engine.PublishAll(p.t.Context(), list, func(i int, xml string, err error) {
		if outcomes[i] != "" {
			p.t.Errorf("two answers for %s", items[i])
		}
		if outcomes[i] = "done"; err != nil {
			outcomes[i] = fmt.Sprint(err)
		} else if !strings.Contains(xml, "id='"+list[i].Stanza.ID+"'") {
			p.t.Errorf("the answer for %s is %s", items[i], xml)
		}
	})
	return outcomes
}

func (p *publishing) stored(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.store.log, want) {
		p.t.Errorf("transactions %q, want %q", p.store.log, want)
	}
	p.store.log = nil
}

// Items that are published together are stored by one transaction, but for what depends on those before it. Nobody is notified before the
// commit, and then in the order of the requests.
func TestPublishAll(t *testing.T) {
	t.Parallel()
	p := newPublishing(t)
	p.all("a/1", "a/2", "a/3", "b/4", "a/5", "b/6")
	p.stored("1", "2 3", "4", "5 6")
	want := []string{
		"committed 1", "event 1", "committed 2", "committed 3", "event 2", "event 3", "committed 4", "event 4",
		"committed 5", "committed 6", "event 5", "event 6",
	}
	if !slices.Equal(p.routed, want) {
		t.Errorf("got %q\nwant %q", p.routed, want)
	}
}

// A request that is refused changes nothing for those that came with it.
func TestPublishAllRefused(t *testing.T) {
	t.Parallel()
	p := newPublishing(t)
	p.all("a/1")
	p.stored("1")
	p.store.refuse = "bad"
	got := p.all("a/2", "a/big", "a/3", "a/bad", "a/4")
	p.stored("2", "3", "4")
	for i, done := range []bool{true, false, true, false, true} {
		if (got[i] == "done") != done {
			t.Errorf("outcomes %q", got)
			break
		}
	}
	p.store.full, p.routed = true, nil
	for _, outcome := range p.all("a/5", "a/6") {
		if !strings.Contains(outcome, "resource-constraint") {
			t.Errorf("with a full disk: %s", outcome)
		}
	}
	if len(p.routed) != 0 {
		t.Errorf("notified of what is not stored: %q", p.routed)
	}
}

func TestPublishAllAfterStop(t *testing.T) {
	t.Parallel()
	p := newPublishing(t)
	p.engine.Stop(t.Context())
	if got := p.all("a/1", "a/2"); slices.Contains(got, "") || slices.Contains(got, "done") {
		t.Errorf("outcomes %q", got)
	}
	p.stored()
}
