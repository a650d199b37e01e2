package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

const (
	federationKills = 5
	killBurst       = 20 // messages before each kill
)

// TestFederationKill kills our server at random moments while one of its accounts writes to an account of another server. The client
// sends again what was not acknowledged. Each message arrives, those that arrive for the first time do so in order, and what our server
// sends a second time is marked with a delay.
func TestFederationKill(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dragoman", "prosody", "ejabberd"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*federationTimeout)
			defer cancel()
			f := peers.NewFederation(t)
			setup := func(host, user string) peers.Setup {
				return peers.Setup{Host: host, Accounts: []peers.Account{{User: user, Password: "secret of " + user}}, Federation: f}
			}
			own := peers.StartDragoman(t, peers.Options{Setup: setup("own.example", "alice")})
			other := &federated{name: name}
			switch theirs := setup("other.example", "bob"); name {
			case "dragoman":
				other.Server = &peers.StartDragoman(t, peers.Options{Setup: theirs, Limits: "stranger_messages = 10000"}).Server
			case "prosody":
				other.Server = &peers.StartProsody(t, theirs).Server
			case "ejabberd":
				other.Server = &peers.StartEjabberd(t, theirs).Server
			}
			bob := other.login(ctx, t, peers.Account{User: "bob", Password: "secret of bob"})
			bob.send("<presence/>")
			bob.stanza("presence", "", bob.full())
			alice := newManagedClient(t, &own.Server, peers.Account{User: "alice", Password: "secret of alice"})
			alice.connect(ctx)
			if err := alice.await(ctx, func() bool { return alice.id != "" && alice.acked > 0 }); err != nil { // it can be resumed then
				t.Fatal(err)
			}
			got := &numbered{copies: map[int][]*xmltree.Element{}, changed: make(chan struct{}, 1)}
			reading, stop := context.WithCancel(ctx)
			var reader sync.WaitGroup
			reader.Go(func() { got.read(reading, bob) })
			defer reader.Wait()
			defer stop()
			alice.write(bob.jid, "0") // the servers are connected before the first kill
			got.await(ctx, t, 1)
			next := 1
			for range federationKills {
				for range killBurst {
					alice.write(bob.jid, strconv.Itoa(next))
					next++
				}
				pause(ctx, rand.N(killWindow))
				own.Kill()
				own.Start()
				alice.connect(ctx)
			}
			if err := alice.await(ctx, func() bool { return len(alice.sent) == 0 || alice.ask() }); err != nil {
				t.Errorf("%d stanzas are not handled: %v", len(alice.sent), err)
			}
			got.await(ctx, t, next)
			got.check(t, next)
			alice.mu.Lock()
			defer alice.mu.Unlock()
			if len(alice.returned) > 0 || alice.lost > 0 {
				t.Errorf("%d messages came back, %d sessions could not be resumed", len(alice.returned), alice.lost)
			}
		})
	}
}

// numbered are messages whose bodies are numbers.
type numbered struct {
	mu      sync.Mutex
	first   []int // in the order in which they arrived for the first time
	copies  map[int][]*xmltree.Element
	changed chan struct{}
}

func (n *numbered) read(ctx context.Context, u *remoteUser) {
	for {
		e, err := u.conn.Next(ctx)
		if err != nil {
			return
		}
		k, err := strconv.Atoi(e.ChildText("body"))
		if e.Name.Local != "message" || err != nil {
			continue
		}
		n.mu.Lock()
		if len(n.copies[k]) == 0 {
			n.first = append(n.first, k)
		}
		n.copies[k] = append(n.copies[k], e)
		n.mu.Unlock()
		select {
		case n.changed <- struct{}{}:
		default:
		}
	}
}

// await waits for that many different messages.
func (n *numbered) await(ctx context.Context, t *testing.T, count int) {
	t.Helper()
	for {
		n.mu.Lock()
		have := len(n.first)
		n.mu.Unlock()
		if have >= count {
			return
		}
		select {
		case <-n.changed:
		case <-ctx.Done():
			t.Fatalf("%d messages of %d have arrived: %v", have, count, n.first)
		}
	}
}

// check checks the order, and that copies are of the same message: each was sent again by the client or, with a delay, by the server.
func (n *numbered) check(t *testing.T, count int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.IsSorted(n.first) || len(n.first) != count {
		t.Errorf("%d of %d have arrived, in the order %v", len(n.first), count, n.first)
	}
	again, marked := 0, 0
	for k, list := range n.copies {
		plain := 0
		for _, e := range list {
			if e.Attr("id") != strconv.Itoa(k) {
				t.Errorf("%d has the id %q", k, e.Attr("id"))
			}
			if e.Child("urn:xmpp:delay", "delay") != nil {
				marked++
			} else {
				plain++
			}
		}
		again += len(list) - 1
		if plain > 1+federationKills { // the client sends a message once more for each connection
			t.Errorf("%d arrived %d times without a delay", k, plain)
		}
	}
	t.Logf("%d messages, %d arrived again, %d have a delay", len(n.first), again, marked)
}

