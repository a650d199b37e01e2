package links

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// personTime is how long a person may take to enter the room; then the gateway itself speaks for them.
const personTime = 20 * time.Second

// personAgain is after which time somebody who could not enter tries again.
const personAgain = 5 * time.Minute

// personState is whether a person of the channel is in the linked room.
type personState int

// The states of a person.
const (
	outside personState = iota
	comes               // has sent presence
	inside
	refused // may not enter for now
	banned
)

// person is somebody of the channel in the linked room.
type person struct {
	id      string // occupant id in the channel's room
	user    transports.UserID
	name    string
	jid     jid.JID
	nick    string
	tries   int
	granted bool // was made a member
	state   personState
	since   time.Time // of the state
	used    time.Time // when they wrote last
}

// persons are those of the channel who write.
type persons struct {
	by    map[string]*person             // by occupant id
	nicks map[string]*person             // inside, or on the way
	users map[string]transports.UserInfo // members of the channel, by occupant id
	read  time.Time                      // of users
}

// membersAgain is how often the members of a channel are read for somebody who is not among them.
const membersAgain = time.Minute

// maxPersons is how many people are remembered; of more, those who are outside are forgotten.
const maxPersons = 5000

// maxMembers is how many members of a channel are looked through.
const maxMembers = 100_000

// speaker is the person who wrote an entry of the channel's archive.
func (l *link) speaker(ctx context.Context, occupant, name string) *person {
	if p := l.persons.by[occupant]; p != nil {
		return p
	}
	p := &person{id: occupant, name: name, jid: l.substitute(occupant)}
	if u, ok := l.userOf(ctx, occupant); ok {
		if j, err := l.links.address.Contact(u.ID); err == nil {
			if j, err = j.WithResource(l.resource()); err == nil {
				p.user, p.jid, p.name = u.ID, j, convert.DisplayName(u)
			}
		}
	}
	if l.persons.by == nil {
		l.persons.by, l.persons.nicks = map[string]*person{}, map[string]*person{}
	}
	l.forgetPersons()
	l.persons.by[occupant] = p
	return p
}

// forgetPersons forgets people who are not in the room and have nothing on its way there, where too many are remembered: anybody can
// write under many names. Who was banned is remembered.
func (l *link) forgetPersons() {
	if len(l.persons.by) < maxPersons {
		return
	}
	for id, p := range l.persons.by {
		if (p.state == outside || p.state == refused) && !l.out.waitsFor(p) {
			delete(l.persons.by, id)
		}
	}
}

// substitute is the address of somebody who is nobody on the network, such as a persona or somebody of another linked room.
func (l *link) substitute(occupant string) jid.JID {
	j, _ := jid.New(resourcePrefix+convert.Hash("person", occupant), l.links.env.Domain.Domain(), l.resource()) // letters and digits
	return j
}

// userOf is the person of the network with an occupant id.
func (l *link) userOf(ctx context.Context, occupant string) (transports.UserInfo, bool) {
	u, ok := l.persons.users[occupant]
	if ok || l.links.env.Now().Sub(l.persons.read).Abs() < membersAgain {
		return u, ok
	}
	members, err := l.links.channels.RoomMembers(ctx, l.channel.ID, maxMembers)
	if err != nil {
		l.links.env.Log.Error("reading the members of a linked channel", "channel", l.channel.Net, "error", err)
		return u, false
	}
	l.persons.read, l.persons.users = l.links.env.Now(), make(map[string]transports.UserInfo, len(members))
	for _, m := range members {
		l.persons.users[l.links.address.Occupant(m.ID, "")] = m
	}
	for _, login := range l.links.logins.All() {
		if id := l.links.address.Occupant(login.User, ""); l.persons.users[id].ID == "" {
			l.persons.users[id] = l.links.people.Find(ctx, login.User, login.Name())
		}
	}
	u, ok = l.persons.users[occupant]
	return u, ok
}

