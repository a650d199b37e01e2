package featuretest

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	adminNode = "http://jabber.org/protocol/admin#"
	bossPC    = "boss@example.org/pc"
	helpPC    = "help@example.org/pc"

	allCommands = 32 // that are listed for an administrator
)

// startManaged is a server with an administrator, an operator and accounts.
func startManaged(t *testing.T, accounts ...string) *testServer {
	t.Helper()
	return startWith(t, func(c *config.Config) {
		c.Server.Admins = []string{"boss@example.org", "chief@remote.example"}
		c.Accounts.Operators = []string{"help@example.org"}
	}, append(accounts, "boss", "help")...)
}

// values are the fields of a form, each with its values one in a line.
type values map[string]string

func (v values) submit() string {
	x := `<x xmlns='jabber:x:data' type='submit'>`
	for name, text := range v {
		x += `<field var='` + name + `'>`
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" {
				x += `<value>` + line + `</value>`
			}
		}
		x += `</field>`
	}
	return x + `</x>`
}

func execute(node, session, inner string) string {
	if session != "" {
		session = ` sessionid='` + session + `'`
	}
	return `<iq type='set' id='cmd' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='` + node + `'` + session + `>` + inner + `</command></iq>`
}

// answer is the answer to a command among what a client has got.
func (e *entity) answer() *stanza.Stanza {
	e.t.Helper()
	for _, st := range e.take() {
		if st.Kind == stanza.IQ && st.ID == "cmd" {
			return st
		}
	}
	e.t.Fatal("no answer")
	return nil
}

// outcome is the condition of an error, or the status of the command with the text of its notes.
func outcome(st *stanza.Stanza) string {
	if e := st.Err(); e != nil {
		return e.Condition
	}
	c := st.FirstChild()
	return strings.TrimSpace(c.Attr("status") + " " + c.ChildText("", "note"))
}

// runs carries out a command: with fields unless they are nil.
func (c *client) runs(node string, fields values) *stanza.Stanza {
	c.t.Helper()
	c.take()
	c.sends(execute(node, "", ""))
	st := c.answer()
	if fields == nil || st.Err() != nil || st.FirstChild().Attr("status") != "executing" {
		return st
	}
	c.sends(execute(node, st.FirstChild().Attr("sessionid"), fields.submit()))
	return c.answer()
}

// field is the values of a field of an answer's form.
func field(st *stanza.Stanza, name string) []string {
	var list []string
	for f := range st.FirstChild().Child("jabber:x:data", "x").Named("jabber:x:data", "field") {
		if f.Attr("var") == name {
			for v := range f.Named("jabber:x:data", "value") {
				list = append(list, v.Text())
			}
		}
	}
	return list
}

// nodes are the commands that are listed for a client.
func (c *client) nodes() []string {
	c.t.Helper()
	c.take()
	c.sends(`<iq type='get' id='cmd' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`)
	var list []string
	for item := range c.answer().FirstChild().Elements() {
		if node, ok := strings.CutPrefix(item.Attr("node"), adminNode); ok {
			list = append(list, node)
		}
	}
	return list
}

// XEP-0133 §4, §5: what each role is shown and may do. CVE-2020-8086: the same user name elsewhere is nobody.
func TestAdminCommandsAreForAdmins(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice")
	alice, boss, help := s.online(alicePC), s.online(bossPC), s.online(helpPC)
	all, some, none := boss.nodes(), help.nodes(), alice.nodes()
	if len(all) != allCommands || slices.Contains(all, "get-user-password") {
		t.Errorf("%d commands: %q", len(all), all)
	}
	if len(none) != 0 {
		t.Errorf("alice sees %q", none)
	}
	for _, node := range all {
		if got := outcome(alice.runs(adminNode+node, nil)); got != "forbidden" {
			t.Errorf("alice runs %s: %s", node, got)
		}
		if !slices.Contains(some, node) {
			if got := outcome(help.runs(adminNode+node, nil)); got != "forbidden" {
				t.Errorf("the operator runs %s: %s", node, got)
			}
		}
		for _, from := range []string{"boss@remote.example/x", "help@remote.example", "chief@example.com/x", "gw.example.org"} {
			s.remote.take()
			s.remote.sends(strings.Replace(execute(adminNode+node, "", ""), "<iq", "<iq from='"+from+"'", 1))
			e := &s.remote
			if from == "gw.example.org" {
				e = &s.gateway
			}
			if got := outcome((*e).answer()); got != "forbidden" {
				t.Errorf("%s runs %s: %s", from, node, got)
			}
		}
	}
	for _, node := range []string{"delete-user", "get-user-roster", "edit-admin", "restart", "shutdown"} {
		if slices.Contains(some, node) || !slices.Contains(all, node) {
			t.Errorf("%s: operators see %q", node, some)
		}
	}
	s.remote.sends(strings.Replace(execute(adminNode+"get-registered-users-num", "", ""), "<iq", "<iq from='chief@remote.example/x'", 1))
	if st := s.remote.answer(); outcome(st) != "completed" {
		t.Errorf("an administrator of another server: %s", st)
	}
	if got := outcome(boss.runs(adminNode+"get-user-password", nil)); got != "not-allowed" {
		t.Errorf("get-user-password: %s", got)
	}
	if got := outcome(alice.runs(adminNode+"get-user-password", nil)); got != "forbidden" {
		t.Errorf("get-user-password for a user: %s", got)
	}
	if got := outcome(boss.runs(adminNode+"unknown", nil)); got != "item-not-found" {
		t.Errorf("an unknown command: %s", got)
	}
}

