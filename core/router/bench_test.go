package router

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// nullSession is a session that costs nothing.
type nullSession struct{ jid jid.JID }

func (s *nullSession) JID() jid.JID           { return s.jid }
func (s *nullSession) Deliver(*stanza.Stanza) {}
func (s *nullSession) Flush()                 {}
func (s *nullSession) Close(string, string)   {}

// bindMany binds n available accounts with one session each and returns the first session.
func bindMany(tb testing.TB, n int) (*testHost, *Bound, []jid.JID) {
	th := newTestHost(tb)
	var list []jid.JID
	th.host.accounts = nil
	var first *Bound
	for i := range n {
		j := jid.MustParse(fmt.Sprintf("user%d@home.test/phone", i))
		b := th.bind(&nullSession{j}, BindOptions{})
		b.SetPresence(&Presence{})
		if first == nil {
			first = b
		}
		list = append(list, j)
	}
	return th, first, list
}

func TestRouteDoesNotAllocate(t *testing.T) {
	th, first, list := bindMany(t, 100)
	batch := NewBatch(context.Background())
	full := from(message(list[50].String(), "chat"), list[0].String())
	bare := from(message(list[51].Bare().String(), "chat"), list[0].String())
	iq := from(query(list[0].String(), "result", "urn:x"), list[0].String())
	iq.Type = "result"
	submit := func(st *stanza.Stanza) func() {
		return func() {
			first.Submit(batch, st)
			batch.Flush()
		}
	}
	for name, f := range map[string]func(){
		"full": submit(full), "bare": submit(bare), "result": submit(iq),
		"from elsewhere": func() { th.router.Route(full) },
	} {
		if n := testing.AllocsPerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	_, first, list := bindMany(b, 1000)
	batch := NewBatch(context.Background())
	for _, c := range []struct {
		name string
		to   func(jid.JID) jid.JID
	}{
		{"full", func(j jid.JID) jid.JID { return j }},
		{"bare", jid.JID.Bare},
	} {
		msgs := make([]*stanza.Stanza, len(list))
		for i, j := range list {
			msgs[i] = stanza.NewMessage(c.to(j), list[0], "chat", stanza.TextElement("", "body", "hi"))
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				first.Submit(batch, msgs[i%len(msgs)])
				if i%8 == 7 {
					batch.Flush()
				}
			}
		})
	}
}

// BenchmarkFanOut is one delivery of a room to 200 occupants.
func BenchmarkFanOut(b *testing.B) {
	th, _, list := bindMany(b, 200)
	batch := NewBatch(context.Background())
	msg := stanza.NewMessage(jid.JID{}, jid.MustParse("room@chat.test/nick"), "groupchat", stanza.TextElement("", "body", "hi"))
	b.ReportAllocs()
	for i := range b.N {
		th.router.RouteIn(batch, msg.WithTo(list[i%len(list)]))
		if i%len(list) == 0 {
			batch.Flush()
		}
	}
}

// Sessions come and go while others are written to.
func TestDirectoryUnderLoad(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.host.accounts = nil
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			ctx := context.Background()
			for i := range 300 {
				j := jid.MustParse(fmt.Sprintf("user%d@home.test/r%d", i%7, w))
				b := th.bind(&nullSession{j}, BindOptions{Replace: true})
				b.SetPresence(&Presence{})
				th.router.Route(from(message(j.String(), "chat"), "x@home.test/a"))
				th.router.Route(from(message(j.Bare().String(), "chat"), "x@home.test/a"))
				if th.host.Local(j).Session(j) != b {
					t.Errorf("%s: not found", j)
				}
				b.Unbind(ctx)
				if i%10 == 0 {
					th.host.Sweep()
				}
			}
		})
	}
	wg.Wait()
	th.host.Each(func(a *Account) bool {
		if len(a.Sessions()) > 0 {
			t.Errorf("%s has sessions", a.JID())
		}
		return true
	})
	th.host.Sweep()
	th.host.Sweep()
	th.host.Each(func(a *Account) bool { t.Errorf("%s is left", a.JID()); return true })
}
