package router

import (
	"context"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// gatherer is a group of all requests of one namespace.
type gatherer struct {
	log  *[]string
	sent []*IQ
}

const nsGathered = "urn:test:gathered"

func (g *gatherer) Takes(st *stanza.Stanza) bool {
	return st.Kind == stanza.IQ && st.FirstChild().Space == nsGathered
}

func (g *gatherer) Run(context.Context) {
	for _, q := range g.sent {
		*g.log = append(*g.log, q.Stanza.ID)
		if q.Stanza.Type == stanza.TypeGet {
			q.Refuse(stanza.BadRequest(""))
			continue
		}
		q.Route(q.Stanza.Result())
	}
}

// countedWrites counts the writes that have begun and not ended.
type countedWrites int

func (w *countedWrites) BeginWrite() func(error) {
	*w++
	return func(error) { *w-- }
}

// newGathering returns a host whose requests in nsGathered are gathered; log has the ids of all stanzas in the order in which they were handled.
func newGathering(t *testing.T) (th *testHost, log *[]string) {
	log = new([]string)
	th = newTestHost(t)
	th.host.Use(Feature{Name: "gathered", AccountIQ: map[string]IQHandler{nsGathered: func(_ context.Context, q *IQ) (*stanza.Element, error) {
		g, ok := q.Group().(*gatherer)
		if !ok {
			g = &gatherer{log: log}
		}
		g.sent = append(g.sent, q)
		if !q.Gather(g) {
			g.Run(context.Background())
		}
		return nil, ErrAnswered
	}, "urn:test:other": func(_ context.Context, q *IQ) (*stanza.Element, error) {
		*log = append(*log, q.Stanza.ID)
		return nil, nil
	}}})
	return th, log
}

func request(id, typ, space string) *stanza.Stanza {
	st := stanza.NewIQ(jid.JID{}, jid.MustParse("romeo@home.test/a"), typ, stanza.NewElement(space, "query"))
	st.ID = id
	return st
}

// Requests that were gathered are handled before what came after them, and at the latest when all input is handled. Until then they count as
// not handled (XEP-0198 §4).
func TestGather(t *testing.T) {
	t.Parallel()
	th, log := newGathering(t)
	romeo := th.join("romeo@home.test/a", "")
	romeo.take()
	b, port := NewBatch(t.Context()), th.bound["romeo@home.test/a"]
	var writes countedWrites
	b.SetWrites(&writes)
	port.Submit(b, request("1", stanza.TypeSet, nsGathered))
	port.Submit(b, request("2", stanza.TypeGet, nsGathered))
	if len(*log) != 0 || writes != 2 {
		t.Errorf("handled %v, %d writes", *log, writes)
	}
	port.Submit(b, request("3", stanza.TypeGet, "urn:test:other"))
	if want := []string{"1", "2", "3"}; !slices.Equal(*log, want) || writes != 0 {
		t.Errorf("handled %v, want %v; %d writes", *log, want, writes)
	}
	port.Submit(b, request("4", stanza.TypeSet, nsGathered))
	b.Flush()
	b.Flush()
	var answers []string
	for _, st := range romeo.take() {
		answers = append(answers, st.ID+st.Type)
	}
	if want := []string{"1result", "2error", "3result", "4result"}; !slices.Equal(answers, want) {
		t.Errorf("answers %v, want %v", answers, want)
	}
	if writes != 0 {
		t.Errorf("%d writes have not ended", writes)
	}
}

// Where nobody flushes, a request is handled at once.
func TestGatherWithoutReader(t *testing.T) {
	t.Parallel()
	th, log := newGathering(t)
	th.join("romeo@home.test/a", "")
	st := request("1", stanza.TypeSet, nsGathered)
	st.To = jid.MustParse("romeo@home.test")
	th.router.Route(st)
	th.settle()
	b := NewBatch(t.Context())
	th.router.RouteIn(b, st)
	th.settle()
	if want := []string{"1", "1"}; !slices.Equal(*log, want) {
		t.Errorf("handled %v, want %v", *log, want)
	}
}
