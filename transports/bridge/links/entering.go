package links

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// Times and limits of being in a room.
const (
	enterTime    = 30 * time.Second
	pingEvery    = 5 * time.Minute // XEP-0410 §3
	maxOccupants = 20_000          // whose presence is kept
	maxNicks     = 5               // nicknames that are tried
)

// linkedRoom is what is known of the room.
type linkedRoom struct {
	nick     string // of the gateway itself
	nicks    int    // how many were tried
	failures int    // to enter, in a row
	archive  bool   // it has one (XEP-0313)
	// ids and occupantIDs tell that it announces XEP-0359 and XEP-0421. Otherwise its occupants can forge these elements.
	ids, occupantIDs bool
	undescribed      bool // it has not said yet what it can do
	// oldModeration is set where it knows version 0.2 of XEP-0425 only.
	oldModeration bool
	topics        topics
	aff           string // of the gateway itself
	role          string
	occupants     map[string]seenOccupant // by nick
}

// seenOccupant is an occupant as presence shows them.
type seenOccupant struct {
	aff  string
	jid  jid.JID // zero where the room does not show it
	stay string  // names the time from entering to leaving, under whatever nicknames
}

// connect enters the room, or enters it again where the link may have been lost.
func (l *link) connect(ctx context.Context) {
	if l.gone || l.row.Cause != "" {
		return
	}
	l.epoch++
	clear(l.asked)
	l.phase = asking
	l.room.undescribed = true
	l.room.topics = topics{carried: l.room.topics.carried}
	l.distrust()
	l.room.nicks, l.room.occupants = 0, map[string]seenOccupant{}
	l.missed, l.in.taken = missed{}, nil // what is behind Seen is read again
	for _, p := range l.persons.by {
		p.state = outside // they enter again when they write
	}
	l.persons.nicks = map[string]*person{}
	l.ask(l.row.Address, stanza.TypeGet, stanza.NewElement(convert.NSDiscoInfo, "query"), l.described)
}

// described reads what the room can do. A room that tells nothing to those outside is entered all the same.
func (l *link) described(ctx context.Context, answer *stanza.Stanza) {
	switch {
	case l.phase != asking:
		return
	case answer == nil:
		l.retry("it does not answer")
		return
	case answer.Type == stanza.TypeError:
		switch answer.Err().Condition {
		case "item-not-found": // entering would make a room
			l.fail(ctx, "There is no room "+l.row.Address.String()+".", stanza.ItemNotFound("There is no room "+l.row.Address.String()+"."))
			return
		case "remote-server-not-found", "remote-server-timeout", "recipient-unavailable":
			l.retry("its server cannot be reached")
			return
		}
	default:
		l.readFeatures(answer)
	}
	l.phase = entering
	l.sendPresence("", "")
	l.after(enterTime, func(context.Context) {
		if l.phase == entering {
			l.retry("it does not answer")
		}
	})
}

// sendPresence sends the presence of the gateway itself.
func (l *link) sendPresence(typ, status string) {
	if l.room.nick == "" {
		l.room.nick = l.links.env.Info.Name
	}
	to, err := l.occupant(l.room.nick)
	if err != nil {
		return
	}
	st := stanza.NewPresence(to, l.self(), typ)
	if typ == "" {
		history := stanza.NewElement(convert.NSMUC, "history") // XEP-0045 §7.2.14
		if l.room.archive {
			history = history.With("maxstanzas", "0")
		} else {
			history = history.With("since", message.Stamp(l.since()))
		}
		st = st.With(stanza.NewElement(convert.NSMUC, "x").Add(history))
	}
	if status != "" {
		st = st.With(stanza.TextElement("", "status", status))
	}
	l.send(st)
}

// presence handles the presence of an occupant, as the gateway itself receives it.
func (l *link) presence(ctx context.Context, st *stanza.Stanza) {
	nick := st.From.Resource()
	if st.Type == stanza.TypeError {
		l.enterError(ctx, st)
		return
	}
	x := st.Child(convert.NSMUCUser, "x")
	if x == nil || nick == "" && st.Type != stanza.TypeUnavailable {
		return
	}
	self := hasStatus(x, "110")
	item := x.Child(convert.NSMUCUser, "item")
	if st.Type == stanza.TypeUnavailable {
		before := l.room.occupants[nick]
		delete(l.room.occupants, nick)
		if new := item.Attr("nick"); hasStatus(x, "303") && new != "" { // XEP-0045 §7.6
			if before.stay != "" {
				l.room.occupants[new] = before
			}
			if self {
				l.room.nick = new
			}
			return
		}
		if self {
			l.removed(ctx, x)
		}
		return
	}
	if o, known := l.room.occupants[nick]; known || len(l.room.occupants) < maxOccupants {
		if !known {
			o.stay = stanza.NewID()
		}
		o.aff = item.Attr("affiliation")
		o.jid, _ = jid.Parse(item.Attr("jid"))
		l.room.occupants[nick] = o
	}
	if self {
		l.room.nick, l.room.aff, l.room.role = nick, item.Attr("affiliation"), item.Attr("role")
		if l.phase == entering {
			l.entered(ctx)
		}
	}
}

