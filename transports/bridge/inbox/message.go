package inbox

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// lateAfter is the age from which a message carries its time (XEP-0203).
const lateAfter = 30 * time.Second

// message processes a new message: the echo of a message that this gateway sent, or a message to be shown.
func (s *step) message(ctx context.Context, m transports.Message) error {
	known, err := s.byNetworkID(ctx, m.ID)
	if err != nil {
		return err
	}
	if len(known) > 0 { // an echo whose call has returned the id already, or an event that came before under another key
		s.progress(m.ID)
		if known[0].Sender != "" {
			s.p.env.Counters.Echoes.Add(1)
		}
		return nil
	}
	if s.ours() {
		switch s.p.calls.Echo(ctx, s.row.Login, s.echoed(m.ID)) {
		case outbox.HeldEcho:
			return errHeld
		case outbox.OurEcho:
			s.progress(m.ID)
			s.p.env.Counters.Echoes.Add(1)
			return nil
		}
	}
	s.progress(m.ID)
	return s.show(ctx, m)
}

// echoed is the event with the id of a part as the bridge writes it.
func (s *step) echoed(id transports.MessageID) transports.Event {
	e := s.e
	m := e.Body.(transports.Message)
	m.ID = id
	e.Body = m
	return e
}

// progress makes a message the start of the next backfill of the room. A message from the history of a new room
// becomes it only if no message was known before; a message that arrives while earlier ones may be missing does not.
func (s *step) progress(id transports.MessageID) {
	p := s.p
	if s.e.Past && p.conv.Row.Last != "" && !p.fromHistory || p.conv.Partial() {
		return
	}
	p.fromHistory = s.e.Past
	id, _ = convert.SplitPartID(id)
	p.conv.Row.Last, p.conv.Row.LastAt = id, s.at()
	s.b.Inbox.Progress = append(s.b.Inbox.Progress, tables.Progress{Room: p.conv.ID, Last: id, At: s.at()})
}

// at returns when the event happened: never later than it was received, since the network's clock may be wrong.
func (s *step) at() time.Time {
	if s.e.At.IsZero() || s.e.At.After(s.row.At) {
		return s.row.At
	}
	return s.e.At
}

// show converts a new message into a stanza and a row of the table of ids.
func (s *step) show(ctx context.Context, m transports.Message) error {
	m.Files, m.Text = s.linked(m.ID, m.Files), s.filled(ctx, m.Text)
	rendered := convert.MessageText(m, s.p.env.Settings.Text)
	to, err := s.quoted(ctx, m)
	if err != nil {
		return err
	}
	thread := ""
	if !m.InRoom {
		if thread, err = s.threadOf(ctx, m.Thread); err != nil {
			return err
		}
	}
	id := s.stanzaID(string(m.ID))
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{
		Room: s.p.conv.ID, Net: m.ID, Stanza: id, Origin: id, Author: s.e.Actor, At: s.at(), Text: convert.Snippet(rendered.Text),
		Thread: m.Thread, Answers: m.ReplyTo,
	})
	s.shownVersion(m)
	if err := s.say(ctx, id, m.Notice, convert.Message(m, rendered, to, thread, s.mentioned())...); err != nil {
		return err
	}
	return s.showEarly(ctx, m.ID)
}

// poll shows a poll as a message that lists its options, and its end as a further message.
func (s *step) poll(ctx context.Context, poll transports.Poll) error {
	known, err := s.byNetworkID(ctx, poll.ID)
	if err != nil || len(known) > 0 && !poll.Ended {
		return err
	}
	text := convert.PollText(poll)
	if len(known) > 0 {
		return s.say(ctx, s.stanzaID("poll "+s.e.Key), false, convert.Body(text))
	}
	s.progress(poll.ID)
	id := s.stanzaID(string(poll.ID))
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{
		Room: s.p.conv.ID, Net: poll.ID, Stanza: id, Origin: id, Author: s.e.Actor, At: s.at(), Text: convert.Snippet(text),
	})
	return s.say(ctx, id, false, convert.Body(text))
}

// stanzaID returns the stanza id for a key of the network. It is the same each time that the event is processed.
func (s *step) stanzaID(key string) string { return s.p.address.Stanza(s.p.conv.Row, key) }

// quoted returns the message to which a message replies, or nil.
func (s *step) quoted(ctx context.Context, m transports.Message) (*convert.Quoted, error) {
	id := m.ReplyTo
	if id == "" && m.Thread != m.ID {
		id = m.Thread
	}
	if id == "" {
		return nil, nil
	}
	rows, err := s.byNetworkID(ctx, id)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	target := rows[0]
	q := &convert.Quoted{ID: s.reference(target), Text: target.Text}
	if target.Author != "" {
		q.Author = convert.DisplayName(s.p.people.Find(ctx, target.Author, ""))
		q.From = s.p.addressOf(target.Author, q.Author)
	}
	return q, nil
}

func (s *step) reference(m tables.Mapping) string { return convert.Reference(s.p.conv.Direct(), m) }

