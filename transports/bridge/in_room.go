package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// member is somebody who came to the room or left it.
func (s *step) member(ctx context.Context, m transports.Member) error {
	w := s.w
	if m.User.ID == "" || w.direct() {
		return nil
	}
	u := clip(m.User)
	if u.Name == "" && u.Handle == "" {
		u = w.g.person(ctx, w.g.account(s.row.Login), u.ID, "")
	} else {
		s.b.Rooms.Puppets = append(s.b.Rooms.Puppets, u)
		w.g.people.put(u)
	}
	local := w.g.accountOfUser(u.ID)
	if local != nil {
		seen := tables.Visibility{Login: local.id, Room: w.id, Joined: m.Joined, Writable: m.Joined}
		if m.Joined || w.row.Kind == transports.Public {
			s.b.Rooms.Visible = append(s.b.Rooms.Visible, seen)
		} else {
			s.b.Rooms.Hidden = append(s.b.Rooms.Hidden, seen)
		}
	}
	row := tables.Member{Room: w.id, User: u.ID}
	if m.Joined {
		s.b.Rooms.Members = append(s.b.Rooms.Members, row)
	} else {
		s.b.Rooms.MembersGone = append(s.b.Rooms.MembersGone, row)
	}
	s.then(func(ctx context.Context) {
		if w.room == nil {
			return
		}
		id := w.g.occupantID(u.ID, "")
		switch {
		case m.Joined && local == nil:
			w.setMember(ctx, u, "")
		case !m.Joined:
			d := room.Departure{Kind: room.Left, Reason: cutBytes(m.Reason, maxName)}
			if m.By != "" && m.By != u.ID {
				w.apart()
				d.Kind, d.Actor = room.Kicked, displayName(w.g.person(ctx, nil, m.By, ""))
			}
			w.room.RemoveOccupant(ctx, id, d)
			w.emptied()
		}
	})
	return nil
}

// roomChanged is a room that is new, or has another name, topic or kind.
func (s *step) roomChanged(ctx context.Context, c transports.RoomChanged) error {
	w, info := s.w, c.Info
	topic := w.row.Topic
	w.row = merge(w.row, info)
	s.b.Rooms.Rooms = append(s.b.Rooms.Rooms, w.row)
	s.b.Rooms.Visible = append(s.b.Rooms.Visible, tables.Visibility{Login: s.row.Login, Room: w.id, Joined: info.Joined, Writable: info.Writable})
	if a := w.g.account(s.row.Login); a != nil && info.Joined {
		s.then(func(ctx context.Context) { a.found(w.row) })
	}
	s.then(func(ctx context.Context) { w.showInfo(ctx, topic, s.e.Actor) })
	return nil
}

// merge puts what the network says of a room into its row.
func merge(row tables.Room, info transports.RoomInfo) tables.Room {
	row.Name, row.Topic = cutBytes(oneLine(info.Name), maxName), cutBytes(info.Topic, 4000)
	row.Group, row.Space, row.Members = cutBytes(oneLine(info.Group), maxName), info.Space, info.Members
	if info.ID != "" {
		row.Net = info.ID
	}
	return row
}

// showInfo tells those in the room what has changed.
func (w *worker) showInfo(ctx context.Context, topicBefore string, actor transports.UserID) {
	if w.room == nil {
		return
	}
	w.room.SetInfo(ctx, w.roomInfo())
	if w.row.Topic != topicBefore {
		subject := room.Subject{Text: w.row.Topic}
		if actor != "" {
			w.apart()
			subject.OccupantID = w.g.occupantID(actor, "")
			subject.Nick = displayName(w.g.person(ctx, nil, actor, ""))
		}
		w.room.SetSubject(ctx, subject, "", "")
	}
}

// roomGone is a room that the account cannot see any longer.
func (s *step) roomGone(_ context.Context, g transports.RoomGone) error {
	w := s.w
	delete(w.seenBy, s.row.Login)
	s.b.Rooms.Hidden = append(s.b.Rooms.Hidden, tables.Visibility{Login: s.row.Login, Room: w.id})
	reason := "You are no longer in this room."
	if g.Archived {
		reason = "This room was archived."
	}
	if a := w.g.account(s.row.Login); a != nil {
		s.then(func(ctx context.Context) {
			w.apart()
			w.evictUser(ctx, a, reason)
		})
	}
	return nil
}

// callNotice tells of a call that began or ended.
func (s *step) callNotice(ctx context.Context, c transports.Call) error {
	text := "A call has begun."
	if c.Ended {
		text = "The call has ended."
	} else if c.URL != "" && len(c.URL) < 4096 {
		text = "A call has begun: " + c.URL
	}
	return s.say(ctx, s.stanzaID("call "+s.e.Key), false, body(text))
}

// read is how far somebody has read (XEP-0333). The owner's own marks say nothing to them.
func (s *step) read(ctx context.Context, r transports.Read) error {
	rows, err := s.idsByNet(ctx, r.ID)
	if err != nil || len(rows) == 0 || s.ours() || s.quiet {
		return err
	}
	w := s.w
	shown := stanza.NewElement(nsMarkers, "displayed").With("id", w.refer(rows[0]))
	if w.direct() {
		if a := w.account(); a != nil && rows[0].Sender != "" {
			contact, err := w.g.contactJID(w.row.Peer)
			if err != nil {
				return err
			}
			s.kept = append(s.kept, delivery{To: a.owner, From: contact, ID: s.stanzaID("read " + s.e.Key), Type: stanza.TypeChat, Payload: stanza.Encode(shown, hint("store"))})
		}
		return nil
	}
	who := w.g.person(ctx, w.g.account(s.row.Login), s.e.Actor, "")
	s.then(func(ctx context.Context) {
		if w.room != nil {
			w.room.Broadcast(room.Post{From: w.g.occupantID(who.ID, ""), Nick: displayName(who), Payload: stanza.Encode(shown), Transient: true})
		}
	})
	return nil
}
