package router

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// gatedAccounts answers when the test says so.
type gatedAccounts struct {
	asked  atomic.Int32
	gate   chan struct{}
	exists atomic.Bool
}

func (g *gatedAccounts) Exists(context.Context, jid.JID) (bool, error) {
	g.asked.Add(1)
	<-g.gate
	return g.exists.Load(), nil
}

// Stanzas for an account that is being looked up wait in a queue, and their senders do not wait.
func TestResolveQueues(t *testing.T) {
	t.Parallel()
	for _, exists := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var got []string
			note := func(_ context.Context, p *Pass) error { got = append(got, p.Stanza.ID); return ErrStop }
			th := newTestHost(t, Stage{Undelivered: note})
			g := &gatedAccounts{gate: make(chan struct{})}
			g.exists.Store(exists)
			th.host.accounts = g
			send := func(id string) {
				st := from(message("juliet@home.test", "chat"), "x@away.test/r")
				st.ID = id
				th.router.Route(st)
			}
			send("0")
			gate, err := th.router.Endpoint(jid.MustParse("gate.test"))
			if err != nil {
				t.Fatal(err)
			}
			safe := 0
			for i := 1; i < 4; i++ {
				st := from(message("juliet@home.test", "chat"), "x@gate.test/r")
				st.ID = strconv.Itoa(i)
				gate.SendAll([]*stanza.Stanza{st}, func() {}, func(error) { safe++ }) // returns at once
			}
			if len(got) != 0 || safe != 0 || th.host.Local(jid.MustParse("juliet@home.test")) != nil {
				t.Errorf("before the account was looked up: got %v, %d safe", got, safe)
			}
			bound := make(chan error)
			go func() {
				_, err := th.host.Bind(t.Context(), &recorder{jid: jid.MustParse("juliet@home.test/a")}, BindOptions{})
				bound <- err
			}()
			synctest.Wait()
			close(g.gate)
			if err := <-bound; (err == nil) != exists {
				t.Errorf("bind: %v", err)
			}
			synctest.Wait()
			want := []string{"0", "1", "2", "3"}
			if !exists {
				want = nil
			}
			if !reflect.DeepEqual(got, want) || safe != 3 {
				t.Errorf("got %v, want %v, %d safe", got, want, safe)
			}
			if n := g.asked.Load(); n != 1 {
				t.Errorf("looked up %d times", n)
			}
			if here := th.host.Local(jid.MustParse("juliet@home.test")) != nil; here != exists {
				t.Errorf("kept: %v", here)
			}
		})
	}
}

// Only so many accounts are looked up at the same time; the sender of a stanza to a further one waits for it.
func TestLookupsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newTestHost(t)
		g := &gatedAccounts{gate: make(chan struct{})}
		g.exists.Store(true)
		th.host.accounts = g
		var sent atomic.Int32
		go func() {
			for i := range maxLookups + 2 {
				th.router.Route(from(message(fmt.Sprintf("a%d@home.test", i), "chat"), "x@away.test/r"))
				sent.Add(1)
			}
		}()
		time.Sleep((maxLookups + 1) * lookupWait)
		synctest.Wait()
		if n, asked := sent.Load(), g.asked.Load(); n != maxLookups || asked != maxLookups+1 {
			t.Errorf("%d sent, %d looked up at the same time; want %d and one more", n, asked, maxLookups)
		}
		close(g.gate)
		synctest.Wait()
		if got := th.remote.take(); len(got) != maxLookups+2 {
			t.Errorf("%d of %d answered", len(got), maxLookups+2)
		}
	})
}

