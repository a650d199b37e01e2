package links

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Limits of what is on its way to the linked room.
const (
	maxUnconfirmed = 16               // messages that the room has not reflected yet
	readAhead      = 50               // entries of the archive in memory
	confirmTime    = time.Minute      // for the reflection
	lateAfter      = 30 * time.Second // from this age on a message carries its time
	maxAttempts    = 5                // of a message that the room refuses for the moment, or does not reflect
)

// sendingState is how far an entry has come.
type sendingState int

// The states of an entry.
const (
	waiting   sendingState = iota
	sent                   // the room has not reflected it yet
	confirmed              // nothing is left to be done
)

// sending is an entry of the channel's archive on its way to the linked room.
type sending struct {
	entry    tables.Archived
	origin   origin
	id       string // its own id in the linked room
	nick     string // under which it was sent
	state    sendingState
	at       time.Time // of sending
	attempts int
	self     bool      // the gateway itself speaks
	notAfter time.Time // of the next attempt: not before it
	speaker  *person
}

// outward is what goes from the channel to the linked room.
type outward struct {
	sent    int64 // Seq of the last entry before which all are done; 0 where none was done yet
	last    int64 // Seq of the last entry that was read
	pending []*sending
	unsaved []tables.LinkMessage

	moderated []string // ids of messages that the linked room was asked to retract, the last ones
}

// pump reads the channel's archive and sends what can be sent.
func (l *link) pump(ctx context.Context) {
	for l.phase == live && len(l.out.unsaved) <= maxUnconfirmed {
		if len(l.out.pending) < readAhead/2 {
			if err := l.readArchive(ctx); err != nil {
				if ctx.Err() == nil {
					l.links.env.Log.Error("reading the archive of a linked channel", "channel", l.channel.Net, "error", err)
					l.after(gateway.RetryMin, func(context.Context) {})
				}
				return
			}
		}
		before := len(l.out.pending)
		l.sendPending(ctx)
		l.advance()
		if len(l.out.pending) == before || len(l.out.pending) >= readAhead/2 {
			return
		}
	}
}

func (l *link) readArchive(ctx context.Context) error {
	rows, err := l.links.channels.ArchiveAfter(ctx, l.row.Room, l.out.last, readAhead)
	if err != nil {
		return err
	}
	for _, row := range rows {
		s := &sending{entry: row, origin: l.originOfEntry(row.ID, row.Payload)}
		s.id = s.origin.in(l.row.Address)
		known, ok, err := l.links.messages.LinkedEntry(ctx, l.id, row.ID)
		if err != nil {
			return err
		}
		if ok && known.Entry == row.ID || slices.ContainsFunc(l.in.recent, func(m tables.LinkMessage) bool { return m.Entry == row.ID }) {
			s.state = confirmed // it comes from the linked room, or is there
		}
		l.out.pending = append(l.out.pending, s)
		l.out.last = row.Seq
	}
	return nil
}

// sendPending sends entries in their order.
func (l *link) sendPending(ctx context.Context) {
	unconfirmed := 0
	for _, s := range l.out.pending {
		switch s.state {
		case sent:
			unconfirmed++
		case waiting:
			if unconfirmed >= maxUnconfirmed || !l.sendOne(ctx, s) {
				return
			}
			if s.state == sent {
				unconfirmed++
			}
		}
	}
}

// sendOne sends an entry; false where it has to wait.
func (l *link) sendOne(ctx context.Context, s *sending) bool {
	now := l.links.env.Now()
	if convert.Removed(s.entry.Payload) || passed(&stanza.Stanza{Kind: stanza.Message, Payload: s.entry.Payload}, l.row.Address) {
		s.state = confirmed
		return true
	}
	if s.notAfter.After(now) {
		return false
	}
	if !l.links.claims.take(s.id, l.id) {
		l.comesOtherwise(s)
		return true
	}
	t := translation{link: l, origin: s.origin}
	content, moderated, err := t.outward(ctx, s.entry)
	switch {
	case err != nil:
		l.links.env.Log.Error("looking up a message of a linked room", "room", l.row.Address.String(), "error", err)
		l.after(gateway.RetryMin, func(context.Context) {})
		return false
	case t.waits:
		return false
	case moderated != nil:
		l.moderate(s, *moderated)
		return true
	case content == nil:
		s.state = confirmed
		return true
	}
	from, as := l.self(), (*person)(nil)
	if s.entry.Occupant != "" && !s.self {
		s.speaker = l.speaker(ctx, s.entry.Occupant, s.entry.Nick)
		if s.speaker.state == banned {
			s.state = confirmed
			return true
		}
		ready := false
		if as, ready = l.present(s.speaker); !ready {
			return false
		}
	}
	s.nick = l.room.nick
	if as != nil {
		from, s.nick = as.jid, as.nick
	} else if content = withName(content, s.entry.Nick); content == nil {
		s.state = confirmed // the gateway has no reactions of its own
		return true
	}
	content = append(content, message.OriginID(s.id))
	if now.Sub(s.entry.At) > lateAfter {
		content = append(content, message.Delay(l.links.env.Domain, s.entry.At))
	}
	st := stanza.NewMessage(l.row.Address, from, stanza.TypeGroupchat, content...)
	st.ID, st.Lang = s.id, s.entry.Lang
	s.state, s.at = sent, now
	l.send(st)
	l.after(confirmTime, func(ctx context.Context) {
		if s.state != sent || l.links.env.Now().Before(s.at.Add(confirmTime)) {
			return
		}
		if s.attempts++; s.attempts >= maxAttempts { // the room answers, but does not show it
			l.giveUp(s, "it does not show it")
			return
		}
		l.connect(ctx) // what is there is found in the archive or history
	})
	return true
}

