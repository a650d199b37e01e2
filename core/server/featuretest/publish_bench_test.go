package featuretest

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// BenchmarkPublish is an item that is published to 50 contacts who want to know it, from submission to the disk and to
// the delivery.
func BenchmarkPublish(b *testing.B) {
	const contacts = 50
	names := []string{"alice"}
	for i := range contacts {
		names = append(names, fmt.Sprint("c", i))
	}
	s := start(b, names...)
	wanting := &disco.Capabilities{}
	wanting.SetInfo(disco.Info{Features: []string{nick + "+notify"}})
	var sinks []*sink
	var from router.Port
	for _, name := range names {
		to := &sink{jid: jid.MustParse(name + "@example.org/x")}
		port, err := s.host.Bind(b.Context(), to, router.BindOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if name == "alice" {
			from = port
			continue
		}
		s.put(aliceBare, name+"@example.org", roster.Item{Subscription: roster.Both})
		p := &router.Presence{Stanza: stanza.NewPresence(jid.JID{}, to.jid, "")}
		p.Capabilities.Store(wanting)
		port.(*router.Bound).SetPresence(p)
		sinks = append(sinks, to)
	}
	sender, batch := jid.MustParse("alice@example.org/x"), router.NewBatch(b.Context())
	payload := `<pubsub xmlns='` + pubsubNS + `'>` + publish(nick, "current", nickname("Al")) + `</pubsub>`
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		from.Submit(batch, &stanza.Stanza{Kind: stanza.IQ, From: sender, ID: "1", Type: stanza.TypeSet, Payload: payload})
		batch.Flush()
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*contacts), "µs/notification")
	for _, to := range sinks {
		if to.n != b.N {
			b.Fatal(to.n)
		}
	}
}