// TestFederationKillDead kills our server while messages wait for a server that accepts connections and never answers. After the start
// their sender gets errors when the time is over, and messages to others are not delayed. Then nothing is left on the disk.
func TestFederationKillDead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*federationTimeout)
	defer cancel()
	f := peers.NewFederation(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts: connections are made and stay silent
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	f.Announce(t, l.Addr().String(), "dead.example")
	accounts := []peers.Account{{User: "alice", Password: "secret of alice"}}
	own := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: "own.example", Accounts: accounts, Federation: f}, Links: "wait = \"3s\""})
	other := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: "other.example", Accounts: accounts, Federation: f}, Limits: "stranger_messages = 10000"})
	there := (&federated{Server: &other.Server, name: "dragoman"}).login(ctx, t, accounts[0])
	there.send("<presence/>")
	there.stanza("presence", "", there.full())
	alice := newManagedClient(t, &own.Server, accounts[0])
	alice.connect(ctx)
	if err := alice.await(ctx, func() bool { return alice.id != "" && alice.acked > 0 }); err != nil {
		t.Fatal(err)
	}
	const count = 50
	for i := range count {
		alice.write("juliet@dead.example", fmt.Sprint("dead ", i))
	}
	if err := alice.await(ctx, func() bool { return len(alice.sent) == 0 }); err != nil {
		t.Fatal("the messages are not acknowledged: ", err)
	}
	own.Kill()
	alice.mu.Lock()
	early := len(alice.returned) // on a machine that is busy
	alice.mu.Unlock()
	own.Start()
	alice.connect(ctx)
	alice.write(there.jid, "alive")
	there.await("a message", func(e *xmltree.Element) bool { return e.ChildText("body") == "alive" })
	if err := alice.await(ctx, func() bool { return len(alice.returned) >= count }); err != nil {
		t.Fatalf("%d messages came back, %d of them before: %v", len(alice.returned), early, err)
	}
	alice.mu.Lock()
	for _, e := range alice.returned {
		if fault := e.Find("error"); fault == nil || fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "remote-server-timeout") == nil {
			t.Errorf("alice got %s", e)
		}
	}
	alice.mu.Unlock()
	db := storetest.DB(t, own.Data)
	if err := peers.Poll(ctx, func() error {
		var rows int
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM remote_outbox`).Scan(&rows); err != nil || rows == 0 {
			return err
		}
		return fmt.Errorf("%d rows are left", rows)
	}); err != nil {
		t.Error(err)
	}
}

// TestFederationStop stops our server while messages wait for another server that is down, and starts it when that is up: they arrive.
func TestFederationStop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*federationTimeout)
	defer cancel()
	f := peers.NewFederation(t)
	accounts := []peers.Account{{User: "alice", Password: "secret of alice"}}
	own := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: "own.example", Accounts: accounts, Federation: f}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	f.Announce(t, l.Addr().String(), "other.example")
	alice := newManagedClient(t, &own.Server, accounts[0])
	alice.connect(ctx)
	for i := range 10 {
		alice.write("alice@other.example", strconv.Itoa(i))
	}
	if err := alice.await(ctx, func() bool { return len(alice.sent) == 0 }); err != nil {
		t.Fatal("the messages are not acknowledged: ", err)
	}
	own.Stop()
	other := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: "other.example", Accounts: accounts, Federation: f}, Limits: "stranger_messages = 10000"})
	there := (&federated{Server: &other.Server, name: "dragoman"}).login(ctx, t, accounts[0])
	there.send("<presence/>")
	there.stanza("presence", "", there.full())
	begun := time.Now()
	own.Start()
	for i := range 10 {
		e := there.await("a message", func(e *xmltree.Element) bool { return e.Name.Local == "message" && e.ChildText("body") != "" })
		delay := e.Child("urn:xmpp:delay", "delay")
		if e.ChildText("body") != strconv.Itoa(i) || delay == nil {
			t.Fatalf("got %s, want %d with a delay", e, i)
		}
		if at, err := time.Parse(time.RFC3339, delay.Attr("stamp")); err != nil || !at.Before(begun) {
			t.Errorf("delayed since %s", delay.Attr("stamp"))
		}
	}
}
