package bridge

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/bookmarks"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/links"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
)

// receiver passes the events of clients to the inbox, and starts what has to follow a change of a client's state:
// reading missed history, making calls that waited, showing the state to the owner. It implements logins.Receiver
// and inbox.Ephemeral.
type receiver struct{ g *Gateway }

// Open implements logins.Receiver.
func (r receiver) Open(ctx context.Context, l *logins.Login, end func(error)) (transports.Sink, func(), error) {
	s, err := r.g.flow.backfill.Open(ctx, l, end, r)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

// Opened implements logins.Receiver.
func (r receiver) Opened(l *logins.Login) {
	r.g.env.Group.Go(func(ctx context.Context) { r.g.xmpp.presence.ShowState(ctx, l) }) // a client may report its state before it can be called
	if l.Online() {
		r.g.env.Group.Go(func(ctx context.Context) { r.g.resume(ctx, l) })
	}
	r.g.flow.backfill.Run(l)
	r.g.sync(l)
}

// Lost implements logins.Receiver.
func (r receiver) Lost(l *logins.Login) { r.g.flow.backfill.Release(l, true) }

// Stopped implements logins.Receiver.
func (r receiver) Stopped(l *logins.Login) { r.g.flow.backfill.Stop(l) }

// StateChanged implements logins.Receiver.
func (r receiver) StateChanged(l *logins.Login) {
	g := r.g
	g.env.Group.Go(func(ctx context.Context) { g.xmpp.presence.ShowState(ctx, l) })
	if !l.Linked() {
		g.env.Group.Go(func(ctx context.Context) { g.suspend(ctx, l) })
	}
	if !l.Online() {
		return
	}
	g.flow.backfill.Run(l)
	if state, _, _ := l.State(); state == transports.Online {
		g.env.Group.Go(func(ctx context.Context) { g.resume(ctx, l) })
		g.sync(l)
	}
}

// suspend takes the owner of a login that has to be linked again out of private rooms.
func (g *Gateway) suspend(ctx context.Context, l *logins.Login) {
	seen, err := g.xmpp.rooms.Seen(ctx, l)
	if err != nil && ctx.Err() == nil {
		g.env.Log.Error("reading the rooms of a login", "login", l.ID, "error", err)
	}
	loaded := g.flow.conversations.Loaded()
	for _, id := range seen {
		if loaded[id] {
			g.flow.conversations.EnqueueAlways(id, func(ctx context.Context, c *conversation.Conversation) {
				c.Parts.(*parts).room.Suspend(ctx, l)
			})
		}
	}
}

// ShowEphemeral implements inbox.Ephemeral.
func (r receiver) ShowEphemeral(l *logins.Login, e transports.Event) {
	g := r.g
	switch b := e.Body.(type) {
	case transports.Presence:
		g.xmpp.presence.Changed(l, b.Info)
	case transports.Typing:
		if e.Own || g.logins.ByUser(e.Actor) != nil {
			return
		}
		g.env.Group.Go(func(ctx context.Context) {
			id, err := g.xmpp.rooms.Index.Locate(ctx, l, e)
			if err != nil {
				return
			}
			g.enqueue(id, func(ctx context.Context, p *parts) {
				p.events.ShowTyping(ctx, l, e, g.xmpp.presence.Available(l.Owner))
				g.xmpp.links.Typing(id, e.Actor, b.On)
			})
		})
	}
}

// sync starts reading the directory of a login (rooms and contacts), once for each client.
func (g *Gateway) sync(l *logins.Login) {
	if !l.TakeSync() {
		return
	}
	g.env.Group.Go(func(ctx context.Context) {
		if g.xmpp.rooms.Sync(ctx, l) {
			g.xmpp.bookmarks.Listed(l)
		}
		g.flow.backfill.Run(l)
		g.linkConfigured(ctx, l)
	})
}

// resume wakes all conversations whose calls wait for a login.
func (g *Gateway) resume(ctx context.Context, l *logins.Login) {
	backlog, err := g.store.Backlog(ctx)
	if err != nil {
		g.env.Log.Error("read the backlog of a login", "login", l.ID, "error", err)
		return
	}
	outbox.Wake(backlog, l.ID, func(room int64) {
		g.flow.conversations.EnqueueAlways(room, func(_ context.Context, c *conversation.Conversation) {
			c.Parts.(*parts).calls.Retry()
		})
	})
}

// SendDirect implements rooms.Direct.
func (g *Gateway) SendDirect(ctx context.Context, l *logins.Login, to transports.UserID, st *stanza.Stanza) error {
	id, err := g.xmpp.rooms.Index.Direct(ctx, l, to)
	if err != nil {
		return err
	}
	if !g.enqueue(id, func(ctx context.Context, p *parts) { p.calls.Chat(ctx, l, st) }) {
		return stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	return nil
}

// TakeLinked implements links.Conversations.
func (g *Gateway) TakeLinked(room int64, m outbox.Linked) bool {
	return g.enqueue(room, func(ctx context.Context, p *parts) { p.calls.Linked(ctx, m) })
}

// linkConfigured links the rooms of the settings to the channels of a login. Where a room refuses, it is tried again when
// the login comes online the next time.
func (g *Gateway) linkConfigured(ctx context.Context, l *logins.Login) {
	for _, c := range g.env.Settings.LinkedRooms {
		if c.Account.Bare() != l.Owner {
			continue
		}
		channel, ok, err := g.xmpp.rooms.Writable(ctx, l, transports.RoomID(convert.NetworkID(c.Channel)))
		if err != nil || !ok {
			continue // another login of the same account may see it
		}
		err = g.xmpp.links.Create(ctx, links.Request{Login: l, Channel: channel, Address: c.Room, People: c.People})
		if err != nil && !errors.Is(err, links.ErrLinked) {
			g.env.Log.Warn("a room of the configuration is not linked", "room", c.Room.String(), "channel", c.Channel.String(), "error", err)
		}
	}
}

// removal removes the state of a login from memory. It implements logins.Rooms.
type removal struct{ g *Gateway }

// lists are the owners' rosters and bookmarks. They implement logins.Roster.
type lists struct {
	*puppets.Roster
	bookmarks *bookmarks.Bookmarks
}

// RemoveContacts implements logins.Roster; the bookmarks of a login go with its contacts.
func (r lists) RemoveContacts(ctx context.Context, l *logins.Login) error {
	r.bookmarks.Remove(ctx, l)
	return r.Roster.RemoveContacts(ctx, l)
}

// Remove implements logins.Rooms.
func (r removal) Remove(ctx context.Context, l *logins.Login) (removed func(), err error) {
	g := r.g
	seen, err := g.xmpp.rooms.Seen(ctx, l)
	if err != nil {
		return nil, err
	}
	loaded := g.flow.conversations.Loaded()
	g.flow.inbox.Forget()
	return func() {
		g.xmpp.rooms.Index.Forget()
		g.flow.inbox.Forget() // events that arrived meanwhile
		g.flow.backfill.Forget(l)
		g.xmpp.presence.Forget(l)
		g.xmpp.links.Forget(l.ID)
		for _, id := range seen {
			if loaded[id] {
				g.flow.conversations.EnqueueAlways(id, func(ctx context.Context, c *conversation.Conversation) { unlinked(ctx, c, l) })
			}
		}
	}, nil
}

// unlinked removes a login that was unlinked from a conversation: its owner leaves the room, and a room that no other
// login sees is removed from memory.
func unlinked(ctx context.Context, c *conversation.Conversation, l *logins.Login) {
	p := c.Parts.(*parts)
	p.room.Evict(ctx, l, "Your account was unlinked.")
	p.room.EndRound()
	c.Reload(ctx)
}