func hasStatus(x *stanza.Element, code string) bool {
	for s := range x.Named(convert.NSMUCUser, "status") {
		if s.Attr("code") == code {
			return true
		}
	}
	return false
}

// entered goes on once the gateway is in the room.
func (l *link) entered(ctx context.Context) {
	if l.begun != nil && !l.allowed() {
		cause := fmt.Sprintf("An owner or administrator of %s has to agree: be in the room as one of them, or make %s a member of it.",
			l.row.Address, l.links.env.Domain)
		if l.hidden() {
			cause = fmt.Sprintf("%s does not show who its owners are, one of whom has to agree: make %s a member of the room, or let the room show addresses to everybody, and link again.",
				l.row.Address, l.links.env.Domain)
		}
		l.fail(ctx, cause, stanza.Forbidden(cause))
		return
	}
	l.room.failures = 0
	l.phase = reading
	l.after(pingEvery, l.selfPing)
	if l.room.undescribed { // perhaps it tells that to its occupants only
		l.askFeatures(l.readMissed)
		return
	}
	l.readMissed(ctx)
}

// allowed reports whether those who own the room agree to the link: the gateway was made a member, or the owner of the login
// is one of them.
func (l *link) allowed() bool {
	if slices.Contains([]string{"owner", "admin", "member"}, l.room.aff) {
		return true
	}
	login := l.login()
	for _, o := range l.room.occupants {
		if login != nil && o.jid.Bare() == login.Owner && (o.aff == "owner" || o.aff == "admin") {
			return true
		}
	}
	return false
}

// hidden reports whether the room does not tell the gateway the addresses of its occupants (XEP-0045 §4.2, semi-anonymous).
func (l *link) hidden() bool {
	for nick, o := range l.room.occupants {
		if nick != l.room.nick && o.jid.IsZero() {
			return true
		}
	}
	return false
}

// enterError handles an error for the presence of the gateway itself.
func (l *link) enterError(ctx context.Context, st *stanza.Stanza) {
	if l.phase != entering {
		return
	}
	e := st.Err()
	switch e.Condition {
	case "conflict": // XEP-0045 §7.2.8
		if l.room.nicks++; l.room.nicks < maxNicks {
			l.room.nick = fmt.Sprintf("%s %d", l.links.env.Info.Name, l.room.nicks+1)
			l.sendPresence("", "")
			return
		}
		l.retry("the nicknames that are tried are taken")
	case "remote-server-not-found", "remote-server-timeout", "recipient-unavailable", "service-unavailable", "resource-constraint", "internal-server-error":
		l.retry("it is not available")
	case "registration-required": // XEP-0045 §7.2.6
		l.fail(ctx, "Only members may enter the room: make "+l.links.env.Domain.String()+" a member.", nil)
	case "forbidden": // XEP-0045 §7.2.7
		l.fail(ctx, "The gateway is banned from the room.", nil)
	case "not-authorized": // XEP-0045 §7.2.5
		l.fail(ctx, "The room has a password; such rooms cannot be linked.", nil)
	default:
		cause := "The room cannot be entered"
		if e.Text != "" {
			cause += ": " + e.Text
		}
		l.fail(ctx, cause+".", nil)
	}
}

// removed handles that the gateway itself has left the room.
func (l *link) removed(ctx context.Context, x *stanza.Element) {
	switch {
	case x.Child(convert.NSMUCUser, "destroy") != nil: // XEP-0045 §10.9
		l.fail(ctx, "The room was destroyed.", nil)
	case hasStatus(x, "301"):
		l.fail(ctx, "The gateway is banned from the room.", nil)
	case hasStatus(x, "307"), hasStatus(x, "321"), hasStatus(x, "322"):
		l.fail(ctx, "The gateway was removed from the room.", nil)
	default: // such as 332: the service stops
		l.retry("it has ended")
	}
}

// selfPing finds out whether the gateway is still in the room (XEP-0410).
func (l *link) selfPing(context.Context) {
	to, err := l.occupant(l.room.nick)
	if err != nil || l.phase < reading {
		return
	}
	l.ask(to, stanza.TypeGet, stanza.NewElement(convert.NSPing, "ping"), func(ctx context.Context, answer *stanza.Stanza) {
		if answer == nil || answer.Type == stanza.TypeError && !slices.Contains([]string{"service-unavailable", "feature-not-implemented", "item-not-found"}, answer.Err().Condition) { // XEP-0410 §3
			l.connect(ctx)
			return
		}
		l.after(pingEvery, l.selfPing)
		l.askFeatures(func(context.Context) {}) // its service may be another version now
	})
}
