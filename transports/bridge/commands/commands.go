package commands

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Rooms has the rooms that users see.
type Rooms interface {
	List(ctx context.Context, owner jid.JID, limit int) ([]disco.Item, error)
	// Sync reads again what a login can see.
	Sync(ctx context.Context, l *logins.Login)
	// Learn keeps a room that a login sees.
	Learn(ctx context.Context, l *logins.Login, info transports.RoomInfo) (id int64, ok bool, err error)
}

// Events has the events that could not be processed.
type Events interface {
	Failed(ctx context.Context) ([]tables.Event, error)
	// Replay tries them again and returns how many.
	Replay(ctx context.Context) (int, error)
}

// Commands handles stanzas to the gateway's own address, except presence.
type Commands struct {
	env       *gateway.Env
	logins    *logins.Logins
	rooms     Rooms
	events    Events
	engine    *command.Engine
	dialogues dialogues
	since     time.Time
}

// New makes the commands of a gateway.
func New(env *gateway.Env, l *logins.Logins, r Rooms, e Events) *Commands {
	c := &Commands{env: env, logins: l, rooms: r, events: e, since: env.Now()}
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
