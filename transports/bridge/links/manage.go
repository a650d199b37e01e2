package links

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Limits of links.
const (
	DefaultPeople = 200
	MaxPeople     = 1000
	maxOfLogin    = 50 // linked rooms
)

// Request asks for a link.
type Request struct {
	Login   *logins.Login
	Channel tables.Room
	Address jid.JID // of the room that is to be linked
	People  int     // DefaultPeople where it is 0
}

// State is a link as its owner sees it.
type State struct {
	ID      int64
	Channel string
	Address jid.JID
	Text    string // what it does at the moment
}

// ErrLinked is the error of Create for two rooms that are linked already.
var ErrLinked error = stanza.Conflict("The two rooms are linked already.")

// unconfirmed is the cause of a link until those who must agree to it have: after a crash it does not begin by itself.
const unconfirmed = "The room was not entered yet."

// Create links a room to a channel, and returns once it works. The error says what its owner has to do.
func (x *Links) Create(ctx context.Context, r Request) error {
	if r.Address = r.Address.Bare(); r.Address.Local() == "" || r.Address.Domain() == x.env.Domain.Domain() {
		return stanza.BadRequest("That is no room of another service.")
	}
	x.mu.Lock()
	links := 0
	for _, row := range x.rows {
		if row.Login == r.Login.ID {
			links++
		}
	}
	x.mu.Unlock()
	if links >= maxOfLogin {
		return stanza.ResourceConstraint(fmt.Sprintf("You have linked %d rooms, which is the limit.", links))
	}
	people := r.People
	if people <= 0 {
		people = DefaultPeople
	}
	row, added, err := x.store.AddLink(ctx, tables.Link{
		Room: r.Channel.ID, Login: r.Login.ID, Address: r.Address, People: min(people, MaxPeople), SeenAt: x.env.Now(), Cause: unconfirmed,
	})
	switch {
	case err != nil:
		return stanza.FromError(err)
	case !added && x.works(row):
		return ErrLinked
	case !added && row.Login != r.Login.ID:
		return stanza.Conflict("Another account has linked the two rooms.")
	}
	row.Cause = ""
	x.put(row)
	ended := make(chan error, 1)
	x.enqueue(row.ID, func(l *link, ctx context.Context) { l.begin(ctx, ended) })
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(createTime):
		err = stanza.RemoteServerTimeout("The room " + r.Address.String() + " does not answer.")
	}
	if err == nil {
		return nil
	}
	if added {
		x.drop(row.ID)
		if failed := x.store.DropLink(context.WithoutCancel(ctx), row.ID); failed == nil {
			return err
		}
		row.Cause = "It could not be removed. Remove it again." // it is shown in the list, and can be linked again
		x.put(row)
	}
	x.enqueue(row.ID, func(l *link, ctx context.Context) { l.end(ctx, unconfirmed) })
	return err
}

// works reports whether a link works, or is being made.
func (x *Links) works(row tables.Link) bool {
	now, known := x.get(row.ID)
	return known && now.Cause == ""
}

// createTime is how long Create waits for the room.
const createTime = 25 * time.Second

// drop leaves a room and forgets the link.
func (x *Links) drop(id int64) {
	x.enqueue(id, func(l *link, _ context.Context) { l.leave("The rooms are not linked any longer."); l.gone = true })
	x.remove(id)
}

// Remove ends a link of one of the logins.
func (x *Links) Remove(ctx context.Context, list []*logins.Login, id int64) error {
	row, ok := x.get(id)
	if !ok || !slices.ContainsFunc(list, func(l *logins.Login) bool { return l.ID == row.Login }) {
		return stanza.ItemNotFound("There is no such link.")
	}
	if err := x.store.DropLink(ctx, id); err != nil {
		return stanza.FromError(err)
	}
	x.drop(id)
	return nil
}

// cannot says what in a linked room does not act on the channel.
func (x *Links) cannot(row tables.Link, channel tables.Room) string {
	login := x.logins.ByID(row.Login)
	if login == nil {
		return ""
	}
	caps := login.Caps(channel.Net)
	var list []string
	if !caps.Moderate || !caps.Delete {
		list = append(list, "moderators' removals of messages of others")
	}
	if !caps.CanChange(transports.ChangeBan) {
		list = append(list, "bans")
	}
	if len(list) == 0 {
		return ""
	}
	return "; does not act on " + x.env.Info.Name + ": " + strings.Join(list, ", ")
}

// List are the links of some logins.
func (x *Links) List(ctx context.Context, list []*logins.Login) ([]State, error) {
	x.mu.Lock()
	var rows []tables.Link
	for _, row := range x.rows {
		if slices.ContainsFunc(list, func(l *logins.Login) bool { return l.ID == row.Login }) {
			rows = append(rows, row)
		}
	}
	x.mu.Unlock()
	slices.SortFunc(rows, func(a, b tables.Link) int { return int(a.ID - b.ID) })
	states := make([]State, 0, len(rows))
	for _, row := range rows {
		channel, ok, err := x.channels.RoomByID(ctx, row.Room)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		text := "works" + x.cannot(row, channel)
		if row.Cause != "" {
			text = "stopped: " + row.Cause
		}
		name := channel.Name
		if name == "" {
			name = channel.Label()
		}
		states = append(states, State{ID: row.ID, Channel: strings.TrimSpace(name), Address: row.Address, Text: text})
	}
	return states, nil
}