// addressOf returns the address that messages of a person of the network are sent from in this conversation.
func (p *Processor) addressOf(user transports.UserID, name string) string {
	if p.conv.Direct() {
		if l := p.conv.Login(); l != nil && l.User == user {
			return l.Owner.String()
		}
		j, _ := p.address.Contact(user)
		return j.String()
	}
	if e := p.room.Engine(); e != nil {
		if o, ok := e.Occupant(p.address.Occupant(user, "")); ok {
			name = o.Nick
		}
	}
	j, err := p.address.Room(p.conv.Row.Net)
	if err == nil {
		j, err = j.WithResource(convert.RoomNick(name))
	}
	if err != nil {
		return ""
	}
	return j.String()
}

// threadOf returns the XEP-0201 thread for a thread of the network: the stanza id of its first message.
func (s *step) threadOf(ctx context.Context, root transports.MessageID) (string, error) {
	if root == "" {
		return "", nil
	}
	rows, err := s.byNetworkID(ctx, root)
	if err != nil {
		return "", err
	}
	if len(rows) > 0 {
		return rows[0].Stanza, nil
	}
	return s.stanzaID(string(root)), nil
}

// say sends content under a stanza id as the event's actor: to the room, or to the owner of the direct
// chat. A notice is sent with the room itself as the sender.
func (s *step) say(ctx context.Context, id string, notice bool, content ...*stanza.Element) error {
	if s.p.conv.Direct() {
		return s.sayDirect(id, content)
	}
	s.sayRoom(ctx, id, notice, content)
	return nil
}

func (s *step) sayRoom(ctx context.Context, id string, notice bool, content []*stanza.Element) {
	p := s.p
	post := room.Post{ID: id, StanzaID: id, Payload: stanza.Encode(content...)}
	var who transports.UserInfo
	persona := ""
	if !notice && s.e.Actor != "" {
		who = p.people.Find(ctx, s.e.Actor, s.e.Name)
		persona = convert.Persona(who, s.e.Name)
		post.From, post.Nick = p.address.Occupant(who.ID, persona), convert.DisplayName(who)
		if persona != "" {
			post.Nick = p.room.PersonaNick(ctx, s.e.Name, post.From)
		} else if m := (tables.Member{Room: p.conv.ID, User: who.ID}); !slices.Contains(s.all.Rooms.Members, m) {
			s.b.Rooms.Members = append(s.b.Rooms.Members, m)
			p.room.NoteName(who)
		}
	}
	s.b.Archive = append(s.b.Archive, tables.Archived{
		Seq: s.archiveSeq(), Room: p.conv.ID, ID: id, Message: id, At: s.at(), Nick: post.Nick, Occupant: post.From, Payload: post.Payload,
		Corrects: s.corrects,
	})
	if s.e.Past {
		return
	}
	if s.row.At.Sub(s.at()) > lateAfter {
		post.Stamp = s.at()
	}
	local := s.local()
	s.then(func(ctx context.Context) {
		var sender jid.JID
		if local != nil {
			sender = local.Owner
		}
		p.room.NotifyMembers(ctx, post, sender)
		if p.room.Engine() == nil {
			return
		}
		if post.From != "" && local == nil {
			p.room.SetMember(ctx, who, persona)
		}
		p.room.Broadcast(post)
		p.env.Counters.Delivered.Add(1)
	})
}

// archiveSeq returns a message's position in the archive. The history of a new room is sorted before all live
// messages.
func (s *step) archiveSeq() int64 {
	if s.e.Past {
		return s.p.env.Next() - tables.HistoryOffset
	}
	return s.p.env.Next()
}

// sayDirect sends a message of the contact to the owner. If the owner wrote the message with the network's own
// client, it sends a copy of it.
func (s *step) sayDirect(id string, content []*stanza.Element) error {
	p := s.p
	l := p.conv.Login()
	if l == nil || s.e.Past {
		return nil
	}
	contact, err := p.address.Contact(p.conv.Row.Peer)
	if err != nil {
		return err
	}
	if s.row.At.Sub(s.at()) > lateAfter {
		content = append(content, message.Delay(p.env.Domain, s.at()))
	}
	// After a crash between delivery and its log entry the message is sent again: clients recognise it by this id
	// (XEP-0359 §4).
	content = append(content, message.OriginID(id))
	if s.local() == l {
		own := convert.OwnCopy{Owner: l.Owner, Contact: contact, ID: id, Content: content}
		st := own.Marked
		if may := p.roster.Privileges.Of(l.Owner.Domain()); may.Messages {
			st = func() *stanza.Stanza { return own.Privileged(p.env.Domain, may.Space) }
		}
		s.deliveries = append(s.deliveries, delivery.Keep(st()))
		return nil
	}
	if p.env.Info.Caps.Read {
		content = append(content, convert.Markable())
	}
	s.deliveries = append(s.deliveries, delivery.Keep(convert.DirectMessage(l.Owner, contact, id, content)))
	return nil
}