// present has a person enter the room. ready is false while that is under way; as is whose nickname a message gets, nil where
// the gateway itself has to speak.
func (l *link) present(p *person) (as *person, ready bool) {
	now := l.links.env.Now()
	switch p.state {
	case inside:
		p.used = now
		return p, true
	case comes:
		return nil, false
	case refused:
		if now.Sub(p.since).Abs() < personAgain {
			return nil, true
		}
	}
	l.makeRoom()
	p.used, p.tries = now, 0
	l.enter(p)
	l.after(personTime, func(context.Context) {
		if p.state == comes && !l.links.env.Now().Before(p.since.Add(personTime)) {
			l.setState(p, refused)
		}
	})
	return nil, false
}

func (l *link) setState(p *person, s personState) {
	if s != inside && s != comes && l.persons.nicks[p.nick] == p {
		delete(l.persons.nicks, p.nick)
	}
	p.state, p.since = s, l.links.env.Now()
}

// enter sends the presence of a person, under the next nickname where the last one was taken.
func (l *link) enter(p *person) {
	network := l.links.env.Info.Name
	nick := convert.RoomNick(p.name)
	switch {
	case p.tries == 1:
		nick = convert.RoomNick(p.name + " (" + network + ")")
	case p.tries > 1:
		nick = convert.RoomNick(fmt.Sprintf("%s (%s %d)", p.name, network, p.tries))
	}
	if other := l.persons.nicks[nick]; other != nil && other != p && p.tries < maxNicks {
		p.tries++
		l.enter(p)
		return
	}
	delete(l.persons.nicks, p.nick)
	p.nick = nick
	l.persons.nicks[nick] = p
	l.setState(p, comes)
	l.sendPerson(p, "", "")
}

// sendPerson sends the presence of a person.
func (l *link) sendPerson(p *person, typ, status string) {
	if typ == stanza.TypeUnavailable && p.state != inside && p.state != comes {
		return
	}
	to, err := l.occupant(p.nick)
	if err != nil {
		l.setState(p, refused)
		return
	}
	st := stanza.NewPresence(to, p.jid, typ)
	if typ == "" {
		st = st.With(stanza.NewElement(convert.NSMUC, "x").Add(stanza.NewElement(convert.NSMUC, "history").With("maxstanzas", "0")))
		if u, ok := l.persons.users[p.id]; ok && p.user != "" {
			hash, known := l.links.people.Photos.Hash(l.login(), u, func() {
				l.links.enqueue(l.id, func(l *link, _ context.Context) { l.showPhoto(p.id) })
			})
			if known {
				st = st.With(convert.PhotoUpdate(hash)) // XEP-0153
			}
		}
	}
	if status != "" {
		st = st.With(stanza.TextElement("", "status", status))
	}
	l.send(st)
}

// showPhoto shows the picture of a person that was read.
func (l *link) showPhoto(id string) {
	if p := l.persons.by[id]; p != nil && p.state == inside {
		l.sendPerson(p, "", "")
	}
}

// makeRoom takes the person out of the room who has not written for the longest time, where there are too many.
func (l *link) makeRoom() {
	in := 0
	var oldest *person
	for _, p := range l.persons.by {
		if p.state != inside {
			continue
		}
		in++
		if oldest == nil || p.used.Before(oldest.used) {
			oldest = p
		}
	}
	if in < l.row.People || oldest == nil || l.out.waitsFor(oldest) {
		return
	}
	l.sendPerson(oldest, stanza.TypeUnavailable, "")
	l.setState(oldest, outside)
}

// personPresence handles what the room says of a person to themselves.
func (l *link) personPresence(st *stanza.Stanza) {
	var p *person
	for _, other := range l.persons.by {
		if other.jid == st.To {
			p = other
		}
	}
	if p == nil {
		return
	}
	if st.Type == stanza.TypeError {
		l.personError(p, st.Err())
		return
	}
	x := st.Child(convert.NSMUCUser, "x")
	if x == nil || !hasStatus(x, "110") {
		return
	}
	switch {
	case st.Type == "":
		if nick := st.From.Resource(); nick != p.nick { // XEP-0045 §7.2.4: the room may give another one
			delete(l.persons.nicks, p.nick)
			p.nick = nick
			l.persons.nicks[nick] = p
		}
		if p.state == comes {
			l.setState(p, inside)
		}
	case hasStatus(x, "303"):
		delete(l.persons.nicks, p.nick)
		p.nick = x.Child(convert.NSMUCUser, "item").Attr("nick")
		l.persons.nicks[p.nick] = p
	case hasStatus(x, "301"):
		l.setState(p, banned)
		l.ban(p, x.Child(convert.NSMUCUser, "item").ChildText(convert.NSMUCUser, "reason"))
	default:
		l.setState(p, outside)
	}
}

