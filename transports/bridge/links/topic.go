package links

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// topics are the topic of the channel and the subject of the room.
type topics struct {
	subject string            // of the room, as it has sent it last
	by      received          // the message with the subject; st is nil where none has come
	shown   *string           // a subject that was sent to the room, which has not shown it yet; nil: none
	carried tables.LinkTopics // those that were compared last
}

// readChannel reads the row of the channel again.
func (l *link) readChannel(ctx context.Context) {
	channel, ok, err := l.links.channels.RoomByID(ctx, l.row.Room)
	switch {
	case err != nil:
		l.links.env.Log.Error("reading the row of a linked channel", "channel", l.channel.Net, "error", err)
	case ok:
		l.channel = channel
	}
}

// carryTopics gives one side the topic of the other where that has changed, also where it was while the gateway did not run. Where both
// have changed, the one that is known first goes to the other side.
func (l *link) carryTopics() {
	t := &l.room.topics
	before := t.carried
	switch {
	case !before.Known:
		t.carried = tables.LinkTopics{Channel: l.channel.Topic, Room: t.subject, Known: true}
	case l.channel.Topic != before.Channel:
		t.carried.Channel = l.channel.Topic
		l.showTopic(l.channel.Topic)
	case t.subject != before.Room:
		l.sendTopic()
	}
}

// showTopic makes the topic of the channel the subject of the linked room (XEP-0045 §8.1). A room that does not let the gateway do that keeps its
// subject.
func (l *link) showTopic(topic string) {
	topic = convert.CutBytes(topic, maxTopic)
	t := &l.room.topics
	if t.shown == nil && topic == t.subject || t.shown != nil && topic == *t.shown {
		return
	}
	t.shown = &topic
	st := stanza.NewMessage(l.row.Address, l.self(), stanza.TypeGroupchat, stanza.TextElement("", "subject", topic))
	st.ID = stanza.NewID()
	l.send(st)
}

// Sizes of topics in bytes.
const (
	maxTopic   = 1024 // of a channel, that is shown
	maxSubject = 4096 // of a room, that is read
)

// noteSubject notes the subject that the room has sent: a message with a subject and neither a body nor a thread (XEP-0045 §8.1).
func (l *link) noteSubject(r received) bool {
	st := r.st
	if st.Child("", "subject") == nil || st.Child("", "body") != nil || st.Child("", "thread") != nil {
		return false
	}
	l.room.topics.subject, l.room.topics.by = convert.CutBytes(st.Tree().ChildText("", "subject"), maxSubject), r
	if t := &l.room.topics; t.shown != nil && t.subject == *t.shown {
		t.shown = nil
	}
	return true
}

// sendTopic gives the channel the subject that somebody has given the room, where the login may. Else they get the reason, and the two stay
// different.
func (l *link) sendTopic() {
	t := &l.room.topics
	subject, r, before := t.subject, t.by, t.carried.Room
	t.carried.Room = subject
	login := l.login()
	if login == nil || r.st == nil || subject == convert.CutBytes(l.channel.Topic, maxTopic) {
		return
	}
	nick := r.st.From.Resource()
	if p := l.persons.nicks[nick]; p != nil && p.state == inside || nick == l.room.nick {
		return // by the link itself
	}
	occupant := l.occupantOf(r.author)
	id := convert.Hash("topic", l.channelAddress().String(), stanza.NewID())
	m := outbox.Linked{
		Login: login, Sender: l.substitute(occupant), Subject: &subject, Author: occupants.Puppet{ID: occupant, Nick: nick, JID: r.st.From},
		Stanza:  &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, ID: id, Payload: stanza.Encode(stanza.TextElement("", "subject", subject))},
		Message: tables.LinkMessage{Link: l.id, Entry: id},
	}
	ended := func(err error) { l.topicEnded(nick, before, err) }
	m.Done = func(err error) {
		l.links.enqueue(l.id, func(*link, context.Context) { ended(err) })
	}
	if !l.links.conversations.TakeLinked(l.row.Room, m) {
		ended(outbox.ErrNotKept)
	}
}

// topicEnded handles the outcome of sendTopic.
func (l *link) topicEnded(nick, before string, err error) {
	switch {
	case errors.Is(err, outbox.ErrNotKept): // it is sent again
		l.after(gateway.RetryMin, func(context.Context) { l.room.topics.carried.Room = before })
	case err != nil:
		l.refuse(nick, convert.StanzaError(err))
	}
}
