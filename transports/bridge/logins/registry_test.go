package logins

import (
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	ann, ben := jid.MustParse("ann@example.org"), jid.MustParse("ben@example.org")
	r := newRegistry()
	one := newLogin(nil, tables.Login{ID: "1", Owner: ann, User: "u1", Name: "Acme"})
	two := newLogin(nil, tables.Login{ID: "2", Owner: ann, User: "u2", Name: "Home"})
	same := newLogin(nil, tables.Login{ID: "3", Owner: ben, User: "u1", Name: "Acme"})
	for _, l := range []*Login{one, two, same} {
		r.add(l)
	}
	for text, want := range map[string]*Login{"1": one, "2": two, "home": two, " Acme ": one, "3": nil, "": nil, "nobody": nil} {
		if got := r.Find(ann, text); got != want {
			t.Errorf("%q finds %v", text, got)
		}
	}
	if r.Find(ben, "") != same {
		t.Error("the only login has no need of a name")
	}
	if r.ByUser("u1") != same || r.Number(two) != "2" {
		t.Error("not found by user or number")
	}
	r.remove(same)
	if r.ByUser("u1") != one {
		t.Error("the user of another login is lost with it")
	}
	r.remove(one)
	if r.ByUser("u1") != nil || len(r.Of(ann)) != 1 || r.ByID("1") != nil {
		t.Error("a login is left")
	}
}

// A linking that was under way when its owner was removed must not end with a login of whoever has the address next.
func TestRemovals(t *testing.T) {
	t.Parallel()
	ann, now := jid.MustParse("ann@example.org"), time.Now()
	r := newRegistry()
	before := r.removalCount()
	r.noteRemoval(ann, now)
	if !r.removedSince(ann, before) || r.removedSince(ann, r.removalCount()) {
		t.Error("the removal is not between")
	}
	r.Prune(now.Add(2 * keepRemovals))
	if r.removedSince(ann, before) {
		t.Error("it is remembered for ever")
	}
}
