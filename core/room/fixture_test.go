package room

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// fixture is a room with a scripted owner. It collects the stanzas that the room sends.
type fixture struct {
	testing.TB
	*Room
	ctx   context.Context
	owner *scripted
	sent  []*stanza.Stanza
	clock time.Time
}

// scripted is an Owner that allows everything unless a function is set.
type scripted struct {
	p        *fixture
	enter    func(EnterRequest) (Grant, error)
	message  func(Message) error
	allow    func(Action) error
	query    func(Query) (*stanza.Element, error)
	actions  []Action
	events   []Event
	messages []Message
}

func (o *scripted) Enter(_ context.Context, _ *Room, r EnterRequest) (Grant, error) {
	if o.enter != nil {
		return o.enter(r)
	}
	return Grant{}, nil
}

func (o *scripted) Message(ctx context.Context, _ *Room, m Message) error {
	o.messages = append(o.messages, m)
	switch {
	case o.message != nil:
		return o.message(m)
	case m.Subject != nil:
		return o.p.SetSubject(ctx, Subject{Text: *m.Subject, OccupantID: m.From.ID}, m.Stanza.ID, "")
	case m.To == nil:
		o.p.Broadcast(m.Post(""))
	}
	return nil
}

func (o *scripted) Allow(_ context.Context, _ *Room, a Action) error {
	o.actions = append(o.actions, a)
	if o.allow != nil {
		return o.allow(a)
	}
	return nil
}

func (o *scripted) Query(_ context.Context, _ *Room, q Query) (*stanza.Element, error) {
	if o.query != nil {
		return o.query(q)
	}
	return nil, stanza.ServiceUnavailable("")
}

func (o *scripted) Notify(_ context.Context, _ *Room, e Event) { o.events = append(o.events, e) }

var testRoom = jid.MustParse("coven@chat.example")

func newFixture(t testing.TB, change ...func(*Options)) *fixture {
	p := &fixture{TB: t, ctx: context.Background(), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	p.owner = &scripted{p: p}
	opts := Options{
		JID: testRoom, Send: func(s *stanza.Stanza) { p.sent = append(p.sent, s) }, Owner: p.owner,
		Secret: []byte("not so secret"), Now: func() time.Time { return p.clock },
		Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&opts)
	}
	p.Room = New(opts)
	return p
}

// in passes one stanza to the room. Addresses in it may be short: "ann/1" is
// ann@example.org/1, and a to of "/nick" or "" is an occupant or the room.
func (p *fixture) in(xml string) *fixture {
	p.Helper()
	e, err := stanza.ParseElement(xml, stanza.NSClient)
	if err != nil {
		p.Fatalf("%v in %s", err, xml)
	}
	st := &stanza.Stanza{
		Kind: stanza.KindOf(e.Local), ID: e.Attr("id"), Type: e.Attr("type"), From: person(e.Attr("from")),
		To: jid.MustParse(testRoom.String() + e.Attr("to")),
	}
	var children []*stanza.Element
	for c := range e.Elements() {
		children = append(children, c)
	}
	st.Payload = stanza.Encode(children...)
	p.Handle(p.ctx, st)
	p.check()
	return p
}

func person(short string) jid.JID {
	user, resource, _ := strings.Cut(short, "/")
	j, err := jid.New(user, "example.org", resource)
	if err != nil {
		panic(err)
	}
	return j
}

// join makes sessions (user/resource) enter with the nick user, and discards what was sent.
func (p *fixture) join(sessions ...string) *fixture {
	p.Helper()
	for _, s := range sessions {
		user, _, _ := strings.Cut(s, "/")
		p.in("<presence from='" + s + "' to='/" + user + "'><x xmlns='" + muc.NS + "'/></presence>")
		if p.occupants.BySession(person(s)) == nil {
			p.Fatalf("%s did not enter: %s", s, p.take())
		}
	}
	p.take()
	return p
}

var noise = regexp.MustCompile(`<occupant-id [^>]*/>| xmlns=['"](http://jabber.org/protocol/muc#user|urn:ietf:params:xml:ns:xmpp-stanzas)['"]|<stanza-id [^>]*/>|<text[^>]*>[^<]*</text>`)

