package featuretest

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// XEP-0133 §4.8 to §4.10, §4.13 to §4.22
func TestAdminQueries(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice", "bob", "carol", "dave")
	s.put(aliceBare, bobBare, roster.Item{Name: "Bob", Subscription: roster.From, Groups: []string{"Friends"}})
	boss := s.online(bossPC)
	s.online(alicePC)
	s.online(bobDesk).sends(`<presence><show>away</show></presence>`)
	s.login("carol@example.org/unavailable")
	boss.runs(adminNode+"disable-user", values{"accountjids": "dave@example.org"})
	for node, want := range map[string]string{
		"get-registered-users-num": "6", "get-disabled-users-num": "1", "get-online-users-num": "4", "get-active-users-num": "2", "get-idle-users-num": "2",
	} {
		name := strings.ReplaceAll(strings.TrimPrefix(node, "get-"), "-", "")
		if got := field(boss.runs(adminNode+node, nil), name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, not %s", node, got, want)
		}
	}
	for _, c := range []struct{ node, field, max, want string }{
		{"get-registered-users-list", "registereduserjids", "25", "alice bob boss carol dave help"},
		{"get-disabled-users-list", "disableduserjids", "none", "dave"},
		{"get-online-users-list", "onlineuserjids", "none", "alice bob boss carol"},
		{"get-active-users", "activeuserjids", "25", "alice boss"},
		{"get-idle-users", "idleuserjids", "25", "bob carol"},
	} {
		want := strings.Fields(c.want)
		for i := range want {
			want[i] += "@example.org"
		}
		if got := field(boss.runs(adminNode+c.node, values{"max_items": c.max}), c.field); !slices.Equal(got, want) {
			t.Errorf("%s: %q", c.node, got)
		}
	}
	if got := outcome(boss.runs(adminNode+"get-online-users-list", values{"max_items": "1000000"})); !strings.HasPrefix(got, "executing ") {
		t.Errorf("a number that is no option: %s", got)
	}

	answer := boss.runs(adminNode+"get-user-roster", values{"accountjids": aliceBare})
	item := answer.FirstChild().Child("jabber:x:data", "x").Child("jabber:iq:roster", "query").Child("", "item")
	if item.Attr("jid") != bobBare || item.Attr("subscription") != "from" || item.ChildText("", "group") != "Friends" {
		t.Errorf("%s", answer)
	}
	for _, c := range []struct {
		node, field, account, want string
	}{
		{"get-user-roster", "accountjids", "nobody@example.org", "item-not-found"},
		{"get-user-roster", "accountjids", "alice@remote.example", "not-allowed"},
		{"get-user-roster", "accountjids", aliceBare + "\n" + bobBare, "executing The address of the account: takes one address at a time."},
		{"get-user-lastlogin", "accountjids", "nobody@example.org", "item-not-found"},
		{"user-stats", "accountjid", "nobody@example.org", "item-not-found"},
		{"user-stats", "accountjid", "nobody@remote.example", "not-allowed"},
	} {
		if got := outcome(boss.runs(adminNode+c.node, values{c.field: c.account})); got != c.want {
			t.Errorf("%s of %s: %s", c.node, c.account, got)
		}
	}
	if got := field(boss.runs(adminNode+"get-user-lastlogin", values{"accountjids": aliceBare}), "lastlogin"); len(got) != 1 || !strings.HasSuffix(got[0], "Z") {
		t.Errorf("last login: %q", got)
	}
	stats := boss.runs(adminNode+"user-stats", values{"accountjid": aliceBare})
	if got := []string{strings.Join(field(stats, "rostersize"), " "), strings.Join(field(stats, "onlineresources"), " "), strings.Join(field(stats, "x-role"), " ")}; !slices.Equal(got, []string{"1", "pc", "user"}) {
		t.Errorf("statistics: %q", got)
	}
}

// notice is a message of the server.
func notice(typ, to, text string) string {
	return `<message from='example.org' to='` + to + `' type='` + typ + `'>` + body(text) + `</message>`
}

func normalNotice(to, text string) string {
	return `<message from='example.org' to='` + to + `'>` + body(text) + `</message>`
}

