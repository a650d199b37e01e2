package links

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// inward is what goes from the linked room to the channel.
type inward struct {
	seen    string // id of the last message that the channel has, with all before it
	seenAt  time.Time
	taken   []*taken               // that were given to the channel or came from it, in order
	recent  []tables.LinkMessage   // the last ones that were given to the channel; they may not be stored yet
	reacted []tables.LinkReactions // the last ones
	there   []received             // the last messages of the linked room, whoever brought them
}

// taken is a message of the linked room on its way to the channel.
type taken struct {
	id   string
	at   time.Time
	done bool
}

// maxRecent is how many messages are looked for in memory.
const maxRecent = 200

// take handles a message of the room in its order: the reflection of one of ours, or one for the channel.
func (l *link) take(ctx context.Context, r received) {
	nick := actor(r.st)
	p := l.persons.nicks[nick] // while one of ours enters, the nickname is perhaps that of somebody else
	ours := nick != "" && (p != nil && p.state == inside || nick == l.room.nick)
	r.carried = ours || l.carried(r.st)
	l.in.remember(r)
	if l.out.reflected(l.id, r, l.links.env.Now()) {
		l.advance()
		l.note(r, true)
		return
	}
	if ours {
		return // of ours, such as an error's notice; or reflected before
	}
	known, err := l.knows(ctx, r)
	if err != nil {
		l.takeLater(r, err)
		return
	}
	if known || passed(r.st, l.channelAddress()) {
		l.note(r, true)
		return
	}
	m, err := l.forChannel(ctx, r)
	if _, refused := errors.AsType[*stanza.Error](err); err != nil && !refused {
		l.takeLater(r, err)
		return
	}
	if err != nil || m == nil {
		l.note(r, true)
		if err != nil && nick != "" {
			l.refuse(nick, convert.StanzaError(err))
		}
		return
	}
	t := l.note(r, false)
	m.Done = func(err error) {
		l.links.enqueue(l.id, func(l *link, _ context.Context) { l.ended(t, m.Message.Entry, nick, err) })
	}
	if !l.links.conversations.TakeLinked(l.row.Room, *m) {
		l.ended(t, m.Message.Entry, nick, outbox.ErrNotKept)
		return
	}
	l.in.recent = append(l.in.recent, m.Message)
	if len(l.in.recent) > maxRecent {
		l.in.recent = slices.Clone(l.in.recent[maxRecent/2:])
	}
}

// remember keeps a message of the room for comesOtherwise.
func (in *inward) remember(r received) {
	small := received{st: &stanza.Stanza{Kind: stanza.Message, ID: r.st.ID, From: r.st.From}, id: r.id, at: r.at, carried: r.carried}
	if in.there = append(in.there, small); len(in.there) > maxRecent {
		in.there = slices.Clone(in.there[maxRecent/2:])
	}
}

// takeLater has a message taken once the room is read again. Until then it is before all that Seen may move to.
func (l *link) takeLater(r received, err error) {
	l.links.env.Log.Error("a message of a linked room is taken later", "room", l.row.Address.String(), "error", err)
	l.note(r, false)
	l.links.again(l.id)
}

// ended notes that a message was stored, or what is wrong with it.
func (l *link) ended(t *taken, entry, nick string, err error) {
	if err != nil { // the channel does not have it
		l.in.recent = slices.DeleteFunc(l.in.recent, func(m tables.LinkMessage) bool { return m.Entry == entry })
	}
	if errors.Is(err, outbox.ErrNotKept) {
		l.links.again(l.id)
		return
	}
	if err != nil {
		l.refuse(nick, convert.StanzaError(err))
	}
	t.done = true
	l.seenAll()
}

// note adds a message to those that were seen.
func (l *link) note(r received, done bool) *taken {
	t := &taken{id: r.id, at: r.at, done: done}
	l.in.taken = append(l.in.taken, t)
	l.seenAll()
	return t
}

// seenAll moves Seen to the last message before which all are done.
func (l *link) seenAll() {
	for len(l.in.taken) > 0 && l.in.taken[0].done {
		if t := l.in.taken[0]; t.id != "" {
			l.in.seen, l.in.seenAt = t.id, t.at
		} else if t.at.After(l.in.seenAt) {
			l.in.seenAt = t.at
		}
		l.in.taken = l.in.taken[1:]
	}
}

// knows reports whether the channel has a message already. In a room that gives messages no ids those of their authors are taken, once the
// link was interrupted: until then each message comes once.
func (l *link) knows(ctx context.Context, r received) (bool, error) {
	if r.id == "" && l.phase == live {
		return false, nil
	}
	nick := r.st.From.Resource()
	same := func(m tables.LinkMessage) bool {
		if r.id != "" && m.ThereID != "" {
			return m.ThereID == r.id
		}
		return r.replayed && r.st.ID != "" && m.There == r.st.ID && m.Nick == nick // it was taken while the room gave no ids
	}
	if slices.ContainsFunc(l.in.recent, same) {
		return true, nil
	}
	if r.id != "" {
		m, ok, err := l.links.messages.LinkedThere(ctx, l.id, r.id, r.author)
		if err != nil || ok && m.ThereID == r.id || !r.replayed {
			return err == nil && ok && m.ThereID == r.id, err
		}
	}
	m, ok, err := l.links.messages.LinkedOf(ctx, l.id, r.st.ID, nick)
	return ok && same(m), err
}

