package router

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// silent is a session that costs nothing.
type silent struct{ jid jid.JID }

func (s *silent) JID() jid.JID           { return s.jid }
func (s *silent) Deliver(*stanza.Stanza) {}
func (s *silent) Flush()                 {}
func (s *silent) Close(string, string)   {}

// crowd binds n available accounts with one session each and returns the first's batch.
func crowd(tb testing.TB, n int) (*town, *Batch, []jid.JID) {
	tn := newTown(tb)
	var list []jid.JID
	var batch *Batch
	for i := range n {
		j := jid.MustParse(fmt.Sprintf("user%d@home.test/phone", i))
		b, err := tn.host.Bind(context.Background(), &silent{j}, Claim{})
		if err != nil {
			tb.Fatal(err)
		}
		b.SetPresence(&Presence{})
		if batch == nil {
			batch = NewBatch(context.Background())
			batch.SetSession(b)
		}
		list = append(list, j)
	}
	return tn, batch, list
}

func TestRouteDoesNotAllocate(t *testing.T) {
	tn, batch, list := crowd(t, 100)
	full := from(message(list[50].String(), "chat"), list[0].String())
	bare := from(message(list[51].Bare().String(), "chat"), list[0].String())
	iq := from(query(list[0].String(), "result", "urn:x"), list[0].String())
	iq.Type = "result"
	submit := func(st *stanza.Stanza) func() {
		return func() {
			tn.host.Submit(batch, st)
			batch.Flush()
		}
	}
	for name, f := range map[string]func(){
		"full": submit(full), "bare": submit(bare), "result": submit(iq),
		"from elsewhere": func() { tn.router.Route(full) },
	} {
		if n := testing.AllocsPerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	tn, batch, list := crowd(b, 1000)
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
				tn.host.Submit(batch, msgs[i%len(msgs)])
				if i%8 == 7 {
					batch.Flush()
				}
			}
		})
	}
}

// BenchmarkFanOut is one delivery of a room to 200 occupants.
func BenchmarkFanOut(b *testing.B) {
	tn, batch, list := crowd(b, 200)
	msg := stanza.NewMessage(jid.JID{}, jid.MustParse("room@chat.test/nick"), "groupchat", stanza.TextElement("", "body", "hi"))
	b.ReportAllocs()
	for i := range b.N {
		tn.router.RouteIn(batch, msg.WithTo(list[i%len(list)]))
		if i%len(list) == 0 {
			batch.Flush()
		}
	}
}

// Sessions come and go while others are written to.
func TestDirectoryUnderLoad(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			ctx := context.Background()
			for i := range 300 {
				j := jid.MustParse(fmt.Sprintf("user%d@home.test/r%d", i%7, w))
				b, err := tn.host.Bind(ctx, &silent{j}, Claim{Replace: true})
				if err != nil {
					t.Error(err)
					return
				}
				b.SetPresence(&Presence{})
				tn.router.Route(from(message(j.String(), "chat"), "x@home.test/a"))
				tn.router.Route(from(message(j.Bare().String(), "chat"), "x@home.test/a"))
				if tn.host.Session(j) != b {
					t.Errorf("%s: not found", j)
				}
				tn.host.Unbind(ctx, b)
			}
		})
	}
	wg.Wait()
	tn.host.Each(func(b *Bound) bool { t.Errorf("%s is left", b.JID()); return true })
}
