package integration_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Sizes of the load.
const (
	loadWindow = 16 // messages on their way from one to another
	loadAsks   = 4  // questions of one that wait for their answers
	loadEvery  = 6  // messages for each of the other things that one does
)

// regularClient is a client that writes to a partner as fast as the partner reads, and does everything else that
// clients do. A message that is lost, duplicated or out of order is a failure.
type regularClient struct {
	l       *load
	account peers.Account
	partner *regularClient
	conn    *client.Conn

	window chan struct{} // a token for each message on its way to the partner
	asks   chan struct{} // and for each question without an answer

	mu       sync.Mutex
	expected []string // ids of the answers to come, in order

	sent, got atomic.Int64
	away      map[string]int // how many were written to each who is away
	reader    sync.WaitGroup
	available func() // is called when the server has taken its presence
}

func (c *regularClient) bare() string { return c.account.User + "@" + testHost }

func (c *regularClient) login(ctx context.Context) error {
	conn, err := c.l.d.Dial(ctx, c.account, "calm")
	if err != nil {
		return err
	}
	c.conn, c.window, c.asks = conn, make(chan struct{}, loadWindow), make(chan struct{}, loadAsks)
	c.away = map[string]int{}
	available := make(chan struct{})
	c.available = sync.OnceFunc(func() { close(available) })
	c.reader.Go(func() { c.read(ctx) })
	if err := conn.Send("<presence/>"); err != nil {
		return err
	}
	// Before that, messages to the full JID are delivered at once, and those to the bare JID are stored.
	select {
	case <-available:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s did not get its own presence: %w", c.account.User, ctx.Err())
	}
}

// subscribe makes the two see each other's presence.
func (c *regularClient) subscribe() error {
	return errors.Join(c.conn.Send("<presence type='subscribe' to='"+c.partner.bare()+"'/>"),
		c.conn.Send("<presence type='subscribed' to='"+c.partner.bare()+"'/>"))
}

// read checks all that comes, until the connection ends.
func (c *regularClient) read(ctx context.Context) {
	for {
		e, err := c.conn.Next(ctx)
		if err != nil {
			if !c.l.over.Load() {
				c.l.fail("%s: the connection ended: %v", c.account.User, err)
			}
			return
		}
		if err := c.take(e); err != nil {
			c.l.fail("%s: %v", c.account.User, err)
		}
	}
}

func (c *regularClient) take(e *xmltree.Element) error {
	switch kind := e.Attr("type"); {
	case kind == "error":
		return errorOf(e)
	case e.Name.Local == "message" && e.Child("urn:xmpp:mam:2", "result") != nil:
	case e.Name.Local == "message":
		var n int64
		if _, err := fmt.Sscanf(e.ChildText("body"), "seq %d", &n); err != nil || e.Attr("from") != c.partner.bare()+"/calm" {
			return fmt.Errorf("not expected:\n%s", e)
		}
		if want := c.got.Add(1) - 1; n != want {
			return fmt.Errorf("message %d came where %d was due", n, want)
		}
		<-c.partner.window
	case e.Name.Local == "presence" && kind == "" && e.Attr("from") == c.bare()+"/calm":
		c.available()
	case e.Name.Local == "iq" && kind == "result":
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.expected) == 0 || c.expected[0] != e.Attr("id") {
			return fmt.Errorf("answer %s, expected are %v", e.Attr("id"), c.expected)
		}
		c.expected = c.expected[1:]
		<-c.asks
		c.l.answers.Add(1)
	case e.Name.Local == "iq" && kind == "get":
		return c.conn.Send("<iq type='result' id='" + e.Attr("id") + "' to='" + e.Attr("from") + "'/>")
	}
	return nil
}

// work runs until the time is over.
func (c *regularClient) work(ctx context.Context) {
	random := rand.New(rand.NewPCG(c.l.seed, uint64(len(c.account.User))))
	for ctx.Err() == nil {
		select {
		case c.window <- struct{}{}:
		case <-ctx.Done():
			return
		}
		n := c.sent.Add(1) - 1
		to := c.partner.bare()
		if n%2 == 0 {
			to += "/calm"
		}
		err := c.conn.Send(fmt.Sprintf("<message to='%s' type='chat' id='m%d'><body>seq %d</body></message>", to, n, n))
		if err == nil && n%loadEvery == 0 {
			err = c.other(ctx, n, random.IntN(6))
		}
		if err != nil {
			c.l.fail("%s: %v", c.account.User, err)
			return
		}
	}
}

// other is what a client does besides chatting.
func (c *regularClient) other(ctx context.Context, n int64, what int) error {
	switch what {
	case 0:
		c.l.presences.Add(1)
		return c.conn.Send(fmt.Sprintf("<presence><status>%d</status></presence>", n))
	case 1:
		to := c.l.absent[int(n)%len(c.l.absent)]
		c.away[to.User]++
		c.l.mail.Add(1)
		return c.conn.Send(fmt.Sprintf("<message to='%s@%s' type='chat'><body>%s %d</body></message>", to.User, testHost, c.account.User, c.away[to.User]-1))
	}
	questions := []string{
		"to='" + testHost + "' type='get'><ping xmlns='urn:xmpp:ping'/>",
		"type='get'><query xmlns='jabber:iq:roster'/>",
		"to='" + testHost + "' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/>",
		"type='set'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before/></set></query>",
	}
	select {
	case c.asks <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	id := fmt.Sprintf("q%d", n)
	c.mu.Lock()
	c.expected = append(c.expected, id)
	c.mu.Unlock()
	return c.conn.Send("<iq id='" + id + "' " + questions[what-2] + "</iq>")
}

// settled reports whether the partner has all that was sent, and all questions are answered.
func (c *regularClient) settled() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent.Load() != c.partner.got.Load() || len(c.expected) > 0 {
		return fmt.Errorf("%s: %d sent, %d arrived, no answer to %v", c.account.User, c.sent.Load(), c.partner.got.Load(), c.expected)
	}
	return nil
}

