package integration_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

const chatBurst = 5 // lines at once

// chatPair is two clients that write to each other, several messages at once, until stop. Each message has to
// arrive, in order, and nothing else may.
type chatPair struct {
	t       *testing.T
	a, b    *client.Conn
	sent    int
	slowest time.Duration
	quit    chan struct{}
	ended   sync.WaitGroup
}

func startChat(t *testing.T, d *peers.Dragoman, first, second peers.Account) *chatPair {
	t.Helper()
	c := &chatPair{t: t, quit: make(chan struct{})}
	for account, to := range map[peers.Account]**client.Conn{first: &c.a, second: &c.b} {
		conn, err := d.Dial(t.Context(), account, "chat")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Drop)
		*to = conn
	}
	if err := c.exchange(); err != nil {
		t.Fatalf("the chat does not begin: %v", err)
	}
	c.ended.Go(func() {
		for {
			select {
			case <-c.quit:
				return
			default:
			}
			if err := c.exchange(); err != nil {
				t.Errorf("the chat was disturbed: %v", err)
				return
			}
		}
	})
	return c
}

// stop ends the chat and both sessions.
func (c *chatPair) stop() {
	close(c.quit)
	c.ended.Wait()
	for _, conn := range []*client.Conn{c.a, c.b} {
		if err := conn.Close(); err != nil {
			c.t.Error(err)
		}
	}
}

// exchange sends some messages there and as many back.
func (c *chatPair) exchange() error {
	begun := time.Now()
	if err := errors.Join(c.burst(c.a, c.b), c.burst(c.b, c.a)); err != nil {
		return err
	}
	c.sent += chatBurst
	c.slowest = max(c.slowest, time.Since(begun))
	return nil
}

func (c *chatPair) burst(from, to *client.Conn) error {
	for i := range chatBurst {
		if err := from.Send(fmt.Sprintf("<message to='%s' type='chat'><body>%d</body></message>", to.JID(), c.sent+i)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), hostileRead)
	defer cancel()
	for i := range chatBurst {
		e, err := to.Next(ctx)
		if err != nil {
			return fmt.Errorf("line %d: %w", c.sent+i, err)
		}
		if e.Name.Local != "message" || e.Attr("from") != from.JID() || e.ChildText("body") != fmt.Sprint(c.sent+i) {
			return fmt.Errorf("line %d: got %s", c.sent+i, e)
		}
	}
	return nil
}