// comesOtherwise has an entry wait for the message that another link brings to the room.
func (l *link) comesOtherwise(s *sending) {
	s.state, s.at = sent, l.links.env.Now()
	for _, r := range l.in.there {
		if r.st.ID == s.id {
			l.out.reflected(l.id, r, s.at)
			return
		}
	}
	l.after(confirmTime, func(context.Context) { s.state = confirmed })
}

// withName is content as the gateway itself says it for somebody; nil where it has no text.
func withName(content []*stanza.Element, name string) []*stanza.Element {
	list := slices.Clone(content)
	for i, e := range list {
		if e.Local != "body" || e.Space != "" && e.Space != "jabber:client" {
			continue
		}
		if name != "" {
			list[i] = convert.Body(name + ": " + e.Text())
		}
		return slices.DeleteFunc(list, isReply) // the positions in its fallback are others now
	}
	return nil
}

// reflected confirms the entry that a message of the room is; false where it is none of a link's.
func (o *outward) reflected(link int64, r received, now time.Time) bool {
	if r.st.ID == "" || !r.carried {
		return false
	}
	for _, s := range o.pending {
		if s.id != r.st.ID {
			continue
		}
		if s.state == confirmed {
			return true
		}
		s.state = confirmed
		o.unsaved = append(o.unsaved, tables.LinkMessage{
			Link: link, Entry: s.entry.ID, Message: s.entry.Message, There: s.id, ThereID: r.id, Nick: r.st.From.Resource(), At: now,
		})
		return true
	}
	return false
}

// advance forgets the first entries that are done.
func (l *link) advance() {
	for len(l.out.pending) > 0 && l.out.pending[0].state == confirmed {
		l.out.sent = l.out.pending[0].entry.Seq
		l.out.pending = l.out.pending[1:]
	}
}

// resend has entries sent again that the room does not have after the link was interrupted.
func (o *outward) resend() {
	for _, s := range o.pending {
		if s.state == sent {
			s.state = waiting
		}
	}
}

// waitsFor reports whether an entry of a person is on its way.
func (o *outward) waitsFor(p *person) bool {
	return slices.ContainsFunc(o.pending, func(s *sending) bool { return s.speaker == p && s.state != confirmed })
}

// messageError handles that the room has refused a message.
func (l *link) messageError(_ context.Context, st *stanza.Stanza) {
	e := st.Err()
	for _, s := range l.out.pending {
		if s.id != st.ID || s.state != sent {
			continue
		}
		s.attempts++
		s.state = waiting
		switch {
		case e.Type == "wait" && s.attempts < maxAttempts: // such as a limit of messages
			s.notAfter = l.links.env.Now().Add(gateway.Backoff(s.attempts))
			l.after(gateway.Backoff(s.attempts)+time.Second, func(context.Context) {})
		case s.attempts >= maxAttempts:
			l.giveUp(s, e.Condition+": "+e.Text)
		case !s.self && s.speaker != nil && e.Condition == "not-acceptable": // XEP-0045 §7.4: not in the room any longer
			l.setState(s.speaker, outside)
		case !s.self && s.entry.Occupant != "" && (e.Condition == "forbidden" || e.Condition == "not-allowed"): // no voice
			s.self = true
		default:
			l.giveUp(s, e.Condition+": "+e.Text)
		}
		return
	}
}

// giveUp leaves out an entry that the room does not take, so that those behind it go on.
func (l *link) giveUp(s *sending, why string) {
	s.state = confirmed
	l.links.env.Counters.Failed.Add(1)
	l.links.env.Log.Warn("a linked room does not take a message", "room", l.row.Address.String(), "cause", why)
}
