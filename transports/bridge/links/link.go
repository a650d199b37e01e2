package links

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// phase is what a link does at the moment.
type phase int

// The phases of a link, in order.
const (
	away     phase = iota // not in the room
	asking                // asks what the room can do
	entering              // has sent its presence
	reading               // reads what it has missed
	live
)

// link is one linked room. It belongs to the goroutine of its mailbox.
type link struct {
	links   *Links
	id      int64
	row     tables.Link // its Sent and Seen are stored by save
	channel tables.Room
	gone    bool // it was removed
	begun   chan<- error

	phase   phase
	epoch   int // counts connects: timers of earlier ones do nothing
	asked   map[string]func(ctx context.Context, answer *stanza.Stanza)
	room    linkedRoom
	missed  missed
	out     outward
	in      inward
	persons persons
}

func newLink(x *Links, id int64) *link {
	return &link{links: x, id: id, asked: map[string]func(context.Context, *stanza.Stanza){}}
}

// load reads the rows of a link.
func (l *link) load(ctx context.Context) error {
	row, ok := l.links.get(l.id)
	if !ok {
		l.gone = true
		return nil
	}
	channel, ok, err := l.links.channels.RoomByID(ctx, row.Room)
	if err != nil {
		return err
	}
	l.gone = !ok
	l.row, l.channel, l.out.last = row, channel, row.Sent
	l.in.seen, l.in.seenAt = row.Seen, row.SeenAt
	l.room.topics.carried = row.Topics
	return nil
}

func (l *link) disposable() bool { return l.gone }

// work runs after each batch of jobs.
func (l *link) work(ctx context.Context, look mailbox.Marks) {
	if l.gone || l.row.Cause != "" {
		return
	}
	if look.Has(described) {
		l.readChannel(ctx)
	}
	if l.phase == live {
		l.carryTopics()
		l.pump(ctx)
	}
	l.save(ctx)
}

// login is the login that writes to the channel; nil where it is being removed.
func (l *link) login() *logins.Login { return l.links.logins.ByID(l.row.Login) }

// resource is that of all occupants of the link.
func (l *link) resource() string { return resourcePrefix + strconv.FormatInt(l.id, 10) }

// self is the address with which the gateway itself is in the room.
func (l *link) self() jid.JID {
	j, _ := l.links.env.Domain.WithResource(l.resource()) // digits and ASCII letters
	return j
}

// occupant is the address of an occupant of the room.
func (l *link) occupant(nick string) (jid.JID, error) { return l.row.Address.WithResource(nick) }

func (l *link) send(st *stanza.Stanza) { l.links.env.Send(st) }

// after calls f when a time has passed, unless the room was entered again meanwhile.
func (l *link) after(d time.Duration, f func(ctx context.Context)) {
	epoch := l.epoch
	_, err := l.links.boxes.EnqueueAfter(l.id, d, func(ctx context.Context, l *link) {
		if l.epoch == epoch && !l.gone && l.row.Cause == "" {
			f(ctx)
		}
	})
	if err != nil {
		l.links.env.Log.Debug("a timer of a linked room is not set", "room", l.row.Address.String(), "error", err)
	}
}

// askTime is how long an answer to an IQ may take.
const askTime = 30 * time.Second

// ask sends an IQ to the room. answered gets the answer; nil where none has come.
func (l *link) ask(to jid.JID, typ string, x *stanza.Element, answered func(ctx context.Context, answer *stanza.Stanza)) {
	iq := stanza.NewIQ(to, l.self(), typ, x)
	iq.ID = stanza.NewID()
	l.asked[iq.ID] = answered
	l.send(iq)
	l.after(askTime, func(ctx context.Context) {
		if _, waits := l.asked[iq.ID]; waits {
			delete(l.asked, iq.ID)
			answered(ctx, nil)
		}
	})
}

