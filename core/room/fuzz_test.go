package room

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// inputs are stanzas of outsiders, occupants and owners; %s is replaced by a nick, RAW by the
// text of the fuzzer.
var inputs = []string{
	"<presence to='/%s'><x xmlns='" + muc.NS + "'/></presence>",
	"<presence to='/%s'><x xmlns='" + muc.NS + "'><history maxstanzas='3' maxchars='900' since='2026-01-01T00:00:00Z'/><password>pw</password></x></presence>",
	"<presence to='/%s'><show>away</show><status>s</status></presence>",
	"<presence to='/%s' type='unavailable'/>",
	"<presence to='/%s' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
	"<message to='' type='groupchat'><body>b</body></message>",
	"<message to='' type='groupchat'><subject>s</subject></message>",
	"<message to='/%s' type='chat'><body>b</body></message>",
	"<message to='/%s' type='error'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
	"<message to=''><x xmlns='" + muc.NSUser + "'><invite to='%s@example.org'/></x></message>",
	"<message to=''><x xmlns='" + muc.NSUser + "'><decline to='%s@example.org'/></x></message>",
	"<message to=''><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + muc.NSRequest + "</value></field><field var='muc#role'><value>participant</value></field><field var='muc#roomnick'><value>%s</value></field></x></message>",
	"<message to=''><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + muc.NSRequest + "</value></field><field var='muc#request_allow'><value>1</value></field><field var='muc#roomnick'><value>%s</value></field></x></message>",
	"<iq to='/%s' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	"<iq to='/%s' type='get' id='2'><query xmlns='jabber:iq:version'/></iq>",
	"<iq to='/%s' type='result' id='PENDING'/>",
	"<iq to='' type='get' id='3'><query xmlns='" + nsDiscoInfo + "'/></iq>",
	"<iq to='' type='get' id='4'><query xmlns='" + nsDiscoItems + "'/></iq>",
	"<iq to='' type='get' id='5'><query xmlns='" + muc.NSAdmin + "'><item affiliation='member'/></query></iq>",
	"<iq to='' type='set' id='6'><query xmlns='" + muc.NSAdmin + "'><item nick='%s' role='none'/></query></iq>",
	"<iq to='' type='set' id='7'><query xmlns='" + muc.NSAdmin + "'><item nick='%s' role='visitor'/></query></iq>",
	"<iq to='' type='set' id='8'><query xmlns='" + muc.NSAdmin + "'><item nick='%s' role='moderator'/></query></iq>",
	"<iq to='' type='set' id='9'><query xmlns='" + muc.NSAdmin + "'><item jid='%s@example.org' affiliation='outcast'/></query></iq>",
	"<iq to='' type='set' id='10'><query xmlns='" + muc.NSAdmin + "'><item jid='%s@example.org' affiliation='admin' nick='reserved'/></query></iq>",
	"<iq to='' type='set' id='11'><query xmlns='" + muc.NSAdmin + "'><item nick='%s' affiliation='none'/></query></iq>",
	"<iq to='' type='set' id='12'><query xmlns='" + muc.NSAdmin + "'><item jid='example.org' affiliation='outcast'/></query></iq>",
	"<iq to='' type='get' id='13'><query xmlns='" + muc.NSOwner + "'/></iq>",
	"<iq to='' type='set' id='14'><query xmlns='" + muc.NSOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_membersonly'><value>1</value></field></x></query></iq>",
	"<iq to='' type='set' id='15'><query xmlns='" + muc.NSOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_membersonly'><value>0</value></field><field var='muc#roomconfig_moderatedroom'><value>1</value></field><field var='muc#roomconfig_presencebroadcast'><value>moderator</value></field></x></query></iq>",
	"<iq to='' type='set' id='16'><query xmlns='" + muc.NSOwner + "'><destroy/></query></iq>",
	"<iq to='' type='set' id='17'><moderate xmlns='urn:xmpp:message-moderate:1' id='x'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>",
	"<message to='' type='groupchat'>RAW</message>", "<presence to='/%s'>RAW</presence>", "<iq to='' type='set' id='18'>RAW</iq>",
	"<message to='/%s' type='chat'>RAW</message>", "<iq to='/%s' type='get' id='19'>RAW</iq>", "<message to=''>RAW</message>",
}

var fuzzNicks = []string{"ann", "bob", "eve", "Zoe", "ann (2)", " ", "nobody"}

// misbehave is an Owner that does unexpected things from inside its methods.
func (p *fixture) misbehave(b byte) {
	p.owner.allow = func(a Action) error {
		switch b % 5 {
		case 1:
			return ErrHandled
		case 2:
			return errors.New("x")
		case 3:
			if a.Target != nil {
				p.RemoveOccupant(p.ctx, a.Target.ID, Departure{})
			}
		case 4:
			p.RemoveSession(p.ctx, a.Session, Departure{Kind: Kicked})
		}
		return nil
	}
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		switch b % 4 {
		case 1:
			return Grant{Nick: "Zoe"}, nil
		case 2:
			return Grant{OccupantID: "u1", Nick: "Zoe"}, nil
		case 3:
			return Grant{Affiliation: rules.AffOwner}, nil
		}
		return Grant{}, nil
	}
}

