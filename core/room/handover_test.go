package room

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// TestStateMovesToAnotherNode: a room that is marshalled and restored behaves as before,
// and its occupants get nothing.
func TestStateMovesToAnotherNode(t *testing.T) {
	p := newFixture(t, func(o *Options) { o.Config.Persistent = true })
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session.Local() == "ann" {
			return Grant{Affiliation: rules.AffOwner}, nil
		}
		return Grant{}, nil
	}
	p.puppet(occupants.Puppet{ID: "net", Nick: "Net", Show: "away", Hats: []hats.Hat{{URI: "uri", Title: "title"}}, Extra: []*stanza.Element{stanza.TextElement("x", "y", "z")}})
	p.join("ann/1", "bob/1", "ann/2")
	p.in("<presence from='bob/1' to='/bob'><show>dnd</show></presence>")
	p.in("<message type='groupchat' from='ann/1'><body>hi</body></message>")
	p.in("<message type='groupchat' from='ann/1'><subject>all of it</subject></message>")
	p.in("<iq type='set' id='i' from='ann/1'><query xmlns='" + muc.NSAdmin + "'><item affiliation='outcast' jid='eve@example.org'/></query></iq>")
	p.in("<message from='ann/1'><x xmlns='" + muc.NSUser + "'><invite to='zoe@example.org'/></x></message>")
	p.take()

	text, err := json.Marshal(p.State())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	q := newFixture(t)
	if err := q.Restore(s); err != nil {
		t.Fatal(err)
	}
	q.check()
	q.want()
	if again, _ := json.Marshal(q.State()); string(again) != string(text) {
		t.Errorf("restored\n%s\nof\n%s", again, text)
	}
	for _, in := range []string{
		"<message type='groupchat' from='bob/1' id='m'><body>still here</body></message>",
		"<presence from='eve/1' to='/eve'><x xmlns='" + muc.NS + "'/></presence>",
		"<message from='zoe/1'><x xmlns='" + muc.NSUser + "'><decline/></x></message>",
		"<presence from='cid/1' to='/cid'><x xmlns='" + muc.NS + "'/></presence>",
		"<presence from='ann/2' to='/ann' type='unavailable'/>",
	} {
		if one, two := p.in(in).take(), q.in(in).take(); one != two || one == "" {
			t.Errorf("%s: the first room sent\n%s\nthe second\n%s", in, one, two)
		}
	}
	if !reflect.DeepEqual(p.Occupants(), q.Occupants()) {
		t.Errorf("%+v\n%+v", p.Occupants(), q.Occupants())
	}
}

func TestRestoreRefusesNonsense(t *testing.T) {
	p := newFixture(t)
	p.join("ann/1", "bob/1")
	if p.Restore(State{}) == nil {
		t.Error("a room that is in use was restored")
	}
	for name, change := range map[string]func(*State){
		"two of one nick":       func(s *State) { s.Occupants[1].Nick = "ann" },
		"two of one id":         func(s *State) { s.Occupants[1].ID = s.Occupants[0].ID },
		"no nick":               func(s *State) { s.Occupants[0].Nick = "" },
		"nobody":                func(s *State) { s.Occupants[0].Sessions = nil },
		"role":                  func(s *State) { s.Occupants[0].Role = "king" },
		"session of nobody":     func(s *State) { s.Sessions[0] = person("eve/1") },
		"session twice":         func(s *State) { s.Sessions[0] = s.Sessions[1] },
		"session of two":        func(s *State) { s.Occupants[1].Sessions = s.Occupants[0].Sessions },
		"session left out":      func(s *State) { s.Sessions = s.Sessions[1:] },
		"a nick not normalised": func(s *State) { s.Occupants[0].Nick = "an\u00a0n" },
	} {
		s := p.State()
		change(&s)
		if newFixture(t).Restore(s) == nil {
			t.Errorf("%s: restored", name)
		}
	}
}
