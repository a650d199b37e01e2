package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Linked is a message of a linked room on its way to the channel.
type Linked struct {
	Login  *logins.Login    // that writes to the channel
	Author occupants.Puppet // who wrote it, as an occupant of the channel's room
	Sender jid.JID          // stands for the author among those who send; nothing is sent to it
	// Stanza is the message with the ids of the channel's room.
	Stanza *stanza.Stanza
	// Message has the ids on both sides; Message.Entry is its id in the archive of the channel.
	Message   tables.LinkMessage
	Reactions *tables.LinkReactions // that the message sets
	Emoji     []string              // those of all people of the linked room, with Reactions
	// Subject is set where Author has given the linked room another subject. The channel has that before it is shown it.
	Subject *string
	// Typing is set where Stanza says no more than whether Author writes at the moment (XEP-0085). Done is not called then.
	Typing bool
	// Moderated is set where Stanza removes a message as a moderator does (XEP-0425). It is the room that says so; Author is the moderator.
	Moderated bool
	// Done is called from the goroutine of the conversation when the message and Message are durable, with ErrNotKept where
	// they could not be kept, or else with the error for the author. It does not block.
	Done func(error)
}

// Links is told what has become of messages of linked rooms.
type Links interface {
	// Refused is called for a message that the channel does not get, once it is not tried again. It does not block.
	Refused(link int64, nick string, e *stanza.Error)
	// Notice is called with a text for the author of a message that the channel got. It does not block.
	Notice(link int64, nick, text string)
}

// ErrNotKept is given to Linked.Done for a message that has to be taken again later.
var ErrNotKept = errors.New("the message could not be kept")

// Linked takes a message of a linked room.
func (q *Queue) Linked(ctx context.Context, m Linked) {
	if m.Typing {
		q.sendTyping(m.Login, m.Sender, m.Stanza)
		return
	}
	if taken, err := q.acceptLinked(ctx, m); !taken {
		m.Done(err)
	}
}

// ownShare is which part of the queue messages of linked rooms do not fill: anybody may be in those, and must not keep the channel's own people
// from writing.
const ownShare = 4

// acceptLinked is Linked. What the channel does not have to know is not accepted, without an error.
func (q *Queue) acceptLinked(ctx context.Context, m Linked) (taken bool, err error) {
	l := m.Login
	parser := q.parser(l)
	parser.All = false // the login is not the author's, and so are its rights
	parser.Who = func(to convert.Referred) (transports.UserID, bool) { return q.room.Person(nil, to) }
	if limit := parser.Info.Caps.MaxText; limit > 0 && !parser.Info.Caps.Relay { // the name stands before the text
		parser.Info.Caps.MaxText = max(limit/2, limit-utf8.RuneCountInString(m.Author.Nick)-len(": "))
	}
	request, err := parser.Parse(m.Stanza, m.Subject)
	if err != nil || request.Kind == convert.None || request.Kind == convert.SendRead {
		return false, err
	}
	request.Linked = &convert.Linked{Link: m.Message.Link, Nick: m.Author.Nick, Moderated: m.Moderated}
	if request.Kind == convert.SendTopic {
		request, err = q.linkedTopic(m, request)
	} else {
		request, err = q.check(ctx, written{login: l, from: m.Sender, st: m.Stanza}, request)
	}
	if err != nil || request.Kind == convert.None {
		return false, err
	}
	if q.conv.Calls()+len(q.accepted) >= max(q.env.Settings.Queue-q.env.Settings.Queue/ownShare, 1) {
		return false, stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	shown := convert.Shown(m.Stanza, request)
	if m.Reactions != nil {
		request.Emoji = m.Emoji
	}
	if m.Moderated {
		request.Linked.Content = shown.Payload
	}
	call := accepted{request: request, st: shown, linked: &m}
	call.call = tables.Call{
		Seq: q.env.Next(), Room: q.conv.ID, Login: l.ID, Sender: m.Sender, Origin: "link " + m.Message.Entry, Message: m.Stanza.ID,
		Kind: string(request.Kind), Created: q.env.Now(), Stanza: m.Message.Entry,
	}
	if call.call.Data, err = json.Marshal(request); err != nil {
		return false, err
	}
	if m.Moderated || m.Subject != nil { // the room is shown it once the network has done it
		q.accepted = append(q.accepted, call)
		return true, nil
	}
	q.acceptForRoom(room.Message{From: room.Occupant{ID: m.Author.ID, Nick: m.Author.Nick}, Session: m.Sender, Stanza: shown}, call)
	return true, nil
}

// addLinked adds to a batch what is kept of a message of a linked room.
func (m *Linked) addLinked(b *tables.LinkBatch) {
	if m.Subject == nil {
		b.Messages = append(b.Messages, m.Message)
	}
	if m.Reactions != nil {
		b.Reactions = append(b.Reactions, *m.Reactions)
	}
}

// refuse tells the sender of a message that could not be kept.
func (q *Queue) refuse(a accepted, e *stanza.Error) {
	if a.linked != nil {
		a.linked.Done(ErrNotKept)
		return
	}
	q.room.Send(a.st.ErrorReply(e))
}

// named puts the name of the author before a text that the login cannot send under that name.
func (c *call) named(text richtext.Text, author *transports.Author) richtext.Text {
	if c.request.Linked == nil || author != nil {
		return text
	}
	name := richtext.Node{Kind: richtext.Bold, Children: richtext.FromPlain(c.request.Linked.Nick)}
	if c.request.Me {
		return slices.Concat(richtext.Text{name, {Text: " "}}, text)
	}
	return slices.Concat(richtext.Text{name, {Text: ": "}}, text)
}

// authorName is under which name a message goes out, where that can be chosen.
func (c *call) authorName() string {
	if c.request.Linked != nil {
		return c.request.Linked.Nick
	}
	return c.outbox.nicks.NickOf(c.row.Sender)
}
