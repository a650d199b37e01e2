package featuretest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// group returns a shared group with accounts of example.org.
func group(name string, members ...string) config.Group {
	g := config.Group{Name: name, Host: "example.org"}
	for _, m := range members {
		g.Members = append(g.Members, m+"@example.org")
	}
	return g
}

func groups(list ...config.Group) func(*config.Config) {
	return func(c *config.Config) { c.Groups = list }
}

// eventually takes what comes until as many stanzas have come.
func (e *entity) eventually(n int) (got []string) {
	e.t.Helper()
	for start := time.Now(); len(got) < n; runtime.Gosched() {
		for _, st := range e.take() {
			got = append(got, st.String())
		}
		if time.Since(start) > time.Minute {
			e.t.Fatalf("%d of %d stanzas have come: %s", len(got), n, strings.Join(got, "\n"))
		}
	}
	slices.Sort(got)
	return got
}

// roster returns the roster in short and its version; an answer without a roster is "current".
func (c *client) roster(ver string) (items, version string) {
	c.t.Helper()
	c.take()
	c.sends(get("r", " ver='"+ver+"'"))
	got := c.take()
	if len(got) != 1 || got[0].Type != "result" {
		c.t.Fatal(show(got))
	}
	query := got[0].FirstChild()
	if query == nil {
		return "current", ver
	}
	var list []string
	for i := range query.Elements() {
		text := strings.TrimSuffix(i.Attr("jid"), "@example.org") + " " + i.Attr("name") + " " + i.Attr("subscription")
		for g := range i.Elements() {
			text += " " + g.Text()
		}
		list = append(list, text)
	}
	return strings.Join(list, ", "), query.Attr("ver")
}

func TestSharedGroups(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	two := groups(group("Team", "alice", "bob"), group("Choir", "bob", "alice", "carol"))
	s := startWith(t, func(c *config.Config) { c.Store.URL = url; two(c) }, "alice", "bob", "carol", "dave")
	alice, bob := s.login(alicePC), s.login(bobDesk)
	items, version := alice.roster("")
	if items != "bob  both Choir Team, carol  both Choir" {
		t.Error(items)
	}
	if again, _ := alice.roster(version); again != "current" {
		t.Error(again)
	}
	if items, _ := bob.roster(""); items != "alice  both Choir Team, carol  both Choir" {
		t.Error(items)
	}
	if stored, _, err := s.store.Roster(t.Context(), jid.MustParse(aliceBare), ""); err != nil || len(stored) != 0 {
		t.Error(stored, err)
	}

	// Presence goes both ways as for any subscription (RFC 6121 §4).
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, "*"), presenceOf("unavailable", bobBare, "*"))
	bob.gets() // not available yet
	bob.sends(`<presence><show>away</show></presence>`)
	bob.getsSome(presenceOf("", bobDesk, "*"), presenceOf("", alicePC, "*"))
	alice.gets(presenceOf("", bobDesk, "*"))
	carol := s.online("carol@example.org/x")
	alice.gets(presenceOf("", "carol@example.org/x", "*"))
	bob.take()
	carol.drop()
	alice.gets(presenceOf("unavailable", "carol@example.org/x", "*"))

	// No client can change these contacts; other stored contacts it can, and the version goes on.
	alice.sends(set("1", `<item jid='bob@example.org' name='B'/>`), set("2", `<item jid='carol@example.org' subscription='remove'/>`), set("3", `<item jid='dave@example.org' name='D'/>`))
	alice.gets(fails("iq", "1", "not-allowed"), fails("iq", "2", "not-allowed"), push(`<item jid='dave@example.org' subscription='none'/>`), result("3"))
	alice.sends(`<presence type='unsubscribe' to='bob@example.org' id='4'/>`, `<presence type='unsubscribed' to='bob@example.org' id='5'/>`, `<presence type='subscribe' to='bob@example.org' id='6'/>`)
	alice.gets(fails("presence", "4", "not-allowed"), fails("presence", "5", "not-allowed"))
	bob.take()
	items, later := alice.roster(version)
	if items != "bob  both Choir Team, carol  both Choir, dave D none" || later == version {
		t.Error(items, later)
	}
	if stored, _, err := s.store.Roster(t.Context(), jid.MustParse(aliceBare), ""); err != nil || len(stored) != 1 {
		t.Error(stored, err)
	}

	// After a restart the version is the same; it is another where the groups were changed meanwhile.
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url; two(c) })
	if items, _ := s.login(alicePC).roster(later); items != "current" {
		t.Error(items)
	}
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url; groups(group("Team", "alice", "bob"))(c) })
	if items, _ := s.login(alicePC).roster(later); items != "bob  both Team, dave D none" {
		t.Error(items)
	}
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url })
	if items, _ := s.login(alicePC).roster(later); items != "dave D none" {
		t.Error(items)
	}
}

