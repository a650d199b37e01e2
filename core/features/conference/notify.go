package conference

import (
	"cmp"
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// broadcast sends a message to all who are in the room, and has those notified who have no session in it.
func (o *owner) broadcast(ctx context.Context, r *room.Room, m room.Message, post room.Post) {
	if o.service.Notify == nil || !notification.Notable(m.Stanza) {
		r.Broadcast(post)
		return
	}
	if post.StanzaID == "" {
		post.StanzaID = stanza.NewID()
	}
	r.Broadcast(post)
	from, err := r.JID().WithResource(m.From.Nick)
	if err != nil {
		return
	}
	ids := stanza.Encode(stanza.NewElement(muc.NSOccupantID, "occupant-id").With("id", post.From), message.StanzaID(r.JID(), post.StanzaID))
	c := r.Config()
	o.service.Notify(ctx, notification.Message{
		Room: r.JID(), Sender: m.Session.Bare(), Public: !c.MembersOnly && c.Password == "", Version: o.version,
		Stanza: &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, From: from, ID: post.ID, Lang: post.Lang, Payload: post.Payload + ids},
		Members: func(ctx context.Context, bookmarked []jid.JID) ([]notification.Member, error) {
			return o.members(ctx, r, bookmarked)
		},
	})
}

// members returns the accounts of this server that are members of a room, and those that have bookmarked it and may enter it.
func (o *owner) members(ctx context.Context, r *room.Room, bookmarked []jid.JID) (list []notification.Member, err error) {
	add := func(j jid.JID) {
		who, may, wrong := o.service.outside(ctx, r, j)
		if err = cmp.Or(err, wrong); may && wrong == nil {
			list = append(list, notification.Member{Account: j, Nick: who.Nick, OccupantID: who.ID, Affiliation: string(who.Affiliation)})
		}
	}
	for j, e := range r.Affiliations() {
		if e.Affiliation.AtLeast(rules.AffMember) && o.service.Local(j) {
			add(j)
		}
	}
	for _, j := range bookmarked {
		if e, _ := r.Listed(j); !e.Affiliation.AtLeast(rules.AffMember) {
			add(j)
		}
	}
	return list, err
}