// Too much for an account that is being looked up is refused.
func TestResolveQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newTestHost(t)
		g := &gatedAccounts{gate: make(chan struct{})}
		g.exists.Store(true)
		th.host.accounts = g
		for range maxQueued + 1 { // none of them waits for the look-up
			th.router.Route(from(message("juliet@home.test", "chat"), "x@away.test/r"))
		}
		if c := condition(th.remote.soFar()); c != "resource-constraint" {
			t.Errorf("answered %q", c)
		}
		close(g.gate)
		if got := th.remote.take(); len(got) != maxQueued {
			t.Errorf("%d of %d answered", len(got), maxQueued)
		}
	})
}

// A panic for one stanza costs those that wait with it, and nothing else.
func TestResolvePanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newTestHost(t, Stage{Undelivered: func(_ context.Context, p *Pass) error {
			if p.Stanza.ID == "bad" {
				panic("bad stanza")
			}
			return nil
		}})
		g := &gatedAccounts{gate: make(chan struct{})}
		g.exists.Store(true)
		th.host.accounts = g
		gate, err := th.router.Endpoint(jid.MustParse("gate.test"))
		if err != nil {
			t.Fatal(err)
		}
		over := 0
		for _, id := range []string{"first", "second", "bad", "fourth"} {
			st := from(message("juliet@home.test", "chat"), "x@gate.test/r")
			st.ID = id
			gate.SendAll([]*stanza.Stanza{st}, func() {}, func(error) { over++ })
		}
		close(g.gate)
		synctest.Wait()
		if over != 4 {
			t.Errorf("%d of those that wait have their outcome, want 4", over)
		}
	})
}

// A panic for the first stanza costs the others too.
func TestResolvePanicsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := true
		th := newTestHost(t, Stage{Undelivered: func(context.Context, *Pass) error {
			if bad {
				panic("bad stanza")
			}
			return nil
		}})
		g := &gatedAccounts{gate: make(chan struct{})}
		g.exists.Store(true)
		th.host.accounts = g
		send := func() { th.router.Route(from(message("juliet@home.test", "chat"), "x@away.test/r")) }
		send()
		send()
		close(g.gate)
		synctest.Wait()
		bad = false
		th.remote.take()
		send()
		if c := condition(th.remote.take()); c != "service-unavailable" {
			t.Errorf("afterwards answered %q", c)
		}
	})
}

// No session is bound to an account that is being deleted, whenever the login looked it up.
func TestBindAgainstRemoval(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	g := &gatedAccounts{gate: make(chan struct{})}
	close(g.gate)
	g.exists.Store(true)
	th.host.accounts = g
	bind := func(name string, since *uint64) error {
		_, err := th.host.Bind(t.Context(), &recorder{jid: jid.MustParse(name + "@home.test/a")}, BindOptions{Since: since})
		return err
	}
	since := th.host.Removals()
	if err := bind("juliet", &since); err != nil || g.asked.Load() != 0 {
		t.Errorf("%v, looked up %d times", err, g.asked.Load())
	}
	romeo := th.join("romeo@home.test/b", "0")
	a := th.host.Local(romeo.jid)
	g.exists.Store(false)
	if got := th.host.Remove(romeo.jid.Bare(), "not-authorized", ""); got != a || romeo.closed != "not-authorized" {
		t.Errorf("removed %v, session closed with %q", got, romeo.closed)
	}
	if err := bind("romeo", &since); !errors.Is(err, ErrNoAccount) {
		t.Errorf("bound after the removal: %v", err)
	}
	if _, err := a.add(&Bound{jid: romeo.jid}, BindOptions{}); !errors.Is(err, errClosed) || a.exists() {
		t.Errorf("the removed account: %v, exists: %v", err, a.exists())
	}
	if err := bind("nurse", &since); !errors.Is(err, ErrNoAccount) {
		t.Errorf("bound without being looked up again: %v", err)
	}
	th.bound["romeo@home.test/b"].Unbind(t.Context())
	if got := th.host.Remove(jid.MustParse("nobody@home.test"), "", ""); len(got.Sessions()) != 0 || th.host.directory.find(got.JID()) != nil {
		t.Error("removing an account that is not in memory puts it there")
	}
}

