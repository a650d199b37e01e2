package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// counter is a server that counts what it is sent.
type counter struct {
	handle atomic.Pointer[func(*stanza.Stanza)]
	bodies atomic.Int64
	wake   chan struct{}
}

func (c *counter) Domain() jid.JID               { return domain }
func (c *counter) Handle(f func(*stanza.Stanza)) { c.handle.Store(&f) }

func (c *counter) SendAll(list []*stanza.Stanza, _ func(), done func(error)) {
	for _, st := range list {
		c.Send(st)
	}
	done(nil)
}

func (c *counter) Collect() (func(*stanza.Stanza), func()) { return c.Send, func() {} }

func (c *counter) Send(st *stanza.Stanza) {
	if st.Kind == stanza.Message {
		c.bodies.Add(1)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// until waits until so many messages were sent.
func (c *counter) until(n int64) {
	for c.bodies.Load() < n {
		select {
		case <-c.wake:
		case <-time.After(time.Second):
		}
	}
}

// BenchmarkEvents is the way of a message from a network's session to the stanza for the one who is in
// its room, on a database on the disk: received, numbered, worked on, handed over and noted.
func BenchmarkEvents(b *testing.B) {
	for _, rooms := range []int{1, 20} {
		b.Run(fmt.Sprint("rooms=", rooms), func(b *testing.B) { benchEvents(b, rooms) })
	}
}

func benchEvents(b *testing.B, rooms int) {
	world := faultnet.NewWorld()
	world.AddUser(transports.UserInfo{ID: "ann", Name: "Ann"})
	world.AddUser(transports.UserInfo{ID: "cleo", Name: "Cleo"})
	ids := make([]transports.RoomID, rooms)
	for i := range ids {
		ids[i] = transports.RoomID(fmt.Sprint("room", i))
		world.AddRoom(transports.RoomInfo{ID: ids[i], Kind: transports.Public, Name: string(ids[i])}, "ann", "cleo")
	}
	net := &lossy{Network: faultnet.New(world)}
	dir := b.TempDir()
	log := slog.New(slog.DiscardHandler)
	url, trips := countRoundTrips(b, storetest.URL(b))
	db, err := store.Open(b.Context(), store.Options{URL: url, Log: log})
	fatal(b, err)
	database, err := tables.Open(b.Context(), db)
	fatal(b, err)
	part, err := database.Gateway(b.Context(), domain)
	fatal(b, err)
	keys, err := bridge.LoadKeys("", filepath.Join(dir, "key"))
	fatal(b, err)
	c := &counter{wake: make(chan struct{}, 1)}
	g, err := bridge.New(bridge.Options{
		Network: net, Endpoint: c, Store: part, Keys: keys, DeliveryLog: filepath.Join(dir, "delivery.log"),
		Settings: bridge.Settings{Users: []string{"example.org"}, Calls: 1e6}, Version: "1.2.3", Log: log,
	})
	fatal(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	over := make(chan error, 1)
	go func() { over <- g.Run(ctx) }()
	defer func() {
		cancel()
		fatal(b, <-over)
		fatal(b, db.Close())
	}()
	for c.handle.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	deliver := *c.handle.Load()
	deliver(stanza.NewIQ(domain, phone, stanza.TypeSet, stanza.NewElement("jabber:iq:register", "query").Add(
		stanza.TextElement("jabber:iq:register", "username", "ann"), stanza.TextElement("jabber:iq:register", "password", "open sesame"))))
	c.until(1) // it is linked
	for _, id := range ids {
		to, _ := room(string(id)).WithResource("me")
		deliver(stanza.NewPresence(to, phone, "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
	}
	before := c.bodies.Load()
	for i, id := range ids { // each is there, with its past read
		world.Say(id, "cleo", "before")
		c.until(before + int64(i) + 1)
	}
	text := richtext.ParseStyling("What a message of some sixty characters has to say to everybody.")
	before = c.bodies.Load()
	kept := func(err error) {
		if err != nil {
			b.Error(err)
		}
	}
	tripsBefore := trips.Load()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		id := transports.MessageID(fmt.Sprintf("x%09d", i))
		transports.Post(ctx, net.sink, transports.Event{
			Key: string(id), Room: ids[i%rooms], Kind: transports.Public, Actor: "cleo", At: time.Now(), Body: transports.Message{ID: id, Text: text},
		}, kept)
		if i%8192 == 8191 { // within what waits in a room
			c.until(before + int64(i) + 1)
		}
	}
	c.until(before + int64(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	if n := trips.Load(); n > 0 {
		b.ReportMetric(float64(n-tripsBefore)/float64(b.N), "trips/op")
	}
}

func fatal(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
