package affiliations

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

func person(n int) jid.JID { return jid.MustParse(fmt.Sprintf("p%03d@example.org", n)) }

// add adds entries of an affiliation until the lists take no more, and returns how many they took.
func (l *Lists) add(first int, a rules.Affiliation) int {
	for n := 0; ; n++ {
		w := Wanted{JID: person(first + n), Affiliation: a}
		if _, err := l.Plan([]Wanted{w}); err != nil {
			return n
		}
		l.Apply(w)
	}
}

// TestPlacesForBans: where strangers have made themselves members until no more can, they can be banned all the same, and admins be
// appointed.
func TestPlacesForBans(t *testing.T) {
	t.Parallel()
	l := New(100)
	if n := l.add(0, rules.AffMember); n != 75 {
		t.Errorf("%d members", n)
	}
	if _, err := l.Plan([]Wanted{{JID: person(0), Affiliation: rules.AffOutcast}}); err != nil {
		t.Errorf("a member cannot be banned: %v", err)
	}
	if n := l.add(200, rules.AffOutcast); n != 20 {
		t.Errorf("%d outcasts", n)
	}
	if n := l.add(400, rules.AffAdmin) + l.add(600, rules.AffOwner); n != 5 {
		t.Errorf("%d admins", n)
	}
	swap := []Wanted{{JID: person(400), Affiliation: rules.AffNone}, {JID: person(800), Affiliation: rules.AffOutcast}}
	if _, err := l.Plan(swap); err != nil {
		t.Errorf("full lists refuse a change that needs no more places: %v", err)
	}
}

// TestLowerLimit: where the limit was lowered, members are left out first and admins then; owners and outcasts stay.
func TestLowerLimit(t *testing.T) {
	t.Parallel()
	stored := map[jid.JID]Entry{}
	for n := range 40 {
		stored[person(n)] = Entry{Affiliation: []rules.Affiliation{rules.AffMember, rules.AffAdmin, rules.AffOutcast, rules.AffOwner}[n%4]}
	}
	for _, c := range []struct {
		limit int
		want  map[rules.Affiliation]int
	}{
		{35, map[rules.Affiliation]int{rules.AffOwner: 10, rules.AffOutcast: 10, rules.AffAdmin: 10, rules.AffMember: 5}},
		{25, map[rules.Affiliation]int{rules.AffOwner: 10, rules.AffOutcast: 10, rules.AffAdmin: 5}},
		{5, map[rules.Affiliation]int{rules.AffOwner: 10, rules.AffOutcast: 10}},
	} {
		l := New(c.limit)
		l.Restore(stored, nil)
		for _, a := range []rules.Affiliation{rules.AffOwner, rules.AffAdmin, rules.AffMember, rules.AffOutcast} {
			list := l.With(a)
			if len(list) != c.want[a] {
				t.Errorf("limit %d: %d of %s", c.limit, len(list), a)
			}
			for i, j := range list { // always the same ones
				if n := i*4 + map[rules.Affiliation]int{rules.AffMember: 0, rules.AffAdmin: 1, rules.AffOutcast: 2, rules.AffOwner: 3}[a]; j != person(n) {
					t.Errorf("limit %d: %s is kept, not %s", c.limit, j, person(n))
				}
			}
		}
	}
}
