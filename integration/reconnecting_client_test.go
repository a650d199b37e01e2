package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

const spaceReceipts = "urn:xmpp:receipts" // XEP-0184

// reconnectingClient is a client that logs in again whenever its connection is lost, and resends what was not
// confirmed, with the same ids. A direct message is confirmed by its receipt, one in a room by its reflection.
type reconnectingClient struct {
	t       *testing.T
	server  *peers.Server
	account peers.Account
	rooms   []string // to be in
	nick    string

	mu       sync.Mutex
	conn     *client.Conn
	received []*xmltree.Element // messages
	had      map[string]bool    // origin ids (XEP-0359) of those from contacts
	again    int                // how many came with an origin id that had come before
	waiting  []outgoing         // sent and not confirmed, oldest first
	entered  map[string]bool    // the rooms that the connection has entered
	changed  chan struct{}

	sent int // for ids
	done sync.WaitGroup
}

type outgoing struct{ id, to, stanza string }

func newReconnectingClient(t *testing.T, server *peers.Server, account peers.Account) *reconnectingClient {
	s := &reconnectingClient{t: t, server: server, account: account, nick: "Steady", changed: make(chan struct{})}
	t.Cleanup(func() {
		s.mu.Lock()
		conn := s.conn
		s.mu.Unlock()
		if conn != nil {
			conn.Drop()
		}
		s.done.Wait()
	})
	return s
}

// connect logs in as soon as the server lets it.
func (s *reconnectingClient) connect(ctx context.Context) error {
	return peers.Poll(ctx, func() error { return s.try(ctx) })
}

func (s *reconnectingClient) try(ctx context.Context) error {
	s.mu.Lock()
	if s.conn != nil {
		select {
		case <-s.conn.Done():
		default:
			s.mu.Unlock()
			return nil
		}
	}
	s.mu.Unlock()
	s.done.Wait() // the reader of the connection before
	conn, err := s.server.Dial(ctx, s.account, "")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.entered = conn, map[string]bool{}
	s.done.Add(1)
	go s.read(conn)
	err = conn.Send("<presence/>")
	for _, room := range s.rooms {
		err = errors.Join(err, conn.Send(s.join(room)))
	}
	return errors.Join(err, s.resend(func(to string) bool { return !slices.Contains(s.rooms, to) }))
}

// join is the presence that enters a room.
func (s *reconnectingClient) join(room string) string {
	return "<presence to='" + room + "/" + s.nick + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
}

// resend sends what waits for some addresses again. The caller has the lock.
func (s *reconnectingClient) resend(which func(to string) bool) (err error) {
	for _, again := range s.waiting {
		if which(again.to) {
			err = errors.Join(err, s.conn.Send(again.stanza))
		}
	}
	return err
}

// write sends a message with a body, to a room once it has been entered; if the connection is lost, it is resent later.
func (s *reconnectingClient) write(to, kind, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	id := fmt.Sprintf("%s-%s-%d", s.account.User, "made-by-a-good-client", s.sent)
	stanza := fmt.Sprintf("<message to='%s' type='%s' id='%s'><body>%s</body><origin-id xmlns='urn:xmpp:sid:0' id='%s'/><request xmlns='%s'/></message>",
		to, kind, id, body, id, spaceReceipts)
	s.waiting = append(s.waiting, outgoing{id, to, stanza})
	if s.entered[to] || !slices.Contains(s.rooms, to) {
		_ = s.conn.Send(stanza)
	}
}

// read receives stanzas until the connection ends.
func (s *reconnectingClient) read(conn *client.Conn) {
	defer s.done.Done()
	defer s.notify()
	for {
		e, err := conn.Next(context.Background())
		if err != nil {
			return
		}
		if e.Name.Local == "presence" {
			s.takePresence(conn, e)
			continue
		}
		if e.Name.Local != "message" {
			continue
		}
		id := e.Attr("id")
		switch receipt := e.Child(spaceReceipts, "received"); {
		case e.Attr("type") == "error":
			s.t.Errorf("a message was refused: %v", errorOf(e))
		case receipt != nil:
			s.confirmed(receipt.Attr("id"))
		case e.Attr("type") == "groupchat":
			s.confirmed(id)
		}
		s.keep(e)
		s.notify()
	}
}

