package commands

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/links"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Rooms has the rooms that users see.
type Rooms interface {
	List(ctx context.Context, owner jid.JID, limit int) ([]disco.Item, error)
	// Sync reads again what a login can see.
	Sync(ctx context.Context, l *logins.Login) bool
	// Writable finds a room of the network that a login is in and may write to.
	Writable(ctx context.Context, l *logins.Login, id transports.RoomID) (room tables.Room, ok bool, err error)
	// Learn keeps a room that a login sees.
	Learn(ctx context.Context, l *logins.Login, info transports.RoomInfo) (id int64, ok bool, err error)
}

// Spaces shows the workspaces of the network (XEP-0503).
type Spaces interface {
	Handle(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error)
	// Info describes a space, and Items lists its rooms or, without a node, the spaces that an account sees.
	Info(ctx context.Context, owner jid.JID, node string) (disco.Info, error)
	Items(ctx context.Context, owner jid.JID, node string) ([]disco.Item, error)
}

// Searches answers searches, for public rooms (XEP-0433) or for people (XEP-0055).
type Searches interface {
	Handle(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error)
}

// Events has the events that could not be processed.
type Events interface {
	Failed(ctx context.Context) ([]tables.Event, error)
	// Replay tries them again and returns how many.
	Replay(ctx context.Context) (int, error)
}

// Links has the rooms that are linked to channels.
type Links interface {
	// Create links a room, and returns once that works.
	Create(ctx context.Context, r links.Request) error
	// Remove ends a link of one of the logins.
	Remove(ctx context.Context, list []*logins.Login, id int64) error
	// List are the links of some logins.
	List(ctx context.Context, list []*logins.Login) ([]links.State, error)
}

// Commands handles stanzas to the gateway's own address, except presence.
type Commands struct {
	env       *gateway.Env
	logins    *logins.Logins
	rooms     Rooms
	searches  Searches
	people    Searches
	spaces    Spaces
	events    Events
	links     Links
	engine    *command.Engine
	dialogues dialogues
	since     time.Time
}

// Options is what Commands is made of.
type Options struct {
	Env      *gateway.Env
	Logins   *logins.Logins
	Rooms    Rooms
	Searches Searches // for public rooms
	People   Searches
	Spaces   Spaces
	Events   Events
	Links    Links
}

// New makes the commands of a gateway.
func New(o Options) *Commands {
	env := o.Env
	c := &Commands{env: env, logins: o.Logins, rooms: o.Rooms, searches: o.Searches, people: o.People, spaces: o.Spaces, events: o.Events, links: o.Links, since: env.Now()}
	c.engine = command.NewEngine(command.Limits{Timeout: gateway.DialogueIdle}, env.Now)
	for _, a := range actions {
		c.engine.Add(command.Command{
			Node: a.word, Name: a.name, Desc: a.help,
			Allowed: func(_ context.Context, who command.Caller) bool { return c.offers(a, who.JID) },
			Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
				return a.run(ctx, c, asked{owner: who.JID.Bare()})
			},
		})
	}
	return c
}

// Forget gives up everything that a user has begun, whose account is being deleted.
func (c *Commands) Forget(who jid.JID) {
	c.dialogues.dropRegistration(who)
	c.dialogues.dropChat(who)
	c.engine.Forget(who)
}

// Expire forgets dialogues that nobody goes on with.
func (c *Commands) Expire() { c.dialogues.expire(c.env.Now()) }

// Stop gives up all dialogues.
func (c *Commands) Stop() { c.dialogues.stop() }
