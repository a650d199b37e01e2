package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func presence(to, typ string) *stanza.Stanza {
	var j jid.JID
	if to != "" {
		j = jid.MustParse(to)
	}
	return stanza.NewPresence(j, jid.JID{}, typ)
}

// checklist 95, 96
func TestPresenceDelivery(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	a, b, c := th.join("juliet@home.test/a", "1"), th.join("juliet@home.test/b", "-1"), th.join("juliet@home.test/c", "")
	romeo := th.join("romeo@home.test/x", "0")
	for _, x := range []struct {
		to, typ string
		want    [3]int
	}{
		{"juliet@home.test", "", [3]int{1, 1, 0}},
		{"juliet@home.test", "unavailable", [3]int{1, 1, 0}},
		{"juliet@home.test/a", "", [3]int{1, 0, 0}},
		{"juliet@home.test/c", "unavailable", [3]int{0, 0, 1}},
		{"juliet@home.test/gone", "", [3]int{}},
		{"nobody@home.test", "", [3]int{}},
		{"nobody@home.test", "subscribe", [3]int{}},
		{"home.test", "", [3]int{}}, // checklist 97
		{"juliet@home.test", "probe", [3]int{}},
	} {
		th.submit("romeo@home.test/x", presence(x.to, x.typ))
		if got := [3]int{len(a.take()), len(b.take()), len(c.take())}; got != x.want {
			t.Errorf("%s %s: %v, want %v", x.to, x.typ, got, x.want)
		}
		if got := romeo.take(); len(got) != 0 {
			t.Errorf("%s %s: answered %v", x.to, x.typ, got)
		}
	}
	th.submit("romeo@home.test/x", presence("juliet@home.test", "strange"))
	if got := condition(romeo.take()); got != "bad-request" {
		t.Errorf("unknown type answered %q", got)
	}
}

// checklist 94
func TestPriority(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "")
	b := th.bound["romeo@home.test/x"]
	for text, want := range map[string]int{"": 0, "0": 0, "127": 127, "-128": -128, " 5\n": 5, "+3": 3} {
		st := presence("", "")
		if text != "" {
			st.Payload = "<priority>" + text + "</priority>"
		}
		th.submit("romeo@home.test/x", st)
		if p := b.Presence(); p == nil || int(p.Priority) != want {
			t.Errorf("%q: %+v", text, p)
		}
	}
	before := b.Presence()
	for _, text := range []string{"128", "-129", "high", "1.5", "0x1"} {
		st := presence("", "")
		st.Payload = "<priority>" + text + "</priority>"
		th.submit("romeo@home.test/x", st)
		if got := condition(romeo.take()); got != "bad-request" || b.Presence() != before {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, typ := range []string{"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"} {
		th.submit("romeo@home.test/x", presence("", typ))
		if got := condition(romeo.take()); got != "bad-request" {
			t.Errorf("%s without receiver: %q", typ, got)
		}
	}
	th.submit("romeo@home.test/x", presence("", "unavailable"))
	if b.Presence() != nil {
		t.Error("still available")
	}
}

func TestPresenceHandler(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	f := &subscribed{}
	th.host.Use(Feature{Presence: f})
	th.join("romeo@home.test/x", "0")
	juliet := th.join("juliet@home.test/a", "0")
	f.sent = nil
	th.submit("romeo@home.test/x", presence("juliet@home.test", "subscribe"))
	th.submit("romeo@home.test/x", presence("nobody@home.test", "subscribe"))
	want := []string{"sent subscribe juliet@home.test", "received subscribe juliet@home.test", "sent subscribe nobody@home.test"}
	if !slices.Equal(f.sent, want) || len(juliet.take()) != 1 {
		t.Errorf("handler saw %q", f.sent)
	}
	f.stop = true
	th.submit("romeo@home.test/x", presence("juliet@home.test", ""))
	th.router.Route(from(presence("juliet@home.test", ""), "x@away.test/r"))
	if len(juliet.take()) != 0 {
		t.Error("delivered although taken")
	}
	ctx := context.Background()
	old := th.bound["juliet@home.test/a"]
	f.gone = nil
	th.join("juliet@home.test/a", "")
	if juliet.closed != "conflict" || !slices.Equal(f.gone, []string{"juliet@home.test/a"}) {
		t.Errorf("old session %q, gone %q", juliet.closed, f.gone)
	}
	old.Unbind(ctx)
	if len(f.gone) != 1 || th.host.Local(old.JID()).Session(old.JID()) == nil {
		t.Error("a replaced session took the new one with it")
	}
	th.bound["juliet@home.test/a"].Unbind(ctx)
	th.bound["juliet@home.test/a"].Unbind(ctx)
	if len(f.gone) != 2 || len(th.host.Local(old.JID()).Sessions()) != 0 {
		t.Errorf("gone %q", f.gone)
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	h := &beforeSeen{subscribed: &subscribed{}}
	th.host.Use(Feature{Presence: h})
	th.join("romeo@home.test/x", "")
	for range 2 {
		th.submit("romeo@home.test/x", presence("", ""))
	}
	th.submit("romeo@home.test/x", presence("", "unavailable"))
	th.submit("romeo@home.test/x", presence("", ""))
	if !slices.Equal(h.initial, []bool{true, false, false, true}) { // checklist 87, 88, 89
		t.Errorf("initial: %v", h.initial)
	}
}

type beforeSeen struct {
	*subscribed
	initial []bool
}

func (h *beforeSeen) Sent(_ context.Context, p *Pass) error {
	h.initial = append(h.initial, p.Previous == nil)
	return ErrStop
}

func TestBind(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	ctx := context.Background()
	bind := func(r string, c BindOptions) error {
		_, err := th.host.Bind(ctx, &recorder{jid: jid.MustParse("romeo@home.test/" + r)}, c)
		return err
	}
	if err := bind("a", BindOptions{Max: 2}); err != nil {
		t.Fatal(err)
	}
	if err := bind("a", BindOptions{Max: 2}); !errors.Is(err, ErrConflict) {
		t.Errorf("same address: %v", err)
	}
	if err := bind("b", BindOptions{Max: 2}); err != nil {
		t.Fatal(err)
	}
	if err := bind("c", BindOptions{Max: 2}); !errors.Is(err, ErrTooMany) {
		t.Errorf("third: %v", err)
	}
	if err := bind("b", BindOptions{Max: 2, Replace: true}); err != nil {
		t.Errorf("replacing at the limit: %v", err)
	}
	if n := len(th.host.Local(jid.MustParse("romeo@home.test")).Sessions()); n != 2 {
		t.Errorf("%d sessions", n)
	}
	_, err := th.host.Bind(ctx, &recorder{jid: jid.MustParse("nobody@home.test/a")}, BindOptions{})
	if !errors.Is(err, ErrNoAccount) {
		t.Errorf("no account: %v", err)
	}
}

func TestDirected(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.join("romeo@home.test/a", "")
	b := th.bound["romeo@home.test/a"]
	for i := range MaxDirected {
		if !b.AddDirected(jid.MustParse(fmt.Sprintf("u%d@away.test", i))) {
			t.Fatalf("refused at %d", i)
		}
	}
	if b.AddDirected(jid.MustParse("more@away.test")) || !b.AddDirected(jid.MustParse("u7@away.test")) {
		t.Error("limit not kept")
	}
	if !b.RemoveDirected(jid.MustParse("u7@away.test")) || b.RemoveDirected(jid.MustParse("u7@away.test")) {
		t.Error("remove answers wrongly")
	}
	if len(b.TakeDirected()) != MaxDirected-1 || len(b.Directed()) != 0 {
		t.Error("not taken")
	}
}