// abusiveClient is a client whose connections end in every way in which connections can end.
type abusiveClient struct {
	l       *load
	account peers.Account
	random  *rand.Rand
}

// disconnections are the ways in which an abusive client's connection ends.
var disconnections = []struct {
	name string
	do   func(*abusiveClient, context.Context) error
}{
	{"reset", (*abusiveClient).reset}, {"half closed", (*abusiveClient).halfClosed}, {"silent", (*abusiveClient).silent}, {"slow", (*abusiveClient).slow}, {"storm", (*abusiveClient).storm},
}

func (w *abusiveClient) work(ctx context.Context) {
	for turn := w.random.IntN(len(disconnections)); ctx.Err() == nil; turn++ {
		way := disconnections[turn%len(disconnections)]
		if err := way.do(w, context.WithoutCancel(ctx)); err != nil {
			w.l.fail("%s, %s: %v", w.account.User, way.name, err)
			return
		}
		w.l.cuts.Add(1)
	}
}

// enter logs in and sends presence.
func (w *abusiveClient) enter(ctx context.Context, resource string) (*client.Conn, error) {
	conn, err := w.l.d.Dial(ctx, w.account, resource)
	if err != nil {
		return nil, err
	}
	return conn, conn.Send("<presence/>")
}

// chatter sends some stanzas to the account itself, and half of one more.
func (w *abusiveClient) chatter(conn *client.Conn) {
	for range w.random.IntN(20) {
		_ = conn.Send("<message to='" + w.account.User + "@" + testHost + "' type='chat'><body>wild</body></message><presence/>")
	}
	_ = conn.Send("<message to='nobody@" + testHost + "'><body>half a")
}

func (w *abusiveClient) reset(ctx context.Context) error {
	conn, err := w.enter(ctx, "")
	if err != nil {
		return err
	}
	w.chatter(conn)
	conn.Reset()
	return nil
}

// halfClosed closes only the sending side.
func (w *abusiveClient) halfClosed(ctx context.Context) error {
	conn, err := w.enter(ctx, "")
	if err != nil {
		return err
	}
	defer conn.Drop()
	w.chatter(conn)
	if err := conn.HalfClose(); err != nil {
		return err
	}
	return ends(ctx, conn, "")
}

// silent sends nothing any more, not even answers to pings.
func (w *abusiveClient) silent(ctx context.Context) error {
	conn, err := w.enter(ctx, "")
	if err != nil {
		return err
	}
	defer conn.Drop()
	return ends(ctx, conn, "connection-timeout") // RFC 6120 §4.9.3.4
}

// slow reads nothing while much is sent to it: it is disconnected, and the sender is not delayed.
func (w *abusiveClient) slow(ctx context.Context) error {
	conn, err := w.enter(ctx, "slow")
	if err != nil {
		return err
	}
	defer conn.Drop()
	writer, err := w.enter(ctx, "writer")
	if err != nil {
		return err
	}
	defer writer.Drop()
	conn.Stall()
	flood := "<message to='" + conn.JID() + "'><body>" + strings.Repeat("x", 4000) + "</body><no-store xmlns='urn:xmpp:hints'/></message>"
	for range 4000 {
		if err := writer.Send(flood); err != nil {
			return fmt.Errorf("the writer is held up: %w", err)
		}
	}
	if _, err := ask(ctx, writer, testHost, "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		return fmt.Errorf("the writer is held up: %w", err)
	}
	return gone(ctx, writer, conn.JID())
}

// gone waits until a session that reads nothing has ended: until a request to it is answered by the server. The client's own side
// does not tell: with its small window the kernel may take minutes to hand over what was sent before the end.
func gone(ctx context.Context, from *client.Conn, session string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*loadIdle+peerTimeout/2)
	defer cancel()
	for ctx.Err() == nil {
		once, end := context.WithTimeout(ctx, time.Second)
		answer, err := ask(once, from, session, "<ping xmlns='urn:xmpp:ping'/>")
		end()
		switch {
		case err == nil && answer.Attr("type") == "error":
			return nil
		case err == nil:
			return fmt.Errorf("the session has answered, though it reads nothing")
		case once.Err() == nil:
			return err
		}
	}
	return fmt.Errorf("the session does not end")
}

// storm logs in again and again with the same resource without logging out.
func (w *abusiveClient) storm(ctx context.Context) error {
	var all []*client.Conn
	defer func() {
		for _, conn := range all {
			conn.Reset()
		}
	}()
	for range 10 {
		conn, err := w.enter(ctx, "storm")
		if err != nil {
			return err
		}
		all = append(all, conn)
	}
	return ends(ctx, all[0], "conflict") // RFC 6120 §7.7.2.2
}

// ends waits for the end of a connection, with a certain stream error or any.
func ends(ctx context.Context, conn *client.Conn, condition string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*loadIdle+peerTimeout/2)
	defer cancel()
	for {
		_, err := conn.Next(ctx)
		var writeFault *client.StreamError
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return fmt.Errorf("the connection does not end")
		case condition != "" && (!errors.As(err, &writeFault) || writeFault.Condition != condition):
			return fmt.Errorf("the connection ended with %w, not with %s", err, condition)
		default:
			return nil
		}
	}
}

// loadIdle is how long the server lets a client be silent before it pings it, and then how long it waits: longer
// than a busy machine delays an answer.
const loadIdle = 5 * time.Second
