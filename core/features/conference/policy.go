package conference

import (
	"context"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// policy decides which rooms there are.
type policy struct{ *Service }

var _ rooms.Policy = policy{}

// Open implements rooms.Policy.
func (p policy) Open(ctx context.Context, at jid.JID, kept *room.Snapshot) (rooms.Opened, error) {
	limits := p.limits()
	a, err := p.Archives.OpenArchive(ctx, at, limits.History)
	if err != nil {
		return rooms.Opened{}, err
	}
	o := &owner{
		service: p.Service, rates: map[string]rate{}, archive: a.Number, last: a.Last, version: uint64(time.Now().UnixNano()), node: kept.Config.Pubsub,
	}
	kept.Info.Features, kept.Info.More = p.features, o
	return rooms.Opened{
		Owner: o, Snapshot: kept, Limits: limits, Past: posts(a.Recent),
	}, nil
}

// Create implements rooms.Policy.
func (p policy) Create(ctx context.Context, who, at jid.JID) (room.Snapshot, error) {
	c := p.settings.Load()
	if !p.Admin(who) {
		if c.Create == "admins" || c.Create == "accounts" && !p.Local(who) {
			return room.Snapshot{}, stanza.NotAllowed("You may not create rooms here.") // XEP-0045 §10.1.1
		}
		n, err := p.Lists.Created(ctx, who)
		if err != nil {
			return room.Snapshot{}, err
		}
		if n >= c.PerAccount {
			p.Counters.Rooms.Add(1)
			return room.Snapshot{}, stanza.ResourceConstraint("You have created as many rooms as you may. Destroy one that is not needed any more.")
		}
	}
	config := rules.Config{
		Logged: c.Archive, Listed: c.Public, Persistent: c.Persistent, MembersOnly: c.MembersOnly, Moderated: c.Moderated,
		Locked: true, // XEP-0045 §10.1.1
	}
	if c.ShowJIDs {
		config.WhoIs = rules.WhoIsAnyone
	}
	p.Log.Info("room created", slog.String("room", at.String()), slog.String("by", who.String()))
	return room.Snapshot{Config: config}, nil
}

// Sees implements rooms.Policy: who has the address of a room may know that it exists.
func (policy) Sees(context.Context, jid.JID, *room.Room) (bool, error) { return true, nil }

// List implements rooms.Policy (XEP-0045 §6.3).
func (p policy) List(ctx context.Context, _ jid.JID, page paging.Request) ([]disco.Item, paging.Answer, error) {
	if page.Index >= 0 { // XEP-0059 §2.6
		return nil, paging.Answer{}, stanza.FeatureNotImplemented("The list is paged by addresses.")
	}
	rows, answer, err := p.Lists.Rooms(ctx, p.Domain(), false, page)
	if err != nil {
		return nil, answer, err
	}
	items := make([]disco.Item, len(rows))
	for i, r := range rows {
		items[i] = disco.Item{JID: r.JID, Name: r.Name}
		if r.Name == "" {
			items[i].Name = jid.Unescape(r.JID.Local())
		}
	}
	return items, answer, nil
}
