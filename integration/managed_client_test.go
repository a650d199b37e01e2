package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// managedClient is a client with stream management (XEP-0198) that knows the ids of its messages. It resumes its session whenever its
// connection is lost, and sends again what the server has not handled.
type managedClient struct {
	t       *testing.T
	server  *peers.Server
	account peers.Account

	mu       sync.Mutex
	conn     *client.Conn
	done     sync.WaitGroup
	id       string   // of the session; empty before there is one
	in       uint32   // stanzas that were received
	acked    uint32   // of ours
	sent     []string // stanzas of ours after acked
	bodies   []string // that were received, each once
	known    map[string]bool
	again    int                // messages that came again
	returned []*xmltree.Element // messages of ours, as errors
	lost     int                // sessions that could not be resumed
	notified chan struct{}
}

func newManagedClient(t *testing.T, server *peers.Server, account peers.Account) *managedClient {
	c := &managedClient{t: t, server: server, account: account, known: map[string]bool{}, notified: make(chan struct{}, 1)}
	t.Cleanup(func() {
		c.drop()
		c.done.Wait()
	})
	return c
}

// connect resumes the session, or begins one.
func (c *managedClient) connect(ctx context.Context) {
	c.t.Helper()
	if err := peers.Poll(ctx, func() error { return c.try(ctx) }); err != nil {
		c.t.Fatalf("%s: %v", c.account.User, err)
	}
}

func (c *managedClient) try(ctx context.Context) error {
	c.done.Wait() // what came on the connection before is counted
	login := client.Login{Addr: c.server.ClientAddr, Domain: c.server.Host, User: c.account.User, Password: c.account.Password, Resource: "r", TLS: c.server.TLS}
	if c.id != "" {
		login.Resume = &client.Resume{ID: c.id, H: c.in}
	}
	conn, err := client.Dial(ctx, login)
	var refused *client.Refused
	if errors.As(err, &refused) && refused.Step == "resume" {
		c.lost++
		c.t.Logf("%s: %v", c.account.User, err)
		c.id = ""
		return err
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	if c.id != "" {
		c.handled(conn.Resumed())
		for _, st := range c.sent {
			err = errors.Join(err, conn.Send(st))
		}
	} else {
		c.in, c.acked = 0, 0
		again := c.sent
		c.sent = nil
		err = conn.Send("<enable xmlns='" + client.SpaceManagement + "' resume='true'/>")
		for _, st := range append([]string{"<presence/>"}, again...) {
			c.sent = append(c.sent, st)
			err = errors.Join(err, conn.Send(st))
		}
		err = errors.Join(err, conn.Send("<r xmlns='"+client.SpaceManagement+"'/>"))
	}
	c.done.Add(1)
	go c.read(conn)
	return err
}

// handled removes what the server has handled. The caller has the lock.
func (c *managedClient) handled(h uint32) {
	n := h - c.acked
	if n > uint32(len(c.sent)) {
		c.t.Errorf("%s: the server says that it has handled %d stanzas, of %d", c.account.User, h, c.acked+uint32(len(c.sent)))
		return
	}
	c.sent, c.acked = c.sent[n:], h
}

func (c *managedClient) read(conn *client.Conn) {
	defer c.done.Done()
	for {
		e, err := conn.Next(context.Background())
		if err != nil {
			conn.Drop()
			return
		}
		c.take(conn, e)
	}
}

func (c *managedClient) take(conn *client.Conn, e *xmltree.Element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Name.Space != client.SpaceManagement {
		c.in++
		if body := e.ChildText("body"); e.Name.Local == "message" && body != "" && e.Attr("type") == "chat" {
			if c.known[e.Attr("id")] {
				c.again++
			} else {
				c.known[e.Attr("id")] = true
				c.bodies = append(c.bodies, body)
			}
		}
	}
	if e.Name.Local == "message" && e.Attr("type") == "error" {
		c.returned = append(c.returned, e)
	}
	switch e.Name.Local {
	case "enabled":
		c.id = e.Attr("id")
	case "r":
		_ = conn.Send(fmt.Sprintf("<a xmlns='%s' h='%d'/>", client.SpaceManagement, c.in)) // if it is lost, resume says the same
	case "a":
		h, _ := strconv.ParseUint(e.Attr("h"), 10, 32)
		c.handled(uint32(h))
	}
	select {
	case c.notified <- struct{}{}:
	default:
	}
}

// write sends messages, and asks the server whether it has handled them.
func (c *managedClient) write(to string, bodies ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, body := range bodies {
		st := "<message to='" + to + "' type='chat' id='" + strings.ReplaceAll(body, " ", "-") + "'><body>" + body + "</body></message>"
		c.sent = append(c.sent, st)
		_ = c.conn.Send(st) // if it is lost, it is sent again
	}
	_ = c.conn.Send("<r xmlns='" + client.SpaceManagement + "'/>")
}

// drop cuts the connection.
func (c *managedClient) drop() {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		conn.Drop()
	}
}

// await waits until something is true of what the client has.
func (c *managedClient) await(ctx context.Context, f func() bool) error {
	for {
		c.mu.Lock()
		ok := f()
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-c.notified:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
