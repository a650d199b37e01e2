package featuretest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
)

func (s *testServer) count(limit string) (n uint64) {
	for _, c := range s.counts() {
		if c.Limit == limit {
			n += c.Times
		}
	}
	return n
}

func blockAndReport(address, report string) string {
	return `<block xmlns='urn:xmpp:blocking'><item jid='` + address + `'>` + report + `</item></block>`
}

// command runs a command of the host with the answers of each step, and returns the last answer.
func (c *client) command(node string, steps ...string) string {
	c.t.Helper()
	session, answer := "", ""
	for i := -1; i < len(steps); i++ {
		x := `<command xmlns='http://jabber.org/protocol/commands' node='` + node + `'` + session
		if i < 0 {
			x += `/>`
		} else {
			x += `><x xmlns='jabber:x:data' type='submit'>` + steps[i] + `</x></command>`
		}
		c.take()
		c.sends(ask("set", "c", "example.org", x))
		got := c.take()
		if len(got) != 1 {
			c.t.Fatal(show(got))
		}
		answer = got[0].String()
		if got[0].Type != "result" {
			return answer
		}
		session = ` sessionid='` + got[0].FirstChild().Attr("sessionid") + `'`
	}
	return answer
}

func admins(names ...string) func(*config.Config) {
	return func(c *config.Config) {
		for _, n := range names {
			c.Server.Admins = append(c.Server.Admins, n+"@example.org")
		}
	}
}

// XEP-0377: a block with a report blocks, and operators see what is reported.
func TestReports(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { admins("boss")(c); c.Limits.Reports = 3 }, "alice", "boss")
	alice, boss := s.online(alicePC), s.online("boss@example.org/x")
	alice.sends(ask("get", "d", "example.org", `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	if got := show(alice.take()); !strings.Contains(got, "urn:xmpp:reporting:1") {
		t.Error(got)
	}
	s.remote.sends(message("chat", romeo+"/x", aliceBare, body("buy pills")))
	id := alice.take()[0].Child("urn:xmpp:sid:0", "stanza-id").Attr("id")
	alice.sends(ask("set", "1", "", blockAndReport(romeo, `<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'><stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='`+id+`'/><stanza-id xmlns='urn:xmpp:sid:0' by='x' id='unknown'/><text xml:lang='en'>Never came trouble like this.</text><report-origin/></report>`)))
	alice.gets(result("1"))
	boss.gets(`<message from='example.org' to='boss@example.org'><body>*</body></message>`)
	s.remote.sends(message("chat", romeo+"/x", aliceBare, body("more")))
	alice.gets()

	list := boss.command("reports")
	report := strings.Split(strings.Split(strings.ReplaceAll(list, `"`, "'"), "<value>")[1], "</value>")[0]
	if !strings.Contains(list, "alice@example.org about romeo@remote.example: spam") {
		t.Error(list)
	}
	shown := boss.command("reports", value("report", report))
	for _, want := range []string{"Never came trouble", "buy pills", "It may be forwarded to remote.example only."} {
		if !strings.Contains(shown, want) {
			t.Errorf("lacks %q: %s", want, shown)
		}
	}
	if got := boss.command("reports", value("report", report), value("block", "address")+value("remove", "1")); !strings.Contains(got, "romeo@remote.example is blocked for everybody. The report is removed") {
		t.Error(got)
	}
	if got := boss.command("http://jabber.org/protocol/admin#edit-blacklist"); !strings.Contains(got, "romeo@remote.example") {
		t.Error(got)
	}
	boss.take()
	s.remote.sends(message("chat", romeo+"/x", "boss@example.org", body("for everybody")))
	boss.gets()
	if got := boss.command("reports"); !strings.Contains(got, "There are no reports") {
		t.Error(got)
	}
	if got := alice.command("reports"); !strings.Contains(got, "<forbidden") {
		t.Error(got)
	}

	// A report that cannot be used does not prevent the block, nor do too many reports.
	long := strings.Repeat("ü", 3000)
	for i, report := range []string{
		`<report xmlns='urn:xmpp:reporting:1'/>`, `<report xmlns='urn:xmpp:reporting:1' reason=''/>`, `<report xmlns='urn:xmpp:reporting:0' reason='urn:xmpp:reporting:spam'/>`,
		`<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:abuse'><text>` + long + `</text></report>`,
		`<report xmlns='urn:xmpp:reporting:1' reason='urn:x:other'/>`,
		`<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/>`,
		`<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/>`,
	} {
		from := fmt.Sprintf("spam%d@remote.example", i)
		alice.sends(ask("set", "b", "", blockAndReport(from, report)))
		alice.gets(result("b"))
		s.remote.sends(message("chat", from, aliceBare, body("x")))
		alice.gets()
	}
	if got := boss.command("reports"); strings.Count(got, "<option") != 3 || s.count("limits.reports") != 1 {
		t.Errorf("%d counted: %s", s.count("limits.reports"), got)
	}
}

func strangers(change func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		c.Limits.StrangerMessages, c.Limits.StrangerSenders, c.Limits.StrangerReceivers = 2, 3, 2
		if change != nil {
			change(c)
		}
	}
}

