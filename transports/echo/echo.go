package echo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

const parrot, lobby = "parrot", "lobby"

// Network is the echo network. A real one has its settings and an HTTP client here.
type Network struct {
	guests  int
	mu      sync.Mutex
	clients map[*client]bool
	last    int // number of the last message
}

// New makes a network on which guest, and so many further guests, can log in.
func New(guests int) *Network { return &Network{guests: guests, clients: map[*client]bool{}} }

// Info implements transports.Network. Each capability stands for an optional interface of the client.
func (n *Network) Info() transports.Info {
	return transports.Info{
		Kind: "echo", Name: "Echo", Short: "echo", Type: "echo",
		Caps: transports.Caps{RoomCaps: transports.RoomCaps{Directory: true, Direct: true}},
	}
}

// ClientType has the capabilities checked when the gateway starts.
func (n *Network) ClientType() transports.Client { return (*client)(nil) }

// LoginFlows implements transports.Network.
func (n *Network) LoginFlows() []transports.LoginFlow {
	return []transports.LoginFlow{{ID: "password", Name: "Name and password", Help: "Every password will do."}}
}

// StartLogin implements transports.Network.
func (n *Network) StartLogin(_ context.Context, request transports.LoginRequest) (transports.LoginProcess, error) {
	return login{n, request.Previous}, nil
}

type login struct {
	n        *Network
	previous *transports.Login // to be linked again; nil for a new one
}

// Next implements transports.LoginProcess: a form, then its answers.
func (l login) Next(_ context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{Form: []transports.Field{{Key: "name", Label: "Name"}, {Key: "password", Label: "Password", Secret: true}}}, nil
	}
	name := answers["name"]
	number, err := strconv.Atoi(strings.TrimPrefix(name, "guest"))
	known := name == "guest" || err == nil && name == fmt.Sprintf("guest%d", number) && number > 0 && number <= l.n.guests
	if !known || l.previous != nil && string(l.previous.User) != name {
		return transports.Step{}, transports.Refuse("not-authorized", "The name or the password is wrong.", nil) // rule 4
	}
	return transports.Step{Done: &transports.Login{User: transports.UserID(name), Name: name + " at Echo", Secret: []byte(answers["password"])}}, nil
}

// Cancel implements transports.LoginProcess.
func (login) Cancel() {}

// Open implements transports.Network.
func (n *Network) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	c := &client{n: n, user: login.User, sink: sink, wake: make(chan struct{}, 1)}
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	n.mu.Lock()
	n.clients[c] = true
	n.mu.Unlock()
	c.running.Go(func() { c.run(ctx) })
	return c, nil
}

// client is an open connection of a login.
type client struct {
	n       *Network
	user    transports.UserID
	sink    transports.Sink
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{}
	queue   []transports.Event // that the network has sent; under Network.mu
}

// run passes on what the network sends. A real client reads its socket here.
func (c *client) run(ctx context.Context) {
	c.sink.State(transports.Online, nil)
	for {
		c.n.mu.Lock()
		events := c.queue
		c.queue = nil
		c.n.mu.Unlock()
		for _, e := range events {
			transports.Post(ctx, c.sink, e, func(err error) {
				if err != nil && transports.ClassOf(err) == transports.Retry && ctx.Err() == nil { // rule 3
					time.AfterFunc(time.Second, func() { c.push(e) })
				}
			})
		}
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
	}
}

// push puts an event into the client's queue.
func (c *client) push(e transports.Event) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.queue = append(c.queue, e)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Close implements transports.Client (rule 5).
func (c *client) Close(context.Context) error {
	c.n.mu.Lock()
	delete(c.n.clients, c)
	c.n.mu.Unlock()
	c.cancel()
	c.running.Wait()
	return nil
}

// Send implements transports.Client.
func (c *client) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	info, err := c.Room(ctx, m.Room)
	if err != nil {
		return transports.Sent{}, err
	}
	sent := c.n.broadcast(info, c.user, m.ClientID, m.Text)
	if info.Peer == parrot {
		c.n.broadcast(info, parrot, "", m.Text)
	}
	return sent, nil
}

// broadcast sends a message to the clients of all who are in a room.
func (n *Network) broadcast(room transports.RoomInfo, author transports.UserID, nonce string, text richtext.Text) transports.Sent {
	n.mu.Lock()
	n.last++
	e := transports.Event{Key: fmt.Sprintf("m%06d", n.last), Room: room.ID, Kind: room.Kind, Peer: room.Peer, Actor: author, Nonce: nonce, At: time.Now()} // rule 2
	e.Body = transports.Message{ID: transports.MessageID(e.Key), Text: text}
	var receivers []*client
	for c := range n.clients {
		if room.ID == lobby || room.ID == c.direct() {
			receivers = append(receivers, c)
		}
	}
	n.mu.Unlock()
	for _, c := range receivers {
		e.Own = author == c.user
		c.push(e)
	}
	return transports.Sent{ID: transports.MessageID(e.Key), At: e.At}
}

// direct is the id of the room of the client's user and the parrot.
func (c *client) direct() transports.RoomID { return transports.RoomID(parrot + "+" + c.user) }

// Room implements transports.Client.
func (c *client) Room(_ context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	switch id {
	case lobby:
		return transports.RoomInfo{ID: id, Kind: transports.Public, Name: "Lobby", Joined: true, Writable: true}, nil
	case c.direct():
		return transports.RoomInfo{ID: id, Kind: transports.Direct, Peer: parrot, Joined: true, Writable: true}, nil
	}
	return transports.RoomInfo{}, transports.Refuse("item-not-found", "There is no such room.", nil)
}

// Direct implements transports.DirectOpener.
func (c *client) Direct(_ context.Context, user transports.UserID) (transports.RoomID, error) {
	if user != parrot {
		return "", transports.Refuse("item-not-found", "There is no such person, or they do not take messages.", nil)
	}
	return c.direct(), nil
}

// Rooms implements transports.Directory.
func (c *client) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	info, err := c.Room(ctx, lobby)
	if err != nil {
		return err
	}
	return page([]transports.RoomInfo{info})
}

// Contacts implements transports.Directory.
func (c *client) Contacts(_ context.Context, page func([]transports.UserInfo) error) error {
	return page([]transports.UserInfo{{ID: parrot, Name: "Parrot", Bot: true}})
}
