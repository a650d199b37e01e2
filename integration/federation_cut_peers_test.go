package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

const (
	cutMessages = 300
	cutEvery    = 100 // messages; more than five cuts in a row are a fault of the other server
)

// TestFederationCutPeers cuts the connections of our server with a Prosody and with an ejabberd, in both directions, while users write to
// each other. Prosody has XEP-0198 between servers, without resumption: each message arrives or comes back, and what was not acknowledged
// at a cut is sent again, so that it may arrive twice. ejabberd has none: what was on its way at a cut may be lost, but nothing
// arrives twice.
func TestFederationCutPeers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"prosody", "ejabberd"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := peers.NewFederation(t)
			alice := peers.Account{User: "alice", Password: "secret of alice"}
			setup := func(host string) peers.Setup {
				f.RelayTo(host)
				return peers.Setup{Host: host, Accounts: []peers.Account{alice}, Federation: f}
			}
			own := &federated{Server: &peers.StartDragoman(t, peers.Options{Setup: setup("dragoman.example"), Limits: "stranger_messages = 10000"}).Server, name: "dragoman"}
			other := &federated{name: name}
			if name == "prosody" {
				other.Server = &peers.StartProsody(t, setup(name+".example")).Server
			} else {
				other.Server = &peers.StartEjabberd(t, setup(name+".example")).Server
			}
			for _, s := range []*federated{own, other} {
				s.user = s.login(t.Context(), t, alice)
				s.user.send("<presence/>")
				s.user.stanza("presence", "", s.user.full()) // from now on messages are for this session
			}
			connectServers(own, other)
			there := &cutTraffic{from: own.user, to: other.user, relay: f.Relay(other.Host), want: "remote-server-timeout"}
			here := &cutTraffic{from: other.user, to: own.user, relay: f.Relay(own.Host)}
			exchangeDuringCuts(t, there, here)
			if name == "prosody" {
				there.check(t, guarantee{complete: true, ordered: true, again: true})
				here.check(t, guarantee{complete: true}) // Prosody returns what was not acknowledged, and does not keep the order at a cut
			} else {
				there.check(t, guarantee{ordered: true})
				here.check(t, guarantee{})
			}
		})
	}
}

// cutTraffic is the messages of one user to another, over connections that relay cuts.
type cutTraffic struct {
	from, to *remoteUser
	relay    *peers.Relay
	want     string // the condition of those that come back; empty: any

	mu       sync.Mutex
	arrived  []int       // in order
	returned map[int]int // how often
	ended    bool        // the last message has arrived
}

func exchangeDuringCuts(t *testing.T, there, here *cutTraffic) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*federationTimeout)
	defer cancel()
	var all sync.WaitGroup
	errs := make(chan error, 4)
	there.returned, here.returned = map[int]int{}, map[int]int{}
	for _, c := range []*cutTraffic{there, here} {
		back := there
		if c == there {
			back = here
		}
		all.Go(func() { errs <- c.send(ctx) })
		all.Go(func() { errs <- receiveDuringCuts(ctx, c.to, c, back) })
	}
	all.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// send sends the messages and cuts the connections, then a last message again and again until one arrives.
func (c *cutTraffic) send(ctx context.Context) error {
	padding := strings.Repeat("x", 3000) // what is on its way when a connection is cut
	write := func(what string) error {
		return c.from.conn.Send(fmt.Sprintf("<message to='%s' type='chat' id='%s'><body>%s</body><padding xmlns='urn:example:padding'>%s</padding></message>", c.to.full(), what, what, padding))
	}
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for n := range cutMessages {
		<-pause.C
		if err := write(strconv.Itoa(n)); err != nil {
			return err
		}
		if n%cutEvery == cutEvery/2 {
			c.relay.Cut()
		}
	}
	for ctx.Err() == nil {
		if err := write("last"); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		c.mu.Lock()
		ended := c.ended
		c.mu.Unlock()
		if ended {
			return nil
		}
	}
	return fmt.Errorf("from %s: the last message has not arrived", c.from.jid)
}

// receiveDuringCuts notes what a user gets: messages of in, and those of out that come back, until the last messages of both have arrived.
func receiveDuringCuts(ctx context.Context, u *remoteUser, in, out *cutTraffic) error {
	for {
		next, cancel := context.WithTimeout(ctx, time.Second)
		e, err := u.conn.Next(next)
		cancel()
		if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
			return fmt.Errorf("%s: %w", u.jid, err)
		}
		if err == nil && e.Name.Local == "message" {
			if e.Attr("type") == "error" {
				err = out.noteReturned(e)
			} else {
				in.noteArrived(e)
			}
		} else if err != nil && in.hasEnded() && out.hasEnded() { // and a second has passed in which nothing came
			return nil
		} else {
			err = nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *cutTraffic) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *cutTraffic) noteArrived(e *xmltree.Element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, err := strconv.Atoi(e.ChildText("body")); err == nil {
		c.arrived = append(c.arrived, n)
	} else {
		c.ended = c.ended || e.ChildText("body") == "last"
	}
}

func (c *cutTraffic) noteReturned(e *xmltree.Element) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fault := e.Find("error")
	if fault == nil || c.want != "" && fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", c.want) == nil {
		return fmt.Errorf("%s got %s, want %s", c.from.jid, e, c.want)
	}
	if n, err := strconv.Atoi(e.Attr("id")); err == nil {
		c.returned[n]++
	}
	return nil
}

// guarantee is what two servers promise for their messages at a cut.
type guarantee struct {
	complete bool // each arrives or comes back
	ordered  bool // those that arrive for the first time do so in order
	again    bool // some may arrive twice
}

// check checks what has arrived.
func (c *cutTraffic) check(t *testing.T, g guarantee) {
	t.Helper()
	count := map[int]int{}
	latest, lost, doubled := -1, 0, 0
	for _, n := range c.arrived {
		if count[n]++; count[n] > 1 {
			doubled++
		} else if n < latest && g.ordered {
			t.Errorf("from %s: %d for the first time after %d", c.from.jid, n, latest)
		}
		latest = max(latest, n)
	}
	for n := range cutMessages {
		if count[n]+c.returned[n] == 0 {
			if lost++; g.complete {
				t.Errorf("from %s: %d is lost", c.from.jid, n)
			}
		}
		if c.returned[n] > 1 {
			t.Errorf("from %s: %d came back %d times", c.from.jid, n, c.returned[n])
		}
	}
	if doubled > 0 && !g.again {
		t.Errorf("from %s: %d arrived again", c.from.jid, doubled)
	}
	t.Logf("from %s: %d of %d arrived, %d came back, %d arrived again, %d are lost", c.from.jid, len(count), cutMessages, len(c.returned), doubled, lost)
}