// takePresence notes that the session has entered a room. Where it was refused, as the network or the gateway cannot be
// reached yet, it tries again.
func (s *reconnectingClient) takePresence(conn *client.Conn, e *xmltree.Element) {
	room, _, _ := strings.Cut(e.Attr("from"), "/")
	switch {
	case e.Attr("type") == "error" && slices.Contains(s.rooms, room):
		s.t.Logf("%s does not enter %s: %v", s.account.User, room, errorOf(e))
		s.done.Go(func() {
			select {
			case <-time.After(archiveEvery):
				_ = conn.Send(s.join(room))
			case <-conn.Done():
			}
		})
	case e.Attr("type") == "" && hasStatus(e, "110"): // its own presence, the last of all: XEP-0045 §7.2.2
		s.mu.Lock()
		s.entered[room] = true
		_ = s.resend(func(to string) bool { return to == room })
		s.mu.Unlock()
		s.notify()
	}
}

// hasStatus reports whether a presence of a room has a status code.
func hasStatus(e *xmltree.Element, code string) bool {
	x := e.Child("http://jabber.org/protocol/muc#user", "x")
	return x != nil && slices.ContainsFunc(x.Children, func(c *xmltree.Element) bool {
		return c.Name.Local == "status" && c.Attr("code") == code
	})
}

// awaitRooms waits until the session is in all its rooms: from then on it gets what is written there.
func (s *reconnectingClient) awaitRooms(ctx context.Context) error {
	return s.await(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !slices.ContainsFunc(s.rooms, func(room string) bool { return !s.entered[room] })
	})
}

// keep keeps a message, unless it arrived before: a server that is killed between writing to the socket and
// recording that sends the message again, with the same origin id.
func (s *reconnectingClient) keep(e *xmltree.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if origin := e.Child("urn:xmpp:sid:0", "origin-id"); origin != nil && e.Attr("type") == "chat" {
		key := e.Attr("from") + " " + origin.Attr("id")
		if s.had[key] {
			s.again++
			return
		}
		if s.had == nil {
			s.had = map[string]bool{}
		}
		s.had[key] = true
	}
	s.received = append(s.received, e)
}

func (s *reconnectingClient) confirmed(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(o outgoing) bool { return o.id == id })
}

func (s *reconnectingClient) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// bodies are the bodies of the messages of one sender, in the order in which they came.
func (s *reconnectingClient) bodies(from, kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, m := range s.received {
		body := m.ChildText("body")
		if bare, _, _ := strings.Cut(m.Attr("from"), "/"); bare == from && m.Attr("type") == kind && body != "" {
			list = append(list, body)
		}
	}
	return list
}

// showDoubles logs the messages of one sender that came more than once.
func (s *reconnectingClient) showDoubles(from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := map[string]int{}
	for i, m := range s.received {
		body := m.ChildText("body")
		if bare, _, _ := strings.Cut(m.Attr("from"), "/"); bare != from || body == "" || strings.HasPrefix(body, "[") {
			continue
		}
		if was, ok := first[body]; ok {
			s.t.Logf("twice, as %d and %d:\n%v\n%v", was, i, s.received[was], m)
			continue
		}
		first[body] = i
	}
}

// await waits until ok holds, connecting again whenever the connection is lost.
func (s *reconnectingClient) await(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		var ended <-chan struct{}
		if s.conn != nil {
			ended = s.conn.Done()
		}
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ended:
			if err := s.connect(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forget stops resending: everything that was sent is acknowledged.
func (s *reconnectingClient) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = nil
}

// settled reports whether all that was sent is confirmed.
func (s *reconnectingClient) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) == 0
}

// sameOnce compares what was written with what arrived: each once, in order.
func sameOnce(t *testing.T, where string, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	times := map[string]int{}
	for _, g := range got {
		times[g]++
	}
	var lost, twice []string
	for _, w := range want {
		switch n := times[w]; {
		case n == 0:
			lost = append(lost, w)
		case n > 1:
			twice = append(twice, fmt.Sprintf("%s (%d times)", w, n))
		}
		delete(times, w)
	}
	t.Errorf("%s: %d written, %d arrived; lost %q, more than once %q, never written %v", where, len(want), len(got), lost, twice, times)
	if lost == nil && twice == nil && len(times) == 0 {
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("%s: out of order from %d on: written %q, arrived %q", where, i, want[i:min(i+6, len(want))], got[i:min(i+6, len(got))])
				break
			}
		}
	}
}
