package bridge

import (
	"context"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// lateAfter is the age from which a message carries its time (XEP-0203).
const lateAfter = 30 * time.Second

// message is a new message: the echo of one of ours, or one to be shown.
func (s *step) message(ctx context.Context, m transports.Message) error {
	known, err := s.idsByNet(ctx, m.ID)
	if err != nil {
		return err
	}
	if len(known) > 0 { // the returned id came first, or the event comes under another key
		s.seen(m.ID)
		if known[0].Sender != "" {
			s.w.g.Counters.Echoes.Add(1)
		}
		return nil
	}
	if s.ours() {
		switch s.w.echo(ctx, s.e.Nonce, m.ID, s.e.At) {
		case echoHeld:
			return errHeld
		case echoOfOurs:
			s.seen(m.ID)
			s.w.g.Counters.Echoes.Add(1)
			return nil
		}
	}
	s.seen(m.ID)
	return s.show(ctx, m)
}

// seen moves the start of the next catch-up; the history of a new room does so only
// where nothing was known, and what comes to a room that is open does not.
func (s *step) seen(id transports.MessageID) {
	if s.quiet && s.w.row.Last != "" && !s.w.filling || s.w.isOpen() {
		return
	}
	s.w.filling = s.quiet
	s.w.row.Last = id
	s.b.Inbox.Progress = append(s.b.Inbox.Progress, tables.Progress{Room: s.w.id, Last: id, At: s.at()})
}

func (s *step) at() time.Time {
	if s.e.At.IsZero() || s.e.At.After(s.row.At) { // the network's clock may be wrong
		return s.row.At
	}
	return s.e.At
}

// show makes the stanza of a message.
func (s *step) show(ctx context.Context, m transports.Message) error {
	text := s.w.g.bodyOf(m.Text, m.Files, m.Me)
	if text == "" {
		text = "(empty message)"
	}
	id := s.stanzaID(string(m.ID))
	said, err := s.replying(ctx, m, text)
	if err != nil {
		return err
	}
	said = append(said, oob(m.Text, m.Files))
	if m.Thread != "" {
		if th, err := s.threadOf(ctx, m.Thread); err != nil {
			return err
		} else if th != "" {
			said = append(said, stanza.TextElement("", "thread", th))
		}
	}
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{
		Room: s.w.id, Net: m.ID, Stanza: id, Origin: id, Author: s.e.Actor, At: s.at(), Text: snippet(text),
	})
	return s.say(ctx, id, m.Notice, said...)
}

// stanzaID is the same for the same message whenever and however often it comes.
func (s *step) stanzaID(key string) string {
	return hash(s.w.g.domain.String(), string(s.w.row.Scope), s.w.row.Key, key)
}

// replying is the body, with a quotation where the message answers another (XEP-0461).
func (s *step) replying(ctx context.Context, m transports.Message, text string) ([]*stanza.Element, error) {
	to := m.ReplyTo
	if to == "" && m.Thread != m.ID {
		to = m.Thread
	}
	if to == "" {
		return []*stanza.Element{body(text)}, nil
	}
	rows, err := s.idsByNet(ctx, to)
	if err != nil || len(rows) == 0 {
		return []*stanza.Element{body(text)}, err
	}
	target := rows[0]
	author := s.authorOf(ctx, target)
	reply := stanza.NewElement(nsReply, "reply").With("id", s.w.refer(target)).With("to", s.w.addressOf(author))
	q, n := quote(author.name, target.Text)
	if n == 0 {
		return []*stanza.Element{body(text), reply}, nil
	}
	return []*stanza.Element{
		body(q + text), reply,
		stanza.NewElement(nsFallback, "fallback").With("for", nsReply).
			Add(stanza.NewElement(nsFallback, "body").With("start", "0").With("end", strconv.Itoa(n))),
	}, nil
}

// author is who wrote a message, for quotations.
type author struct {
	user transports.UserID
	name string
}

func (s *step) authorOf(ctx context.Context, r tables.Mapping) author {
	if r.Author == "" {
		return author{}
	}
	u := s.w.g.person(ctx, s.w.g.account(s.row.Login), r.Author, "")
	return author{r.Author, displayName(u)}
}

// refer is the id by which others refer to a message: in rooms that of the archive, in
// conversations that of the stanza (XEP-0461 §3, XEP-0424 §3, XEP-0444 §3).
func (w *worker) refer(r tables.Mapping) string {
	if w.direct() {
		return r.Origin
	}
	return r.Stanza
}

