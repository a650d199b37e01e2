package register

import (
	"strconv"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

func TestPace(t *testing.T) {
	t.Parallel()
	p, now := newPace(), time.Unix(1_700_000_000, 0)
	alice, bob := jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org")
	for i := range changesAtOnce {
		if !p.allow(alice, now) {
			t.Errorf("not a %d. time", i+1)
		}
	}
	if p.allow(alice, now) || !p.allow(bob, now) {
		t.Error("too often, or another has to wait")
	}
	if now = now.Add(changeEvery); !p.allow(alice, now) || p.allow(alice, now) {
		t.Error("later it is one")
	}
	for i := range maxChanging {
		p.allow(jid.MustParse("u"+strconv.Itoa(i)+"@example.org"), now)
	}
	if len(p.of) != maxChanging || p.allow(jid.MustParse("late@example.org"), now) {
		t.Errorf("%d are remembered", len(p.of))
	}
	now = now.Add(time.Hour)
	if !p.allow(jid.MustParse("late@example.org"), now) || len(p.of) != 1 {
		t.Errorf("%d are not forgotten", len(p.of))
	}
}