// What a feature keeps is loaded once, follows changes, and goes with the account.
func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newTestHost(t)
		var loads atomic.Int32
		var stored atomic.Int32
		gate := make(chan struct{}, 10)
		slot := &Slot[int]{Load: func(context.Context, *Account) (*int, error) {
			loads.Add(1)
			v := int(stored.Load())
			<-gate
			if v < 0 {
				return nil, errors.New("store is away")
			}
			return &v, nil
		}}
		other := &Slot[string]{Load: func(context.Context, *Account) (*string, error) { s := "x"; return &s, nil }}
		th.host.Use(Feature{Slots: []AccountSlot{slot, other}})
		loc, err := th.host.Acquire(t.Context(), jid.MustParse("juliet@home.test/x"))
		if err != nil {
			t.Fatal(err)
		}
		a := loc.Account
		if slot.Loaded(a) != nil || slot.Loaded(nil) != nil {
			t.Error("loaded before it was needed")
		}
		var wg sync.WaitGroup
		get := func(want int) {
			wg.Go(func() {
				if v, err := slot.Get(t.Context(), a); err != nil || *v != want {
					t.Errorf("got %v, %v, want %d", v, err, want)
				}
			})
		}
		get(7)
		get(7)
		synctest.Wait()
		stored.Store(7)
		slot.Change(a, func(*int) *int { t.Error("changed what is not loaded"); return nil })
		gate <- struct{}{} // what was read before the change does not count
		gate <- struct{}{}
		wg.Wait()
		if n := loads.Load(); n != 2 {
			t.Errorf("loaded %d times", n)
		}
		slot.Change(a, func(v *int) *int { w := *v + 1; return &w })
		get(8)
		wg.Wait()
		stored.Store(-1)
		slot.Invalidate(a)
		gate <- struct{}{}
		if _, err := slot.Get(t.Context(), a); err == nil {
			t.Error("no error")
		}
		stored.Store(9)
		gate <- struct{}{}
		get(9)
		wg.Wait()
		if s, err := other.Get(t.Context(), a); err != nil || *s != "x" {
			t.Errorf("the other: %v, %v", s, err)
		}
		th.host.Sweep() // it was used
		if th.host.Local(a.JID()) != a {
			t.Error("dropped while in use")
		}
		th.host.Sweep()
		th.host.Sweep()
		if again := th.host.Local(a.JID()); again != nil {
			t.Errorf("kept %v", again.JID())
		}
	})
}

func TestAcquire(t *testing.T) {
	th := newTestHost(t)
	for name, want := range map[string]bool{"juliet": true, "nobody": false} {
		loc, err := th.host.Acquire(t.Context(), jid.MustParse(name+"@home.test"))
		if err != nil || (loc.Account != nil) != want {
			t.Errorf("%s: %v, %v", name, loc, err)
		}
	}
	if loc, err := th.host.Acquire(t.Context(), jid.MustParse("broken@home.test")); err == nil || loc.Account != nil {
		t.Errorf("broken: %v, %v", loc, err)
	}
	th.join("juliet@home.test/a", "0")
	th.host.Sweep()
	th.host.Sweep()
	if th.host.Local(jid.MustParse("juliet@home.test")) == nil {
		t.Error("an account with a session was dropped")
	}
	full := jid.MustParse("juliet@home.test/a")
	if n := testing.AllocsPerRun(100, func() { th.host.Local(full) }); n > 0 {
		t.Errorf("finding an account allocates %v times", n)
	}
}