// addressOf is where a message that is answered came from.
func (w *worker) addressOf(a author) string {
	if a.user == "" {
		return ""
	}
	if w.direct() {
		if own := w.account(); own != nil && own.user == a.user {
			return own.owner.String()
		}
		j, _ := w.g.contactJID(a.user)
		return j.String()
	}
	nick := a.name
	if w.room != nil {
		if o, ok := w.room.Occupant(w.g.occupantID(a.user, "")); ok {
			nick = o.Nick
		}
	}
	j, err := w.g.roomJID(w.row.Net)
	if err == nil {
		j, err = j.WithResource(nick)
	}
	if err != nil {
		return ""
	}
	return j.String()
}

// threadOf is the XEP-0201 thread of the network's thread: the id of its first message.
func (s *step) threadOf(ctx context.Context, root transports.MessageID) (string, error) {
	rows, err := s.idsByNet(ctx, root)
	if err != nil {
		return "", err
	}
	if len(rows) > 0 {
		return rows[0].Stanza, nil
	}
	return s.stanzaID(string(root)), nil
}

// say sends content under a stanza id as the event's actor: to the room, or to the
// owner of the conversation. notice is said by the room itself.
func (s *step) say(ctx context.Context, id string, notice bool, content ...*stanza.Element) error {
	if s.w.direct() {
		return s.sayDirect(ctx, id, content)
	}
	return s.sayRoom(ctx, id, notice, content)
}

func (s *step) sayRoom(ctx context.Context, id string, notice bool, content []*stanza.Element) error {
	w := s.w
	p := room.Post{ID: id, StanzaID: id, Payload: stanza.Encode(content...)}
	var who transports.UserInfo
	if !notice && s.e.Actor != "" {
		who = w.g.person(ctx, w.g.account(s.row.Login), s.e.Actor, s.e.Name)
		p.From, p.Nick = w.g.occupantID(who.ID, s.persona(who)), displayName(who)
		if s.persona(who) != "" {
			p.Nick = s.e.Name
		} else {
			s.b.Rooms.Members = append(s.b.Rooms.Members, tables.Member{Room: w.id, User: who.ID})
		}
	}
	s.b.Archive = append(s.b.Archive, tables.Archived{
		Seq: s.archiveSeq(), Room: w.id, ID: id, Message: id, At: s.at(), Nick: p.Nick, Occupant: p.From, Payload: p.Payload,
	})
	if s.quiet {
		return nil
	}
	if s.row.At.Sub(s.at()) > lateAfter {
		p.Stamp = s.at()
	}
	persona, local := s.persona(who), s.local()
	s.then(func(ctx context.Context) {
		if w.room == nil {
			return
		}
		if p.From != "" && local == nil {
			w.setMember(ctx, who, persona)
		}
		w.room.Broadcast(p)
		w.g.Counters.Delivered.Add(1)
	})
	return nil
}

// archiveSeq is a message's place in the archive: the history of a room that is new goes
// before all that has come since.
func (s *step) archiveSeq() int64 {
	if s.quiet {
		return s.w.g.next() - 1<<62
	}
	return s.w.g.next()
}

// persona is the name under which the actor speaks where it is not the actor's own.
func (s *step) persona(u transports.UserInfo) string {
	if s.e.Name == "" || s.e.Name == u.Name || s.e.Name == u.Handle || s.e.Name == displayName(u) {
		return ""
	}
	return cutBytes(s.e.Name, maxName)
}

// sayDirect is a message of the contact to the owner or, where the owner wrote it in the
// network's own client, the copy of it.
func (s *step) sayDirect(_ context.Context, id string, content []*stanza.Element) error {
	w := s.w
	a := w.account()
	if a == nil || s.quiet {
		return nil
	}
	contact, err := w.g.contactJID(w.row.Peer)
	if err != nil {
		return err
	}
	if s.row.At.Sub(s.at()) > lateAfter {
		content = append(content, w.g.delay(s.at()))
	}
	if s.local() == a {
		s.kept = append(s.kept, w.g.ownCopy(a, contact, id, content))
		return nil
	}
	if w.g.info.Caps.Read {
		content = append(content, stanza.NewElement(nsMarkers, "markable"))
	}
	// A crash at the wrong moment lets it come again: by this clients know it (XEP-0359 §4).
	content = append(content, stanza.NewElement(nsStanzaID, "origin-id").With("id", id))
	s.kept = append(s.kept, delivery{To: a.owner, From: contact, ID: id, Type: stanza.TypeChat, Payload: stanza.Encode(content...)})
	return nil
}

func (g *Gateway) delay(at time.Time) *stanza.Element {
	return stanza.NewElement(nsDelay, "delay").With("from", g.domain.String()).With("stamp", at.UTC().Format("2006-01-02T15:04:05.000Z"))
}