// XEP-0133 §4.23
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice", "bob")
	boss, alice := s.online(bossPC), s.online(alicePC)
	if got := outcome(boss.runs(adminNode+"announce", values{"announcement": "Good\nnews"})); got != "completed Sent to 2 users." {
		t.Error(got)
	}
	alice.gets(notice("headline", aliceBare, "Good\nnews"))
	if got := outcome(boss.runs(adminNode+"announce-all", values{"announcement": "To all"})); got != "completed Sent to 4 users." {
		t.Error(got)
	}
	alice.gets(normalNotice(aliceBare, "To all"))
	bob := s.login(bobDesk)
	bob.sends(`<presence/>`)
	if got := show(bob.take()); !strings.Contains(got, "<body>To all</body>") || strings.Contains(got, "news") {
		t.Errorf("bob, who was away: %s", got)
	}
	for text, want := range map[string]string{
		"": "executing Announcement: is needed.", strings.Repeat("x", 17<<10): "not-acceptable",
	} {
		if got := outcome(boss.runs(adminNode+"announce", values{"announcement": text})); got != want {
			t.Errorf("%d bytes: %s", len(text), got)
		}
	}
	alice.gets()
}

// XEP-0133 §4.24 to §4.27: each account gets each version once, also after a restart; the welcome message is for new accounts.
func TestMessageOfTheDay(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	managed := func(c *config.Config) { c.Store.URL, c.Server.Admins = url, []string{"boss@example.org"} }
	s := startWith(t, managed, "alice", "bob", "boss")
	arrives := func(full string) string {
		t.Helper()
		c := s.login(full)
		c.sends(`<presence/>`)
		defer c.drop()
		return show(c.take())
	}
	boss, alice := s.online(bossPC), s.online(alicePC)
	if got := outcome(boss.runs(adminNode+"set-motd", values{"motd": "First"})); got != "completed It is set." {
		t.Error(got)
	}
	alice.gets(normalNotice(aliceBare, "First"))
	alice.drop()
	if got := arrives(alicePC); strings.Contains(got, "First") {
		t.Errorf("alice gets it again: %s", got)
	}
	if got := arrives(bobDesk); strings.Count(got, "<body>First</body>") != 1 {
		t.Errorf("bob: %s", got)
	}
	if got := field(boss.runs(adminNode+"edit-motd", nil), "motd"); !slices.Equal(got, []string{"First"}) {
		t.Errorf("the form of edit-motd: %q", got)
	}
	boss.runs(adminNode+"edit-motd", values{"motd": "Second\nline"})
	if got := outcome(boss.runs(adminNode+"set-welcome", values{"welcome": "Welcome"})); got != "completed It is set." {
		t.Error(got)
	}
	s.stop()
	s = startWith(t, managed, "carol")
	for _, c := range []struct{ who, want, not string }{
		{bobDesk, "Second\nline", "Welcome"}, {alicePC, "Second\nline", "Welcome"}, {"carol@example.org/x", "Welcome", "First"},
	} {
		if got := arrives(c.who); strings.Count(got, "<body>"+c.want+"</body>") != 1 || strings.Contains(got, c.not) {
			t.Errorf("%s: %s", c.who, got)
		}
		if got := arrives(c.who); strings.Contains(got, "<body>") {
			t.Errorf("%s again: %s", c.who, got)
		}
	}
	boss = s.online(bossPC)
	for _, node := range []string{"delete-motd", "delete-welcome"} {
		if got := outcome(boss.runs(adminNode+node, nil)); got != "completed It is deleted." {
			t.Error(got)
		}
	}
	s.create("dave")
	if got := arrives("dave@example.org/x"); strings.Contains(got, "<body>") {
		t.Errorf("dave: %s", got)
	}
}