// forChannel is a message of the linked room as the channel takes it; nil where it says nothing to the channel.
func (l *link) forChannel(ctx context.Context, r received) (*outbox.Linked, error) {
	nick, author := r.st.From.Resource(), r.author
	login := l.login()
	if login == nil {
		return nil, nil
	}
	if nick == "" { // what the room itself says
		return l.moderation(ctx, r)
	}
	if convert.Encrypted(r.st) {
		return nil, stanza.NotAcceptable(l.links.env.Info.Name + " cannot read encrypted messages. Please turn encryption off here.")
	}
	from, signed := l.links.originOf(r.st)
	if !signed {
		unique := r.id
		if unique == "" {
			unique = unnumbered(r.st)
		}
		from = origin{l.row.Address.String(), unique}
	}
	entry := from.in(l.channelAddress())
	if signed { // claims forgets, and whoever sees an origin can copy it: two messages must not have one id
		if had, err := l.had(ctx, entry); err != nil || had {
			return nil, err
		}
	}
	if !l.links.claims.take(entry, l.id) {
		return nil, nil // it comes on another way
	}
	t := translation{link: l, author: author, origin: from}
	st, err := t.inward(ctx, r.st)
	if err != nil || st == nil {
		return nil, err
	}
	occupant := l.occupantOf(author)
	st.ID = t.messageID(r.st.ID, entry)
	m := &outbox.Linked{
		Login: login, Sender: l.substitute(occupant), Stanza: st,
		Author: occupants.Puppet{ID: occupant, Nick: nick, JID: r.st.From},
		Message: tables.LinkMessage{
			Link: l.id, Entry: entry, Message: st.ID, There: r.st.ID, ThereID: r.id, Author: author, Nick: nick, At: r.at,
		},
	}
	if t.reactions != nil {
		if err := l.react(ctx, m, t); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// had reports whether the channel's archive has an entry of which the link knows.
func (l *link) had(ctx context.Context, entry string) (bool, error) {
	if slices.ContainsFunc(l.in.recent, func(m tables.LinkMessage) bool { return m.Entry == entry }) {
		return true, nil
	}
	_, known, err := l.links.messages.LinkedEntry(ctx, l.id, entry)
	return known, err
}

// occupantOf is the occupant id in the channel's room of somebody of the linked room. It is made with a key of the gateway: who knows the id that
// somebody has in the linked room, or their nickname, must not know from it what they are called here (XEP-0421 §4).
func (l *link) occupantOf(author string) string {
	return convert.Hash("linked", l.links.signer.Sign("occupant\n"+l.row.Address.String()+"\n"+author))
}

// react sets the reactions that the channel gets: those of all people of the linked room, since they are those of one login.
func (l *link) react(ctx context.Context, m *outbox.Linked, t translation) error {
	sets, err := l.links.messages.LinkReactions(ctx, l.id, t.target)
	if err != nil {
		return err
	}
	for _, earlier := range l.in.reacted {
		if earlier.Entry == t.target {
			sets[earlier.Author] = earlier.Emoji
		}
	}
	m.Reactions = &tables.LinkReactions{Link: l.id, Entry: t.target, Author: t.author, Emoji: convert.ReactionSet(t.reactions)}
	sets[t.author] = m.Reactions.Emoji
	for _, set := range sets {
		for _, e := range set {
			if !slices.Contains(m.Emoji, e) {
				m.Emoji = append(m.Emoji, e)
			}
		}
	}
	slices.Sort(m.Emoji)
	l.in.reacted = append(l.in.reacted, *m.Reactions)
	if len(l.in.reacted) > maxRecent {
		l.in.reacted = slices.Clone(l.in.reacted[maxRecent/2:])
	}
	return nil
}

// refuse tells somebody in the linked room, and nobody else, that the channel does not get their message.
func (l *link) refuse(nick string, e *stanza.Error) {
	text := "What you sent did not reach " + convert.RoomTitle(l.channel) + " on " + l.links.env.Info.Name + "."
	if e.Text != "" {
		text += " " + e.Text
	}
	l.notify(nick, text)
}

// notify sends an occupant a private message.
func (l *link) notify(nick, text string) {
	to, err := l.occupant(nick)
	if err != nil || nick == "" || l.phase < reading {
		return
	}
	l.send(stanza.NewMessage(to, l.self(), stanza.TypeChat, convert.Body(text), stanza.NewElement(convert.NSMUCUser, "x"))) // XEP-0045 §7.5
}
