package links

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
)

// typing handles a message that says only that somebody in the room is typing or has stopped (XEP-0085 §5.5), and passes that on to the channel.
// It returns false for any other message.
func (l *link) typing(r received) bool {
	on, off := convert.TypingState(r.st)
	if !on && !off || r.st.Body() != "" {
		return false
	}
	nick, login := r.st.From.Resource(), l.login()
	p := l.persons.nicks[nick]
	if nick == "" || login == nil || nick == l.room.nick || p != nil && p.state == inside || passed(r.st, l.channelAddress()) {
		return true
	}
	l.links.conversations.TakeLinked(l.row.Room, outbox.Linked{
		Login: login, Sender: l.substitute(l.occupantOf(r.author)), Stanza: r.st, Typing: true,
	})
	return true
}

// Typing shows in the linked rooms of a channel that somebody of the network is typing, or has stopped. It does not block, and may be dropped.
func (x *Links) Typing(room int64, user transports.UserID, on bool) {
	x.mu.Lock()
	list := x.of[room]
	x.mu.Unlock()
	for _, id := range list {
		_ = x.boxes.Enqueue(id, func(_ context.Context, l *link) { l.showTyping(user, on) })
	}
}

// showTyping is Typing in one room. Nobody enters for it.
func (l *link) showTyping(user transports.UserID, on bool) {
	p := l.persons.by[l.links.address.Occupant(user, "")]
	if l.phase != live || p == nil || p.state != inside {
		return
	}
	content := append(convert.Typing(on), passedElement(l.channelAddress()))
	st := stanza.NewMessage(l.row.Address, p.jid, stanza.TypeGroupchat, content...)
	st.ID = stanza.NewID()
	l.send(st)
}