// XEP-0133 §4.11, §4.12
func TestServerLists(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	managed := func(c *config.Config) { c.Store.URL, c.Server.Admins = url, []string{"boss@example.org"} }
	s := startWith(t, managed, "alice", "bob", "boss")
	boss, alice := s.online(bossPC), s.online(alicePC)
	s.online(bobDesk)
	edit := func(node, field, list, want string) {
		t.Helper()
		if got := outcome(boss.runs(adminNode+node, values{field: list})); got != want {
			t.Errorf("%s %q: %s", node, list, got)
		}
	}
	// reaches sends a message each way.
	reaches := func(other string, want bool) {
		t.Helper()
		s.remote.take()
		alice.take()
		alice.sends(message("chat", "", other, body("out")))
		out, refused := s.remote.take(), alice.take()
		s.remote.sends(message("chat", other, aliceBare, body("in")), presenceOf("", other, aliceBare))
		in, bounced := alice.take(), s.remote.take()
		if want && (len(out) != 1 || len(refused) != 0 || len(in) == 0) {
			t.Errorf("%s: %s%s%s", other, show(out), show(refused), show(in))
		}
		if !want && (len(out) != 0 || len(refused) != 1 || refused[0].Err().Condition != "not-allowed" || len(in) != 0 ||
			len(bounced) != 1 || bounced[0].Err().Condition != "service-unavailable") {
			t.Errorf("%s: %s%s%s%s", other, show(out), show(refused), show(in), show(bounced))
		}
	}
	reaches("eve@bad.example/x", true)
	edit("edit-blacklist", "blacklistjids", "bad.example\nmallory@remote.example", "completed The list has 2 addresses.")
	edit("edit-blacklist", "blacklistjids", "eve@remote.example/x", "executing eve@remote.example/x: is not an address for this.")
	edit("edit-blacklist", "blacklistjids", "bob@example.org", "not-acceptable")
	edit("edit-blacklist", "blacklistjids", "gw.example.org", "not-acceptable")
	for other, want := range map[string]bool{
		"eve@bad.example/x": false, "eve@bad.example": false, "mallory@remote.example/y": false, "eve@remote.example": true, "eve@sub.bad.example": true,
	} {
		reaches(other, want)
	}
	if got := field(boss.runs(adminNode+"edit-blacklist", nil), "blacklistjids"); !slices.Equal(got, []string{"bad.example", "mallory@remote.example"}) {
		t.Errorf("the list is %q", got)
	}
	s.stop()
	s = startWith(t, managed)
	boss, alice = s.online(bossPC), s.online(alicePC)
	bob := s.online(bobDesk)
	reaches("eve@bad.example/x", false)
	edit("edit-whitelist", "whitelistjids", "good.example\nbad.example", "completed The list has 2 addresses.")
	reaches("eve@good.example/x", true)
	reaches("eve@bad.example/x", false)
	reaches("eve@remote.example", false)
	bob.take()
	alice.sends(message("chat", "", bobBare, body("local")))
	bob.gets(message("chat", alicePC, bobBare, body("local")))
	edit("edit-whitelist", "whitelistjids", "", "completed The list has 0 addresses.")
	edit("edit-blacklist", "blacklistjids", "", "completed The list has 0 addresses.")
	reaches("eve@bad.example/x", true)
}

// XEP-0050 §3.4, §3.5: a command that is cancelled, and forms that are wrong, change nothing.
func TestAdminCommandSessions(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice")
	boss := s.online(bossPC)
	begin := func() string {
		boss.take()
		boss.sends(execute(adminNode+"disable-user", "", ""))
		return boss.answer().FirstChild().Attr("sessionid")
	}
	fields := values{"accountjids": aliceBare}.submit()
	send := func(node, session, action, inner string) string {
		x := execute(adminNode+node, session, inner)
		boss.sends(strings.Replace(x, "<command ", "<command action='"+action+"' ", 1))
		return outcome(boss.answer())
	}
	for _, c := range []struct{ node, action, inner, want string }{
		{"disable-user", "cancel", fields, "canceled"},
		{"enable-user", "complete", fields, "bad-request"},
		{"disable-user", "next", fields, "bad-request"},
		{"disable-user", "prev", "", "bad-request"},
		{"disable-user", "burn", fields, "bad-request"},
		{"disable-user", "complete", `<x xmlns='jabber:x:data' type='wrong'/>`, "bad-request"},
		{"disable-user", "complete", "", "executing Accounts to which nobody may log in any more: is needed."},
	} {
		session := begin()
		if got := send(c.node, session, c.action, c.inner); got != c.want {
			t.Errorf("%s %s: %s", c.node, c.action, got)
		}
	}
	if got := send("disable-user", "made-up", "complete", fields); got != "not-allowed" {
		t.Errorf("a session that does not exist: %s", got)
	}
	help := s.online(helpPC)
	help.sends(execute(adminNode+"disable-user", begin(), fields))
	if got := outcome(help.answer()); got != "not-allowed" {
		t.Errorf("the session of somebody else: %s", got)
	}
	if state, err := s.store.AccountState(t.Context(), jid.MustParse(aliceBare)); err != nil || state.Disabled {
		t.Errorf("%+v %v", state, err)
	}
}