// FuzzHandle sends random inputs to a room and checks after each that its state is consistent
// and that what it sends is well-formed.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{0, 1, 5, 2, 19, 0, 40, 0}, "<body>x</body>")
	f.Add([]byte{0, 0, 0, 1, 4, 0, 21, 9, 28, 3}, "<x xmlns='"+muc.NSUser+"'><invite to='a@b'/></x>")
	f.Add([]byte{41, 0, 0, 0, 42, 1, 43, 2, 44, 1, 5, 7}, "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='1'/>")
	for seed := range uint32(25) { // random sequences that run in every test, without fuzzing
		script := make([]byte, 120)
		for i := range script {
			seed = seed*1664525 + 1013904223
			script[i] = byte(seed >> 24)
			if i%2 == 0 {
				script[i] %= byte(len(inputs) + 8)
			}
		}
		f.Add(script, "<body>x</body>")
	}
	f.Fuzz(func(t *testing.T, script []byte, raw string) {
		if len(script) > 120 || len(raw) > 2000 {
			return
		}
		p := newFixture(t, func(o *Options) {
			o.Snapshot = &Snapshot{Affiliations: map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}}, Info: rules.Info{Features: []string{FeatureModerate}}}
			o.Limits = rules.Limits{Sessions: 5, PerOccupant: 2, Puppets: 2, Affiliations: 4, Nick: 16, History: 3, HistoryBytes: 600, PendingQueries: 2, Presence: 200}
		})
		p.occupants.Send = func(s *stanza.Stanza) {
			if _, err := stanza.ParseElement(s.String(), stanza.NSClient); err != nil {
				t.Fatalf("sent %s", s)
			}
			if s.From.Bare() != testRoom || s.To.IsZero() {
				t.Fatalf("sent from %s to %s", s.From, s.To)
			}
			p.sent = append(p.sent, s)
		}
		for i := 0; i+1 < len(script); i += 2 {
			p.turn(int(script[i]), script[i+1], raw)
			p.check()
			p.sent = nil
		}
	})
}

func (p *fixture) turn(move int, arg byte, raw string) {
	who := []string{"ann/1", "ann/2", "bob/1", "eve/1", "eve/2"}[int(arg)%5]
	nick := fuzzNicks[int(arg/5)%len(fuzzNicks)]
	if move < 200 && move >= len(inputs) {
		move = len(inputs) + move%8
	}
	switch move - len(inputs) {
	case 0:
		_, _ = p.SetPuppet(p.ctx, occupants.Puppet{ID: fmt.Sprint("u", arg%4), Nick: nick, JID: person("puppet"), Affiliation: rules.AffMember, Show: "away"})
	case 1:
		p.RemovePuppet(p.ctx, fmt.Sprint("u", arg%4), Departure{Kind: DepartureKind(arg % 7)})
	case 2:
		p.RemoveOccupant(p.ctx, fmt.Sprint("u", arg%4), Departure{Kind: DepartureKind(arg % 7)})
	case 3:
		p.Broadcast(Post{From: fmt.Sprint("u", arg%4), Nick: nick, StanzaID: "x", Payload: "<body>b</body>", Transient: arg%3 == 0})
	case 4:
		p.misbehave(arg)
	case 5:
		p.Close()
	case 6:
		p.clock = p.clock.Add(time.Duration(arg) * time.Minute)
	case 7:
		p.SetAffiliation(p.ctx, person("eve"), affiliations.Entry{Affiliation: []rules.Affiliation{rules.AffNone, rules.AffOutcast, rules.AffMember, rules.AffOwner}[arg%4], Nick: nick})
	default:
		if move < len(inputs) {
			p.stanza(strings.ReplaceAll(inputs[move], "%s", nick), who, raw)
		}
	}
}

// stanza passes an input to the room, if it is XML after the fuzzer's text was inserted.
func (p *fixture) stanza(xml, who, raw string) {
	for id := range p.queries {
		xml = strings.ReplaceAll(xml, "PENDING", id)
		break
	}
	e, err := stanza.ParseElement(strings.ReplaceAll(xml, "RAW", raw), stanza.NSClient)
	if err != nil {
		return
	}
	to, err := jid.Parse(testRoom.String() + strings.TrimSuffix(e.Attr("to"), " "))
	if err != nil {
		to = testRoom
	}
	st := &stanza.Stanza{Kind: stanza.KindOf(e.Local), ID: e.Attr("id"), Type: e.Attr("type"), From: person(who), To: to}
	var children []*stanza.Element
	for c := range e.Elements() {
		children = append(children, c)
	}
	st.Payload = stanza.Encode(children...)
	p.Handle(p.ctx, st)
}