// handle takes a stanza of the room.
func (l *link) handle(ctx context.Context, st *stanza.Stanza) {
	if l.gone || l.phase == away {
		return
	}
	switch {
	case st.Kind == stanza.IQ && st.IsRequest():
		l.answer(st)
	case st.Kind == stanza.IQ:
		if answered, ok := l.asked[st.ID]; ok && st.To == l.self() {
			delete(l.asked, st.ID)
			answered(ctx, st)
		}
	case st.Kind == stanza.Presence && st.To.Local() != "":
		l.personPresence(st)
	case st.Kind == stanza.Presence:
		l.presence(ctx, st)
	case st.Type == stanza.TypeError:
		l.messageError(ctx, st)
	case st.Type == stanza.TypeGroupchat:
		l.groupchat(ctx, st)
	case st.Child(convert.NSMAM, "result") != nil && st.From == l.row.Address:
		l.missedMessage(st)
	case st.Body() != "":
		l.send(st.ErrorReply(stanza.ServiceUnavailable(l.noPrivate(st))))
	}
}

// begin is connect for somebody who waits for the outcome.
func (l *link) begin(ctx context.Context, ended chan<- error) {
	if l.gone {
		ended <- stanza.ItemNotFound("There is no such room.")
		return
	}
	if l.row.Cause != "" {
		if err := l.links.store.SetLinkCause(ctx, l.id, ""); err != nil {
			ended <- stanza.FromError(err)
			return
		}
		l.row.Cause = ""
	}
	l.begun = ended
	l.connect(ctx)
}

// report tells whoever waits for it the outcome of begin.
func (l *link) report(err error) bool {
	if l.begun == nil {
		return false
	}
	l.begun <- err // has room for one
	l.begun = nil
	return true
}

// retry enters the room again in a while.
func (l *link) retry(why string) {
	l.links.env.Log.Info("a linked room cannot be reached", "room", l.row.Address.String(), "cause", why)
	l.report(stanza.RemoteServerTimeout("The room cannot be entered: " + why + "."))
	l.phase = away
	l.room.failures++
	l.after(gateway.Backoff(l.room.failures), l.connect)
}

// fail ends the link until its owner does something.
func (l *link) fail(ctx context.Context, cause string, e *stanza.Error) {
	l.leave("")
	l.phase = away
	if e == nil {
		e = stanza.NotAllowed(cause)
	}
	if l.report(e) {
		return // it is removed again
	}
	l.row.Cause = cause
	l.links.put(l.row)
	if err := l.links.store.SetLinkCause(ctx, l.id, cause); err != nil {
		l.links.env.Log.Error("keeping why a linked room does not work", "room", l.row.Address.String(), "error", err)
	}
	if login := l.login(); login != nil {
		l.links.env.Notify(login.Owner, "The room "+l.row.Address.String()+" is not linked to "+convert.RoomTitle(l.channel)+" at the moment: "+cause+
			" Link it again once that has changed.")
	}
}

// end stops a link that could not be made, so that it can be made again.
func (l *link) end(ctx context.Context, cause string) {
	if l.gone {
		return
	}
	l.leave("")
	l.report(stanza.ServiceUnavailable(""))
	if l.row.Cause == "" {
		l.row.Cause = cause
	}
	l.links.put(l.row)
	if err := l.links.store.SetLinkCause(ctx, l.id, l.row.Cause); err != nil {
		l.links.env.Log.Error("keeping why a linked room does not work", "room", l.row.Address.String(), "error", err)
	}
}

// leave takes all occupants of the link out of the room.
func (l *link) leave(status string) {
	if l.phase == away {
		return
	}
	for _, p := range l.persons.by {
		l.sendPerson(p, stanza.TypeUnavailable, status)
	}
	l.persons = persons{}
	l.sendPresence(stanza.TypeUnavailable, status)
	l.phase = away
	l.epoch++
}

// save stores how far the link has come.
func (l *link) save(ctx context.Context) {
	row := l.row
	row.Sent, row.Seen, row.SeenAt, row.Topics = l.out.sent, l.in.seen, l.in.seenAt, l.room.topics.carried
	if l.out.sent == 0 {
		row.Sent = l.row.Sent
	}
	if row == l.row && len(l.out.unsaved) == 0 {
		return
	}
	if err := l.links.store.LinkProgress(ctx, row, l.out.unsaved); err != nil {
		if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			l.links.env.Log.Error("keeping how far a link has come", "room", l.row.Address.String(), "error", err)
			l.after(gateway.RetryMin, func(context.Context) {}) // work runs again
		}
		return
	}
	l.row, l.out.unsaved = row, nil
}
