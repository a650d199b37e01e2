package featuretest

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
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
	s := start(b, "bob", "alice")
	if !archived {
		for _, name := range []string{bobBare, aliceBare} {
			if err := s.store.SetPrefs(b.Context(), jid.MustParse(name), archive.Prefs{Default: archive.Never}); err != nil {
				b.Fatal(err)
			}
		}
	}
	var from router.Port
	var to *sink
	for _, name := range []string{bobDesk, alicePC} {
		to = &sink{jid: jid.MustParse(name)}
		port, err := s.host.Bind(b.Context(), to, router.BindOptions{})
		if err != nil {
			b.Fatal(err)
		}
		batch := router.NewBatch(b.Context())
		port.Submit(batch, stanza.NewPresence(jid.JID{}, to.jid, ""))
		batch.Flush()
		if from == nil {
			from = port
		}
	}
	to.n = 0 // its own presence
	sender, batch := jid.MustParse(bobDesk), router.NewBatch(context.Background())
	body := "<body>" + strings.Repeat("x", 64) + "</body>"
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		from.Submit(batch, &stanza.Stanza{Kind: stanza.Message, From: sender, To: to.jid, ID: "1", Type: stanza.TypeChat, Payload: body})
		if i%1000 == 999 {
			batch.Flush()
			s.settle() // as what a sender may send unacknowledged is bounded
		}
	}
	s.settle()
	if to.n != b.N {
		b.Fatal(to.n)
	}
}