// A first message passes; who goes on without an answer is limited, and everybody may write who is known.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := startWith(t, strangers(nil), "alice", "bob", "carol")
	alice := s.online(alicePC)
	write := func(from, to string) string {
		t.Helper()
		s.remote.take()
		s.remote.sends(message("chat", from, to, body("hello")))
		got := s.remote.take()
		delivered := len(alice.take())
		switch {
		case len(got) == 1 && strings.Contains(got[0].String(), "<policy-violation"):
			return "refused"
		case len(got) == 0 && delivered == 1:
			return "delivered"
		case len(got) == 0:
			return "gone"
		}
		return show(got)
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, not %s", what, got, want)
		}
	}
	for i, want := range []string{"delivered", "delivered", "refused", "refused"} {
		is(fmt.Sprint("message ", i+1), write(romeo+fmt.Sprint("/", i), aliceBare), want)
	}
	alice.sends(message("chat", "", romeo, body("hello")))
	for range 5 {
		is("answered", write(romeo, aliceBare), "delivered")
	}
	is("the second stranger", write("a@remote.example", aliceBare), "delivered")
	s.remote.sends(presenceOf("subscribe", "b@remote.example", aliceBare))
	alice.gets(presenceOf("subscribe", "b@remote.example", aliceBare))
	is("the fourth", write("c@remote.example", aliceBare), "delivered") // the one that was answered counts no more
	is("the fifth", write("d@remote.example", aliceBare), "refused")
	s.remote.sends(presenceOf("subscribe", "e@remote.example", aliceBare))
	alice.gets()
	s.remote.gets()
	// In the roster, also without a subscription.
	alice.sends(set("1", `<item jid='f@remote.example'/>`))
	alice.take()
	for range 5 {
		is("listed", write("f@remote.example/x", aliceBare), "delivered")
	}
	// Also for one who was refused before.
	alice.sends(set("2", `<item jid='d@remote.example'/>`))
	alice.take()
	is("listed later", write("d@remote.example/x", aliceBare), "delivered")
	// Errors, rooms and accounts of this server are not limited.
	for range 5 {
		s.remote.sends(message("groupchat", "room@muc.example/x", alicePC, body("x")))
		alice.gets(message("groupchat", "room@muc.example/x", alicePC, body("x")))
	}
	bob := s.online(bobDesk)
	for range 5 {
		bob.sends(message("chat", "", aliceBare, body("x")))
		alice.gets(message("chat", bobDesk, aliceBare, body("x")))
	}
	// One stranger, many accounts.
	is("first", write("g@remote.example", "bob@example.org"), "gone")
	is("second", write("g@remote.example", "carol@example.org"), "gone")
	bob.take()
	s.remote.sends(message("chat", "g@remote.example", aliceBare, body("x")))
	if got := show(s.remote.take()); !strings.Contains(got, "<policy-violation") {
		t.Error(got)
	}
	for _, limit := range []string{"limits.stranger_messages", "limits.stranger_senders"} {
		if s.count(limit) == 0 {
			t.Errorf("%s is not counted", limit)
		}
	}
}