// XEP-0133 §4.1 to §4.7: accounts; what is wrong changes nothing.
func TestAdminAccounts(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice", "bob", "carol")
	boss := s.online(bossPC)
	for _, c := range []struct {
		node   string
		fields values
		want   string
	}{
		{"add-user", values{"accountjid": "dave@example.org", "password": "p", "password-verify": "q"}, "executing Retype the password: is not the same password."},
		{"add-user", values{"accountjid": "dave@example.org/x", "password": "p"}, "executing The address: is not the address of an account, such as ann@example.org."},
		{"add-user", values{"accountjid": "example.org", "password": "p"}, "executing The address: is not the address of an account, such as ann@example.org."},
		{"add-user", values{"accountjid": "dave@example.org"}, "executing The password for this account: is needed."},
		{"add-user", values{"accountjid": "dave@remote.example", "password": "p"}, "not-allowed"},
		{"add-user", values{"accountjid": "alice@example.org", "password": "p"}, "conflict"},
		{"add-user", values{"accountjid": "dave@example.org", "password": strings.Repeat("x", 1024)}, "not-acceptable"},
		{"add-user", values{"accountjid": "Dave@example.org", "password": "p", "password-verify": "p"}, "completed dave@example.org is made."},
		{"change-user-password", values{"accountjid": "dave@example.org", "password": "new"}, "completed The password of dave@example.org is changed."},
		{"change-user-password", values{"accountjid": "nobody@example.org", "password": "new"}, "item-not-found"},
		{"disable-user", values{"accountjids": "alice@example.org\nnobody@example.org"}, "item-not-found"},
		{"disable-user", values{"accountjids": "alice@example.org\nalice@remote.example"}, "not-allowed"},
		{"disable-user", values{"accountjids": "alice@example.org/pc"}, "executing alice@example.org/pc: is not an address for this."},
		{"disable-user", values{"accountjids": ""}, "executing Accounts to which nobody may log in any more: is needed."},
		{"disable-user", values{"accountjids": "bob@example.org\ncarol@example.org"}, "completed 2 accounts are disabled."},
		{"reenable-user", values{"accountjids": "carol@example.org"}, "completed 1 accounts are enabled."},
	} {
		if got := outcome(boss.runs(adminNode+c.node, c.fields)); got != c.want {
			t.Errorf("%s %v: %s", c.node, c.fields, got)
		}
	}
	if !s.checks("dave@example.org", "new") {
		t.Error("dave's password")
	}
	for name, disabled := range map[string]bool{"alice": false, "bob": true, "carol": false} {
		if state, err := s.store.AccountState(t.Context(), jid.MustParse(name+"@example.org")); err != nil || state.Disabled != disabled {
			t.Errorf("%s: %+v %v", name, state, err)
		}
	}
	alice, phone := s.online(alicePC), s.online("alice@example.org/phone")
	if got := outcome(boss.runs(adminNode+"end-user-session", values{"accountjids": "alice@example.org/phone"})); got != "completed The sessions are ended." || phone.ended() != "policy-violation" || alice.ended() != "" {
		t.Errorf("one session: %s, %q %q", got, phone.ended(), alice.ended())
	}
	if boss.runs(adminNode+"end-user-session", values{"accountjids": "alice@example.org"}); alice.ended() != "policy-violation" {
		t.Error("all sessions")
	}
	alice = s.online(alicePC)
	if boss.runs(adminNode+"disable-user", values{"accountjids": "alice@example.org"}); alice.ended() != "not-authorized" {
		t.Errorf("the session of a disabled account: %q", alice.ended())
	}
	if got := outcome(boss.runs(adminNode+"delete-user", values{"accountjids": "alice@example.org\nbob@example.org"})); got != "completed 2 accounts are deleted." {
		t.Error(got)
	}
	s.removed(aliceBare)
	s.removed(bobBare)
	if got := boss.runs(adminNode+"get-registered-users-list", values{"max_items": "none"}); strings.Join(field(got, "registereduserjids"), " ") != "boss@example.org carol@example.org dave@example.org help@example.org" {
		t.Errorf("left are %s", got)
	}
}