// Facts survive being written and read, and each change is reported.
func TestFacts(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	changes := 0
	th.host.onFacts = func(*Bound) { changes++ }
	interested, other := &Flag{Name: "interested"}, &Flag{Name: "other"}
	th.host.Use(Feature{Flags: []*Flag{interested, other}})
	th.join("romeo@home.test/a", "")
	th.join("romeo@home.test/b", "")
	a, b := th.bound["romeo@home.test/a"], th.bound["romeo@home.test/b"]
	st := stanza.NewPresence(jid.JID{}, a.jid, "", stanza.TextElement("", "priority", "-3"), stanza.NewElement("urn:x", "c"))
	st.Lang = "de"
	for i, change := range []func(){
		func() { a.SetPresence(&Presence{Stanza: st, Priority: -3, Since: time.Unix(1000, 0).UTC()}) },
		func() { a.Set(interested, true) },
		func() { a.Set(other, true) },
		func() { a.Set(other, false) },
		func() { a.AddDirected(jid.MustParse("room@away.test/x")) },
	} {
		change()
		if changes != i+1 {
			t.Errorf("%d changes reported after %d", changes, i+1)
		}
	}
	a.Set(interested, true)
	a.AddDirected(jid.MustParse("room@away.test/x"))
	a.RemoveDirected(jid.MustParse("nobody@away.test"))
	if changes != 5 {
		t.Error("no change was reported as one")
	}
	text, err := a.Facts().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	f.Flags = append(f.Flags, "of a later release")
	b.Restore(f)
	got := b.Facts()
	if p := got.Presence; p == nil || p.Priority != -3 || !p.Since.Equal(time.Unix(1000, 0)) || p.Stanza.String() != st.String() {
		t.Errorf("presence %v, want %v", got.Presence, st)
	}
	if !b.Has(interested) || b.Has(other) || !b.sentDirectedTo(jid.MustParse("room@away.test/y")) {
		t.Errorf("restored %+v", got)
	}
	for _, bad := range []string{"", "{", `{"directed":["@"]}`, `{"presence":"<presence>","from":"a@b/c"}`, `{"presence":"<presence/>","from":""}`,
		`{"presence":"<presence><priority>x</priority></presence>","from":"a@b/c"}`} {
		if f, err := ParseFacts([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, f)
		}
	}
	if empty, err := ParseFacts([]byte("{}")); err != nil || empty.Presence != nil {
		t.Errorf("%+v, %v", empty, err)
	}
}

// Mistakes in the list of features show at start.
func TestFeaturesClash(t *testing.T) {
	t.Parallel()
	answer := func(context.Context, *IQ) (*stanza.Element, error) { return nil, nil }
	iq := map[string]IQHandler{"urn:x": answer}
	for name, c := range map[string]struct {
		first, second Feature
		panics        bool
	}{
		"same namespace, host":    {Feature{HostIQ: iq}, Feature{HostIQ: iq}, true},
		"same namespace, account": {Feature{AccountIQ: iq}, Feature{AccountIQ: iq}, true},
		"other target":            {Feature{HostIQ: iq}, Feature{AccountIQ: iq}, false},
		"same flag":               {Feature{Flags: []*Flag{{Name: "a"}}}, Feature{Flags: []*Flag{{Name: "a"}}}, true},
		"presence":                {Feature{Presence: &subscribed{}}, Feature{Presence: &subscribed{}}, true},
	} {
		func() {
			defer func() {
				if v := recover(); (v != nil) != c.panics {
					t.Errorf("%s: %v", name, v)
				}
			}()
			newTestHost(t).host.Use(c.first, c.second)
		}()
	}
}

// Stages run by position, and within one in the order of the features.
func TestStageOrder(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	var ran string
	stage := func(name string, position Position) Stage {
		return Stage{Name: name, Position: position, Inbound: func(context.Context, *Pass) error { ran += name; return nil }}
	}
	th.host.Use(Feature{Stages: []Stage{stage("d", Hold), stage("b", Clean)}}, Feature{Stages: []Stage{stage("c", Clean), stage("a", Refuse)}})
	th.router.Route(from(message("juliet@home.test", "chat"), "x@away.test/r"))
	th.settle()
	if ran != "abcd" {
		t.Errorf("ran %s", ran)
	}
}