// take returns the stanzas sent since the last call, one per line, without the parts that most lines share.
func (p *fixture) take() string {
	var b strings.Builder
	for _, s := range p.sent {
		line := noise.ReplaceAllString(s.String(), "")
		line = strings.NewReplacer(testRoom.String()+"/", "/", testRoom.String(), "room", "@example.org", "").Replace(line)
		if s.Kind == stanza.Message && len(s.ID) == 36 {
			line = strings.Replace(line, " id='"+s.ID+"'", "", 1)
		}
		b.WriteString(line + "\n")
	}
	p.sent = nil
	return b.String()
}

// want compares what was sent since the last time, line by line; a line may end in "…" and
// then matches every line with that prefix; "…" alone matches any one line.
func (p *fixture) want(lines ...string) *fixture {
	p.Helper()
	got := strings.Split(strings.TrimSuffix(p.take(), "\n"), "\n")
	if len(got) == 1 && got[0] == "" {
		got = nil
	}
	ok := len(got) == len(lines)
	for i := 0; ok && i < len(lines); i++ {
		head, open := strings.CutSuffix(lines[i], "…")
		ok = got[i] == lines[i] || open && strings.HasPrefix(got[i], head)
	}
	if !ok {
		p.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
	return p
}

// wantHas checks that what was sent since the last call contains the pieces.
func (p *fixture) wantHas(pieces ...string) *fixture {
	p.Helper()
	got := p.take()
	for _, s := range pieces {
		if !strings.Contains(got, s) {
			p.Errorf("no %q in\n%s", s, got)
		}
	}
	return p
}

// check checks the invariants of a room.
func (p *fixture) check() {
	p.Helper()
	if err := p.Room.consistent(); err != nil {
		p.Fatal(err)
	}
}

func (r *Room) consistent() error {
	sessions, members := 0, 0
	for _, o := range r.occupants.All() {
		sessions += len(o.Sessions)
		if o.Puppet != nil {
			members++
		}
		if o.Puppet == nil && len(o.Sessions) == 0 {
			return fmt.Errorf("occupant %q is neither a puppet nor has sessions", o.Nick)
		}
		if r.occupants.ByID(o.ID) != o || r.occupants.ByNick(o.Nick) != o || o.JID.Bare() != r.jid || o.JID.Resource() != o.Nick {
			return fmt.Errorf("occupant %q is missing in an index", o.Nick)
		}
		if !o.Role.Valid() || o.Role == rules.RoleNone || !o.Affiliation.Valid() || o.Affiliation == rules.AffOutcast {
			return fmt.Errorf("%q is %s and %s", o.Nick, o.Role, o.Affiliation)
		}
		for _, s := range o.Sessions {
			if s.Occupant != o || r.occupants.BySession(s.JID) != s || !slices.Contains(r.occupants.Sessions(), s) {
				return fmt.Errorf("session %s is missing in an index", s.JID)
			}
		}
	}
	if sessions != len(r.occupants.Sessions()) || members != r.occupants.Puppets() {
		return fmt.Errorf("%d of %d sessions, %d of %d puppets", sessions, len(r.occupants.Sessions()), members, r.occupants.Puppets())
	}
	for id, q := range r.queries {
		if r.occupants.BySession(q.from.JID) != q.from || r.occupants.BySession(q.to.JID) != q.to {
			return fmt.Errorf("query %s belongs to a session that has left", id)
		}
	}
	if r.ring != nil && (r.ring.Len() > r.limits.History || r.ring.Bytes() > r.limits.HistoryBytes || r.ring.Bytes() < 0) {
		return fmt.Errorf("history of %d messages, %d bytes", r.ring.Len(), r.ring.Bytes())
	}
	return nil
}

// puppet sets a puppet and discards what was sent.
func (p *fixture) puppet(m occupants.Puppet) *fixture {
	p.Helper()
	if _, err := p.SetPuppet(p.ctx, m); err != nil {
		p.Fatal(err)
	}
	p.check()
	p.take()
	return p
}