// What an account chooses holds for it, and survives a restart.
func TestStrangerPolicies(t *testing.T) {
	t.Parallel()
	s := startWith(t, strangers(func(c *config.Config) { c.Strangers.Local = true }), "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	if got := alice.command("strangers", value("policy", "refuse")); !strings.Contains(got, "in force") {
		t.Error(got)
	}
	s.remote.sends(message("chat", romeo, aliceBare, body("x")), message("chat", romeo, "nobody@example.org", body("x")))
	s.remote.gets() // both are alike
	bob.sends(message("chat", "", aliceBare, body("x")))
	alice.gets()
	s.remote.sends(presenceOf("subscribe", romeo, aliceBare))
	alice.gets(presenceOf("subscribe", romeo, aliceBare))
	if got := alice.command("strangers", value("policy", "accept")); !strings.Contains(got, "in force") {
		t.Error(got)
	}
	for range 5 {
		bob.sends(message("chat", "", aliceBare, body("x")))
		alice.gets(message("chat", bobDesk, aliceBare, body("x")))
	}
	if got := alice.command("strangers", value("policy", "odd")); strings.Contains(got, "in force") {
		t.Error(got)
	}
	if got := alice.command("strangers"); !strings.Contains(strings.ReplaceAll(got, `"`, "'"), "<value>accept</value>") {
		t.Error(got)
	}
}

// Addresses and domains of a list reach those only who know them.
func TestListedStrangers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte("remote.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startWith(t, func(c *config.Config) { c.Strangers.Lists = []string{file} }, "alice")
	alice := s.online(alicePC)
	s.remote.sends(
		message("chat", romeo, aliceBare, body("x")), presenceOf("subscribe", romeo, aliceBare), presenceOf("", romeo+"/x", aliceBare),
		message("", "room@remote.example", aliceBare, `<x xmlns='http://jabber.org/protocol/muc#user'><invite from='eve@other.example'/></x>`),
		message("error", romeo, alicePC, body("x")), strings.Replace(ask("get", "q", alicePC, `<query xmlns='jabber:iq:version'/>`), "<iq", "<iq from='romeo@remote.example/x'", 1))
	alice.gets()
	got := s.remote.take()
	if len(got) != 3 || strings.Count(show(got), "<policy-violation") != 2 || strings.Count(show(got), "<service-unavailable") != 1 {
		t.Error(show(got))
	}
	s.remote.sends(message("chat", "paris@fine.example", aliceBare, body("x")))
	alice.gets(message("chat", "paris@fine.example", aliceBare, body("x")))
	if n := s.count("strangers.lists"); n != 5 { // the request does not come that far
		t.Errorf("%d counted", n)
	}
	alice.sends(message("chat", "", romeo, body("x")))
	s.remote.take()
	s.remote.sends(message("chat", romeo, aliceBare, body("x")))
	alice.gets(message("chat", romeo, aliceBare, body("x")))
	// A reload reads the list again.
	if err := os.WriteFile(file, []byte("fine.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(func(*config.Config) {})
	s.remote.sends(message("chat", "tybalt@remote.example", aliceBare, body("x")), message("chat", "paris@fine.example", aliceBare, body("x")))
	alice.gets(message("chat", "tybalt@remote.example", aliceBare, body("x")))
	// A list that cannot be read is an error of the configuration.
	c := config.Default()
	c.Strangers.Lists, c.Server.Data, c.Listen = []string{file + ".none"}, t.TempDir(), config.Listen{}
	if running, err := server.New(t.Context(), c, server.Options{}); err == nil || !strings.Contains(err.Error(), "strangers.lists") {
		_ = running.Close()
		t.Error(err)
	}
}
