package inbox

import (
	"context"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// member is somebody who came to the room or left it.
func (s *step) member(ctx context.Context, m transports.Member) error {
	p := s.p
	if m.User.ID == "" || p.conv.Direct() || s.outdated("member", string(m.User.ID)) {
		return nil
	}
	if m.Membership != "" {
		m.Joined = m.Membership == transports.Joined
	}
	u := convert.ClipUser(m.User)
	if u.Name == "" && u.Handle == "" {
		u = p.people.Find(ctx, u.ID, "")
	} else {
		s.b.Rooms.Puppets = append(s.b.Rooms.Puppets, u)
		p.people.Put(u)
	}
	local := p.logins.ByUser(u.ID)
	if local != nil {
		seen := tables.Visibility{Login: local.ID, Room: p.conv.ID, Joined: m.Joined, Writable: m.Joined}
		if m.Joined || p.conv.Row.Kind == transports.Public {
			s.b.Rooms.Visible = append(s.b.Rooms.Visible, seen)
		} else {
			s.b.Rooms.Hidden = append(s.b.Rooms.Hidden, seen)
			s.then(func(context.Context) { p.room.RemoveViewer(local.ID) })
		}
	}
	row := tables.Member{Room: p.conv.ID, User: u.ID}
	if m.Joined {
		s.b.Rooms.Members = append(s.b.Rooms.Members, row)
	} else {
		s.b.Rooms.MembersGone = append(s.b.Rooms.MembersGone, row)
	}
	s.then(func(ctx context.Context) {
		if local != nil {
			p.memberships.Changed(local)
		}
		if m.Joined && (m.Membership != "" || m.Role != "") {
			p.room.SetRole(u.ID, m.Role)
		}
		switch {
		case m.Joined && local == nil:
			p.room.SetMember(ctx, u, "")
		case !m.Joined:
			p.room.Flush() // names may have to be read
			p.room.RemoveMember(ctx, m)
		}
	})
	return nil
}

// roomChanged is a room that is new, or has another name, topic or kind.
func (s *step) roomChanged(ctx context.Context, c transports.RoomChanged) error {
	p, info := s.p, c.Info
	if info.Topic != p.conv.Row.Topic && p.calls.Making(convert.SendTopic, "") {
		return errHeld
	}
	if echo, err := s.takeEcho(ctx, "", outbox.TopicEcho(info.Topic)); err != nil {
		return err
	} else if echo {
		info.Topic = p.conv.Row.Topic // ours, or what we have set since
	}
	topic := p.conv.Row.Topic
	closed := p.conv.Row.Kind == transports.Public && info.Kind == transports.Private
	p.conv.Row = convert.RoomInfo(p.conv.Row, info)
	s.b.Rooms.Rooms = append(s.b.Rooms.Rooms, p.conv.Row)
	seen := tables.Visibility{Login: s.row.Login, Room: p.conv.ID, Joined: info.Joined, Writable: info.Writable}
	if closed && !info.Joined {
		s.b.Rooms.Hidden = append(s.b.Rooms.Hidden, seen)
	} else {
		s.b.Rooms.Visible = append(s.b.Rooms.Visible, seen)
	}
	s.then(func(ctx context.Context) {
		if l := p.logins.ByID(s.row.Login); l != nil {
			p.memberships.Changed(l)
			if info.Joined {
				p.backfill.Found(l, p.conv.Row)
			}
		}
		if closed {
			p.room.ForgetViewers()
		}
		p.room.SetInfo(ctx)
		if p.conv.Row.Topic != topic {
			p.room.Flush() // names may have to be read
			p.room.SetSubject(ctx, s.e.Actor)
		}
	})
	return nil
}

// roomGone is a room that the login cannot see any longer.
func (s *step) roomGone(g transports.RoomGone) error {
	p := s.p
	s.b.Rooms.Hidden = append(s.b.Rooms.Hidden, tables.Visibility{Login: s.row.Login, Room: p.conv.ID})
	reason := "You are no longer in this room."
	if g.Archived {
		reason = "This room was archived."
	}
	if g.MovedTo != "" && len(g.MovedTo) <= convert.MaxID {
		if to, err := p.address.Room(g.MovedTo); err == nil {
			reason = "This room goes on as " + to.String() + "."
		}
	}
	s.then(func(ctx context.Context) {
		p.room.RemoveViewer(s.row.Login)
		if l := p.logins.ByID(s.row.Login); l != nil {
			p.memberships.Changed(l)
			p.room.Flush()
			p.room.Evict(ctx, l, reason)
		}
	})
	return nil
}

// contact is a person who is new or has changed.
func (s *step) contact(c transports.Contact) error {
	p := s.p
	l := p.logins.ByID(s.row.Login)
	if l == nil || c.Info.ID == "" || len(c.Info.ID) > convert.MaxID {
		return nil
	}
	u := convert.ClipUser(c.Info)
	s.b.Rooms.Puppets = append(s.b.Rooms.Puppets, u)
	if !u.Gone && u.ID != l.User {
		s.b.Rooms.Contacts = append(s.b.Rooms.Contacts, tables.Contact{Login: l.ID, User: u.ID, Email: u.Email, Phone: u.Phone})
	}
	s.then(func(ctx context.Context) {
		before, _ := p.people.Known(ctx, u.ID)
		p.people.Put(u)
		p.roster.Push(ctx, l, []transports.UserInfo{u})
		p.roster.ShowPhoto(ctx, l, before, u)
	})
	return nil
}

// read is how far somebody has read (XEP-0333). The owner's own marks mean nothing to them.
func (s *step) read(ctx context.Context, r transports.Read) error {
	if row := s.p.conv.Row; r.ID == "" && !r.Until.IsZero() && !r.Until.Before(row.LastAt) {
		r.ID = row.Last // a network that knows only the time: all that is here
	}
	if r.ID == "" || r.Unread {
		return nil
	}
	rows, err := s.byNetworkID(ctx, r.ID)
	if err != nil || len(rows) == 0 || s.ours() || s.e.Past || s.outdated("read", string(s.e.Actor)) {
		return err
	}
	p := s.p
	displayed := convert.Displayed(s.reference(rows[0]))
	if p.conv.Direct() {
		l := p.conv.Login()
		if l == nil || rows[0].Sender == "" {
			return nil
		}
		contact, err := p.address.Contact(p.conv.Row.Peer)
		if err != nil {
			return err
		}
		st := convert.DirectMessage(l.Owner, contact, s.stanzaID("read "+s.e.Key), []*stanza.Element{displayed, message.Store.Element()})
		s.deliveries = append(s.deliveries, delivery.Keep(st))
		return nil
	}
	who := p.people.Find(ctx, s.e.Actor, "")
	s.then(func(context.Context) {
		p.room.Broadcast(room.Post{
			From: p.address.Occupant(who.ID, ""), Nick: convert.DisplayName(who), Payload: stanza.Encode(displayed), Transient: true,
		})
	})
	return nil
}
