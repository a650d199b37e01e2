package plays

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/carbons"
	"github.com/dragoman-im/dragoman/core/features/mam"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// sink is a session that counts.
type sink struct {
	jid jid.JID
	n   int
}

func (s *sink) JID() jid.JID           { return s.jid }
func (s *sink) Deliver(*stanza.Stanza) { s.n++ }
func (s *sink) Flush()                 {}
func (s *sink) Close(string, string)   {}

// BenchmarkMessage is a chat message between two accounts, from submission to delivery and
// to the disk, with the archive of both and without.
func BenchmarkMessage(b *testing.B) {
	for _, archived := range []bool{false, true} {
		name := "plain"
		if archived {
			name = "archived"
		}
		b.Run(name, func(b *testing.B) { benchmarkMessage(b, archived) })
	}
}

func benchmarkMessage(b *testing.B, archived bool) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	st, err := store.Open(b.Context(), store.Options{URL: storetest.URL(b), Log: log})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	r := router.New(log)
	h := router.NewHost(r, domain, router.HostOptions{Accounts: st, Log: log})
	stages := []router.Stage{offline.New(h, st, log).Stage()}
	if archived {
		stages = append(stages, mam.New(h, st, mam.Options{Log: log}).Stage())
	}
	h.SetStages(append(stages, carbons.Stage())...)
	if err := r.Attach(domain, h); err != nil {
		b.Fatal(err)
	}
	var batch *router.Batch
	promises := router.NewPromises(nil)
	var to *sink
	for _, name := range []string{bobDesk, alicePC} {
		to = &sink{jid: jid.MustParse(name)}
		if err := st.CreateAccount(b.Context(), to.jid.Bare(), sasl.Credentials{}); err != nil {
			b.Fatal(err)
		}
		bound, err := h.Bind(b.Context(), to, router.Claim{})
		if err != nil {
			b.Fatal(err)
		}
		bound.SetPresence(&router.Presence{Stanza: stanza.NewPresence(jid.JID{}, to.jid, "")})
		if batch == nil {
			batch = router.NewBatch(context.Background())
			batch.SetSession(bound)
			batch.SetPromises(promises)
		}
	}
	from := jid.MustParse(bobDesk)
	body := "<body>" + strings.Repeat("x", 64) + "</body>"
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		promises.Next()
		h.Submit(batch, &stanza.Stanza{Kind: stanza.Message, From: from, To: to.jid, ID: "1", Type: stanza.TypeChat, Payload: body})
		if i%1000 == 999 {
			batch.Flush()
			for promises.Kept()+2000 < uint64(i) { // as a sender's unacknowledged stanzas are bounded
				time.Sleep(100 * time.Microsecond)
			}
		}
	}
	for promises.Kept() < uint64(b.N) {
		time.Sleep(100 * time.Microsecond)
	}
	if to.n != b.N || promises.Err() != nil {
		b.Fatal(to.n, promises.Err())
	}
}
