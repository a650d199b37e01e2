package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReload(t *testing.T) {
	t.Parallel()
	parse := func(text string) Config {
		t.Helper()
		c, err := Parse([]byte(text), "", nil, chatSection())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := parse("[limits]\nsessions = 3\n[chat]\nwait = \"2s\"\n")
	next := parse("[server]\nadmins = [\"a@b.example\"]\narchive = \"1h\"\n[limits]\nsessions = 4\nidle = \"1m\"\nvcard_bytes = 1\n[log]\nlevel = \"debug\"\nformat = \"json\"\n" +
		"[chat]\nenabled = true\n[[component]]\ndomain = \"c.example\"\nsecret = \"x\"\n")
	got, changes := old.Reload(next)
	want := Changes{
		Reloaded: []string{"server.archive", "limits.idle", "limits.sessions", "log.level", "chat.enabled", "chat.wait"},
		Restart:  []string{"server.admins", "limits.vcard_bytes", "log.format", "component"},
	}
	for _, list := range []*[]string{&changes.Reloaded, &changes.Restart, &want.Reloaded, &want.Restart} {
		slices.Sort(*list)
	}
	if d := cmp.Diff(want, changes); d != "" {
		t.Error(d)
	}
	if got.Limits.Sessions != 4 || got.Log.Level != "debug" || got.Log.Format != "text" || len(got.Server.Admins) != 0 || len(got.Components) != 0 || !got.Sections[0].Network().Enabled {
		t.Errorf("%+v", got)
	}
	if old.Limits.Sessions != 3 || old.Sections[0].Network().Enabled {
		t.Error("the running configuration was changed")
	}
	if _, none := got.Reload(got); len(none.Reloaded)+len(none.Restart) != 0 {
		t.Errorf("nothing has changed, but: %+v", none)
	}
	// Another first host moves the networks: all of it needs a restart.
	got, changes = old.Reload(parse("[server]\nhosts = [\"other.example\"]\n[limits]\nsessions = 3\n[chat]\nenabled = true\nwait = \"2s\"\n"))
	if d := cmp.Diff(Changes{Restart: []string{"server.hosts", "chat.enabled", "chat.domain"}}, changes); d != "" || got.Sections[0].Network().Enabled {
		t.Error(d)
	}
}
