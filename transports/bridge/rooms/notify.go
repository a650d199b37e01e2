package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// NotifyMembers has those notified of a message who are in the room on the network, but may have no session in it here. sender is who of them has
// written it; zero if none has. It is called once for each message, whether or not anybody is in the room.
func (r *Room) NotifyMembers(ctx context.Context, p room.Post, sender jid.JID) {
	if r.rooms.notify == nil || r.jid.IsZero() || p.From == "" {
		return
	}
	from := r.jid
	if j, err := r.jid.WithResource(r.nickOf(p)); err == nil {
		from = j
	}
	id := stanza.Encode(stanza.NewElement(convert.NSOccupantID, "occupant-id").With("id", p.From), message.StanzaID(r.jid, p.StanzaID))
	r.rooms.notify(ctx, notification.Message{
		Room: r.jid, Stanza: &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, From: from, ID: p.ID, Payload: p.Payload + id},
		Sender: sender.Bare(), Public: r.conv.Row.Kind == transports.Public, Version: uint64(r.version) + r.rooms.store.VisibleChanges(), Members: r.notified,
	})
}

// nickOf returns the nickname of a message's sender: as an occupant, or the name on the network.
func (r *Room) nickOf(p room.Post) string {
	if e := r.Engine(); e != nil {
		if o, ok := e.Occupant(p.From); ok {
			return o.Nick
		}
	}
	return p.Nick
}

// notified returns the accounts whose logins are in the room on the network. Nobody else may enter it.
func (r *Room) notified(ctx context.Context, _ []jid.JID) ([]notification.Member, error) {
	seen, err := r.rooms.store.RoomLogins(ctx, r.conv.ID)
	if err != nil {
		return nil, err
	}
	var list []notification.Member
	for _, v := range seen {
		l := r.rooms.logins.ByID(v.Login)
		if l == nil || !v.Joined || r.conv.Row.Kind == transports.Private && !l.Linked() {
			continue
		}
		list = append(list, notification.Member{
			Account: l.Owner, Nick: convert.DisplayName(r.rooms.userOf(ctx, l)), OccupantID: r.rooms.address.Occupant(l.User, ""), Affiliation: string(rules.AffMember),
		})
	}
	return list, nil
}