// noPrivate is why a private message is not carried: on the network it would come from the login of the link, whoever has written it. The
// address that a room shows of somebody is no proof that they have written it either.
func (l *link) noPrivate(st *stanza.Stanza) string {
	text := "Private messages do not go through a linked room."
	for _, p := range l.persons.by {
		if p.jid == st.To && p.user != "" {
			text += " With an account of your own on " + l.links.env.Info.Name + ", which you link to " + l.links.env.Domain.String() +
				", you can write to " + p.jid.Bare().String() + "."
		}
	}
	return text
}

// personError handles an error for the presence of a person.
func (l *link) personError(p *person, e *stanza.Error) {
	if p.state != comes {
		return
	}
	switch {
	case e.Condition == "conflict" && p.tries < maxNicks:
		p.tries++
		l.enter(p)
	case e.Condition == "registration-required" && !p.granted && (l.room.aff == "owner" || l.room.aff == "admin"): // XEP-0045 §9.3
		p.granted = true
		item := stanza.NewElement(nsMUCAdmin, "item").With("affiliation", "member").With("jid", p.jid.Bare().String())
		l.ask(l.row.Address, stanza.TypeSet, stanza.NewElement(nsMUCAdmin, "query").Add(item), func(context.Context, *stanza.Stanza) {
			if p.state == comes {
				l.sendPerson(p, "", "")
			}
		})
	case e.Condition == "forbidden":
		l.setState(p, banned)
	default:
		l.links.env.Log.Info("a person cannot enter a linked room", "room", l.row.Address.String(), "condition", e.Condition)
		l.setState(p, refused)
	}
}

const nsMUCAdmin = "http://jabber.org/protocol/muc#admin" // XEP-0045 §9

// ban removes somebody from the channel who was banned from the linked room, where the login may do that.
func (l *link) ban(p *person, reason string) {
	login := l.login()
	if login == nil || p.user == "" || p.user == login.User || !login.Caps(l.channel.Net).CanChange(transports.ChangeBan) {
		return
	}
	changer, ok := login.Client().(transports.Changer)
	if !ok {
		return
	}
	change := transports.Change{Kind: transports.ChangeBan, Room: l.channel.Net, User: p.user, On: true, Text: convert.CutBytes(reason, convert.MaxName)}
	asked := l.links.env.Group.Turn(l.row.Address, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		if _, err := changer.Apply(ctx, change); err != nil {
			l.links.env.Log.Info("a ban in a linked room does not act on the channel", "channel", change.Room, "error", err)
		}
	})
	if !asked {
		l.links.env.Log.Warn("a ban in a linked room does not act on the channel: too many wait", "channel", change.Room)
	}
}

// answer answers a request of somebody in the room to one of the link's occupants.
func (l *link) answer(st *stanza.Stanza) {
	x := st.FirstChild()
	get := st.Type == stanza.TypeGet
	var p *person
	for _, other := range l.persons.by {
		if other.jid == st.To {
			p = other
		}
	}
	login := l.login()
	switch {
	case x.Is(convert.NSPing, "ping") && get:
		l.send(st.Result())
	case x.Is(convert.NSVersion, "query") && get:
		l.send(st.Result(convert.Version(l.links.env.Info, l.links.env.Version)))
	case x.Is(convert.NSDiscoInfo, "query") && get && x.Attr("node") == "" && p != nil:
		u := transports.UserInfo{ID: p.user, Name: p.name}
		l.send(st.Result(convert.ContactInfo(l.links.env.Info, u).Element("")))
	case x.Is(convert.NSVCard, "vCard") && get && p != nil && p.user != "" && login != nil:
		user := p.user
		if !l.links.env.Group.Turn(st.From, func(ctx context.Context) { l.links.people.AnswerVCard(ctx, login, user, st) }) {
			l.send(st.ErrorReply(stanza.ResourceConstraint("Too many requests are waiting.")))
		}
	default:
		l.send(st.ErrorReply(stanza.ServiceUnavailable("")))
	}
}