// An operator looks after users, and gets no more rights by it: the accounts of operators and administrators, and names that are
// theirs by the configuration, are not for operators.
func TestOperatorsTakeOverNobody(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		c.Server.Admins = []string{"boss@example.org", "later@example.org"}
		c.Accounts.Operators = []string{"help@example.org", "other@example.org"}
	}, "alice", "boss", "help", "other")
	if err := s.store.SetPassword(t.Context(), jid.MustParse("boss@example.org"), "his"); err != nil {
		t.Fatal(err)
	}
	boss, help := s.online(bossPC), s.online(helpPC)
	for _, c := range []struct {
		node   string
		fields values
		want   string
	}{
		{"change-user-password", values{"accountjid": "boss@example.org", "password": "mine"}, "forbidden"},
		{"change-user-password", values{"accountjid": "other@example.org", "password": "mine"}, "forbidden"},
		{"disable-user", values{"accountjids": "alice@example.org\nboss@example.org"}, "forbidden"},
		{"end-user-session", values{"accountjids": bossPC}, "forbidden"},
		{"add-user", values{"accountjid": "later@example.org", "password": "mine"}, "forbidden"},
		{"add-user", values{"accountjid": "admin@example.org", "password": "mine"}, "forbidden"}, // server.reserved
		{"add-user", values{"accountjid": "dave@example.org", "password": "mine"}, "completed dave@example.org is made."},
		{"change-user-password", values{"accountjid": "alice@example.org", "password": "p"}, "completed The password of alice@example.org is changed."},
	} {
		if got := outcome(help.runs(adminNode+c.node, c.fields)); got != c.want {
			t.Errorf("%s %v: %s", c.node, c.fields, got)
		}
	}
	state, err := s.store.AccountState(t.Context(), jid.MustParse(aliceBare))
	if err != nil || state.Disabled || boss.ended() != "" || !s.checks("boss@example.org", "his") {
		t.Errorf("%+v %v %q", state, err, boss.ended())
	}
}

// XEP-0133 §4.28; CVE-2024-25420: what was granted ends with the account, and a command that has begun with the right.
func TestEditAdmins(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice", "bob")
	boss, alice := s.online(bossPC), s.online(alicePC)
	edit := func(c *client, list ...string) string {
		t.Helper()
		return outcome(c.runs(adminNode+"edit-admin", values{"adminjids": strings.Join(list, "\n")}))
	}
	if got := edit(boss, "chief@remote.example", "boss@example.org", aliceBare); got != "completed There are 3 administrators." || len(alice.nodes()) != allCommands {
		t.Errorf("%s; alice sees %q", got, alice.nodes())
	}
	for _, c := range []struct {
		list []string
		want string
	}{
		{[]string{"boss@example.org", aliceBare}, "not-allowed"},
		{[]string{"boss@example.org", "chief@remote.example", aliceBare, "nobody@example.org"}, "item-not-found"},
		{[]string{"boss@example.org", "chief@remote.example", "alice@remote.example"}, "item-not-found"},
		{[]string{"boss@example.org", "example.org"}, "executing example.org: is not an address for this."},
	} {
		if got := edit(boss, c.list...); got != c.want || len(alice.nodes()) != allCommands {
			t.Errorf("%v: %s; alice sees %q", c.list, got, alice.nodes())
		}
	}
	alice.take()
	alice.sends(execute(adminNode+"announce", "", ""))
	session := alice.answer().FirstChild().Attr("sessionid")
	if got := edit(boss, "chief@remote.example", "boss@example.org"); got != "completed There are 2 administrators." {
		t.Error(got)
	}
	alice.sends(execute(adminNode+"announce", session, values{"announcement": "I am still here"}.submit()))
	if got := outcome(alice.answer()); got != "forbidden" || len(alice.nodes()) != 0 {
		t.Errorf("a command that alice has begun as administrator: %s", got)
	}

	edit(boss, "chief@remote.example", "boss@example.org", aliceBare)
	alice.sends(execute(adminNode+"announce", "", ""))
	session = alice.answer().FirstChild().Attr("sessionid")
	if got := outcome(boss.runs(adminNode+"delete-user", values{"accountjids": aliceBare})); got != "completed 1 accounts are deleted." {
		t.Error(got)
	}
	alice.drop()
	s.removed(aliceBare)
	if got := outcome(boss.runs(adminNode+"add-user", values{"accountjid": aliceBare, "password": "p"})); got != "completed alice@example.org is made." {
		t.Error(got)
	}
	alice = s.online(alicePC)
	alice.sends(execute(adminNode+"announce", session, values{"announcement": "I am still here"}.submit()))
	if got := outcome(alice.answer()); got != "not-allowed" || len(alice.nodes()) != 0 {
		t.Errorf("whoever got alice's name goes on with her command: %s; sees %q", got, alice.nodes())
	}
}