// A change of the groups is announced to those who are logged in.
func TestSharedGroupsAreReloaded(t *testing.T) {
	t.Parallel()
	s := startWith(t, groups(group("Team", "alice", "bob")), "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	alice.take()
	_, version := alice.roster("")

	s.reload(groups(group("Team", "alice", "carol")))
	for name, c := range map[string]struct {
		of   *client
		want []string
	}{
		"alice": {alice, []string{"subscription='remove'", "carol@example.org' subscription='both'", "from='bob@example.org/desk' type='unavailable'", "from='carol@example.org/x'"}},
		"bob":   {bob, []string{"subscription='remove'", "from='alice@example.org/pc' type='unavailable'"}},
		"carol": {carol, []string{"alice@example.org' subscription='both'", "from='alice@example.org/pc'"}},
	} {
		got := strings.Join(c.of.eventually(len(c.want)), "\n")
		for _, w := range c.want {
			if !strings.Contains(strings.ReplaceAll(got, `"`, "'"), w) {
				t.Errorf("%s: lacks %s in\n%s", name, w, got)
			}
		}
	}
	// No version of a push can be that of a roster before all of the change has been announced.
	if items, _ := alice.roster(version); items != "carol  both Team" {
		t.Error(items)
	}
	items, version := alice.roster("0~")
	if again, _ := alice.roster(version); items != "carol  both Team" || again != "current" {
		t.Error(items, again)
	}
	// A stored contact stays when it leaves the groups, as it was.
	alice.sends(`<presence type='subscribe' to='bob@example.org'/>`)
	bob.take()
	bob.sends(`<presence type='subscribed' to='alice@example.org'/>`)
	alice.take()
	bob.take()
	s.reload(groups(group("Crew", "alice", "bob")))
	alice.eventually(3) // bob's item, carol's, her presence
	if items, _ := alice.roster(""); items != "bob  both Crew" {
		t.Error(items)
	}
	bob.take()
	s.reload(groups())
	alice.eventually(1) // bob's item, no presence: she is subscribed
	if items, _ := alice.roster(""); items != "bob  to" {
		t.Error(items)
	}
}

// XEP-0191: who is blocked sees nothing, also of a group that both are in from now on.
func TestSharedGroupsAndBlocking(t *testing.T) {
	t.Parallel()
	s := startWith(t, groups(), "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	alice.sends(ask("set", "b", "", `<block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></block>`))
	alice.gets(result("b"))
	s.reload(groups(group("Team", "alice", "bob", "carol")))
	bob.eventually(3) // two items, and the presence of carol
	alice.eventually(3)
	carol.eventually(4)
	alice.sends(`<presence><show>dnd</show></presence>`)
	bob.gets()
	carol.gets(presenceOf("", alicePC, "*"))
	bob.sends(`<presence type='probe' to='alice@example.org'/>`, `<presence><show>dnd</show></presence>`)
	bob.gets(presenceOf("", bobDesk, "*"))
	alice.gets(presenceOf("", alicePC, "*"))
}

// All accounts of a host, up to limits.group_members, are in a group of everyone.
func TestGroupOfEveryone(t *testing.T) {
	t.Parallel()
	everyone := config.Group{Name: "All", Host: "example.org", Members: []string{"everyone"}}
	url := storetest.URL(t)
	s := startWith(t, func(c *config.Config) { c.Store.URL = url }, "alice", "bob", "carol", "dave")
	alice := s.login(alicePC)
	alice.roster("")
	s.reload(groups(everyone))
	alice.eventually(3)
	if items, _ := alice.roster(""); items != "bob  both All, carol  both All, dave  both All" {
		t.Error(items)
	}
	if err := s.store.RemoveAccount(t.Context(), jid.MustParse("carol@example.org")); err != nil {
		t.Fatal(err)
	}
	s.reload(groups(config.Group{Name: "Everybody", Host: "example.org", Members: []string{"everyone"}}))
	alice.eventually(3)
	if items, _ := alice.roster(""); items != "bob  both Everybody, dave  both Everybody" {
		t.Error(items)
	}
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url; c.Limits.GroupMembers = 2; groups(everyone)(c) })
	for account, want := range map[string]string{alicePC: "bob  both All", "dave@example.org/x": ""} {
		if items, _ := s.login(account).roster(""); items != want {
			t.Error(account, items)
		}
	}
}

// CVE-2024-25421: nobody gets into a group by registering the address of a member.
func TestCVE202425421_GroupMembersAreReserved(t *testing.T) {
	t.Parallel()
	s := startWith(t, groups(group("Team", "alice", "mallory")), "alice")
	answer := s.beforeLogin("192.0.2.1", parse(t, `<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>mallory</username><password>x</password></query></iq>`))
	if why := differs(parseElement(t, fails("iq", "1", "conflict")), answer.Tree()); why != "" {
		t.Error(why, answer)
	}
}

// A group of many costs no rows, and little memory and time.
func TestLargeSharedGroup(t *testing.T) {
	t.Parallel()
	const n = 1000
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("u%04d", i))
	}
	s := startWith(t, groups(group("Staff", names...)), "u0000", "u0001", "zoe")
	first, second, zoe := s.online("u0000@example.org/x"), s.online("u0001@example.org/x"), s.online("zoe@example.org/x")
	first.take()
	items, version := first.roster("")
	if got := strings.Count(items, ","); got != n-2 {
		t.Errorf("%d contacts", got+1)
	}
	if again, _ := first.roster(version); again != "current" {
		t.Error("not current")
	}
	begin := time.Now()
	s.reload(groups(group("Staff", append(names, "zoe")...)))
	first.eventually(2)
	second.eventually(2)
	zoe.eventually(n + 2)
	t.Logf("announced in %s", time.Since(begin))
	for _, account := range []string{"u0000@example.org", "zoe@example.org"} {
		if stored, _, err := s.store.Roster(t.Context(), jid.MustParse(account), ""); err != nil || len(stored) != 0 {
			t.Error(stored, err)
		}
	}
}
