package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const channelSearchNS = "urn:xmpp:channel-search:0:search"

// channels returns the localparts of the public rooms that a search finds, with the number of people in each.
func (c *client) channels(fields ...string) string {
	c.t.Helper()
	c.take()
	x := ""
	for i := 0; i < len(fields); i += 2 {
		x += value(fields[i], fields[i+1])
	}
	c.to(conferenceDomain, ask("get", "find", conferenceDomain, `<search xmlns='`+channelSearchNS+`'>`+submitted("urn:xmpp:channel-search:0:search-params", x)+`</search>`))
	var list []string
	for _, st := range c.take() {
		if e := st.Err(); e != nil {
			return e.Condition
		}
		for i := range st.FirstChild().Named(channelSearchNS, "item") {
			list = append(list, strings.TrimSuffix(i.Attr("address"), "@"+conferenceDomain)+" "+i.ChildText(channelSearchNS, "nusers"))
		}
	}
	return strings.Join(list, ", ")
}

// XEP-0433: public rooms are found, with the number of people in them, and no others.
func TestChannelSearch(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startWith(t, func(c *config.Config) { c.Store.URL, c.Rooms.Searches = url, 0 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	const den = "den@" + conferenceDomain
	alice.to(lobby, enters(lobby, "Al"))
	if got := bob.channels("all", "1"); got != "" {
		t.Error("a room that is not configured is found: " + got)
	}
	alice.to(lobby, configures(lobby, "roomname", "The Lobby", "roomdesc", "Come in", "persistentroom", "1"))
	alice.to(den, enters(den, "Al"), configures(den, "roomname", "The Lobby of secrets", "publicroom", "0", "persistentroom", "1"))
	for _, c := range []struct{ field, value, want string }{
		{"q", "lobby", "lobby 1"}, {"q", "come", "lobby 1"}, {"q", "secrets", ""}, {"q", "den", ""}, {"all", "1", "lobby 1"}, {"min_users", "1", "bad-request"},
	} {
		if got := bob.channels(c.field, c.value); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.field, c.value, got, c.want)
		}
	}
	bob.to(lobby, enters(lobby, "Bob"))
	if got := bob.channels("all", "1"); got != "lobby 2" {
		t.Error(got)
	}
	alice.to(den, configures(den, "publicroom", "1", "membersonly", "1"))
	alice.to(den, leaves(den, "Al"))
	if got := bob.channels("all", "1"); got != "lobby 2, den 0" {
		t.Error(got)
	}
	bob.drop()
	alice.sync(lobby)
	if got := alice.channels("q", "lobby", "key", "{urn:xmpp:channel-search:0:order}address"); got != "den 0, lobby 1" {
		t.Error(got)
	}
	alice.to(lobby, destroys(lobby))
	if got := alice.channels("all", "1"); got != "den 0" {
		t.Error(got)
	}
}

// The form is given without a limit, and searches are limited and counted.
func TestChannelSearchIsLimited(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startWith(t, func(c *config.Config) { c.Store.URL, c.Rooms.Searches = url, 1 }, "alice")
	alice := s.online(alicePC)
	alice.to(conferenceDomain, ask("get", "form", conferenceDomain, `<search xmlns='`+channelSearchNS+`'/>`))
	if got := show(alice.take()); !strings.Contains(got, "var='q'") {
		t.Error(got)
	}
	if got := alice.channels("all", "1"); got != "" {
		t.Error(got)
	}
	if got := alice.channels("all", "1"); got != "resource-constraint" {
		t.Error(got)
	}
}
