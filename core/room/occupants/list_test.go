package occupants

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func newList() *List {
	l := New(Room{JID: jid.MustParse("coven@chat.example"), Limits: rules.Limits{}.OrDefaults(), Config: &rules.Config{}, Hats: &hats.List{}})
	l.Send = func(*stanza.Stanza) {}
	l.SendMany = func(*stanza.Stanza, []stanza.Receiver) {}
	return l
}

// TestIndexes makes random changes and compares the indexes with the list after each: what has left is in none of them.
func TestIndexes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	l := newList()
	for step := range 3000 {
		id := fmt.Sprint("id", random.IntN(12))
		o := l.ByID(id)
		switch {
		case o == nil:
			o = l.Add(id, l.UniqueNick(fmt.Sprint("Ann", random.IntN(4)), nil))
			o.Role, o.Affiliation = rules.RoleParticipant, rules.AffNone
			if step%2 == 0 {
				l.SetPuppet(o, &Puppet{ID: id, Nick: o.Nick})
				break
			}
			l.Attach(o, &Session{JID: jid.MustParse(fmt.Sprintf("%s@example.org/%d", id, step))})
		case random.IntN(4) == 0:
			l.Rename(o, l.UniqueNick(fmt.Sprint("Bob", random.IntN(4)), o))
		case random.IntN(3) == 0:
			l.Attach(o, &Session{JID: jid.MustParse(fmt.Sprintf("%s@example.org/%d", id, step))})
		case len(o.Sessions) > 0:
			l.Detach(o.Sessions[random.IntN(len(o.Sessions))])
		default:
			l.SetPuppet(o, nil)
		}
		if len(o.Sessions) == 0 && o.Puppet == nil {
			l.Remove(o)
		}
		checkIndexes(t, l)
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}

func checkIndexes(t *testing.T, l *List) {
	t.Helper()
	n := len(l.occupants)
	if len(l.byID) != n || len(l.byNick) != n || len(l.byLook) != n || len(l.bySession) != len(l.sessions) || len(l.receivers) != len(l.sessions) {
		t.Errorf("%d occupants, %d ids, %d nicks, %d skeletons; %d sessions, %d by address, %d receivers", n, len(l.byID), len(l.byNick), len(l.byLook), len(l.sessions), len(l.bySession), len(l.receivers))
	}
	puppets, users := 0, 0
	for _, o := range l.occupants {
		if l.ByID(o.ID) != o || l.ByNick(o.Nick) != o || l.Alike(o.Nick) != o || o.JID.Resource() != o.Nick {
			t.Errorf("occupant %q is missing in an index", o.Nick)
		}
		if o.Puppet != nil {
			puppets++
		}
		if len(o.Sessions) > 0 {
			users++
		}
		for _, s := range o.Sessions {
			if s.Occupant != o || l.BySession(s.JID) != s || l.sessions[s.at] != s || l.receivers[s.at].JID != s.JID {
				t.Errorf("session %s is missing in an index", s.JID)
			}
		}
	}
	if puppets != l.Puppets() || users != l.Users() {
		t.Errorf("%d puppets, counted %d; %d users, counted %d", l.Puppets(), puppets, l.Users(), users)
	}
}
