package featuretest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
)

// changeForm is the form for a new password.
const changeForm = `<x xmlns='jabber:x:data' type='form'><title>New password</title>` +
	`<instructions>Other devices are logged out and need the new password.</instructions>` +
	`<field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>` +
	`<field type='text-single' var='username' label='User name'><value>alice</value></field>` +
	`<field type='text-private' var='password' label='New password'><required/></field>` +
	`<field type='boolean' var='x-keep-sessions' label='Keep other devices logged in'><value>0</value></field></x>`

func reg(inner string) string { return `<query xmlns='jabber:iq:register'>` + inner + `</query>` }

func (s *testServer) checks(account, password string) bool {
	s.t.Helper()
	c, err := s.store.Credentials(s.t.Context(), jid.MustParse(account))
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Check(password)
}

// XEP-0077 §3.3, CVE-2009-1595
func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	if err := s.store.SetPassword(t.Context(), jid.MustParse(bobBare), "his"); err != nil {
		t.Fatal(err)
	}
	alice := s.online(alicePC)
	alice.sends(ask("get", "0", "example.org", reg("")), ask("set", "1", "example.org", reg(`<username>alice</username><password>new</password>`)))
	alice.gets(`<iq type='result' id='0'>`+reg(`<registered/><username>alice</username><password/>`+changeForm)+`</iq>`, result("1"))
	if !s.checks(aliceBare, "new") {
		t.Error("the password is not the new one")
	}
	alice.sends(ask("set", "2", "", reg(`<username>Alice</username><password>newer</password>`)))
	alice.gets(result("2"))
	for _, c := range []struct{ to, inner, condition string }{
		{"example.org", `<username>bob</username><password>stolen</password>`, "not-allowed"},
		{bobBare, `<username>bob</username><password>stolen</password>`, "service-unavailable"},
		{"nobody@example.org", `<username>nobody</username><password>x</password>`, "service-unavailable"},
		{"", `<username>@</username><password>x</password>`, "not-allowed"},
		{"", `<username>alice</username><password/>`, "bad-request"},
		{"", `<password>x</password>`, "bad-request"},
		{"", `<username>alice</username><password>` + strings.Repeat("x", 1024) + `</password>`, "not-acceptable"},
	} {
		alice.sends(ask("set", "3", c.to, reg(c.inner)))
		alice.gets(fails("iq", "3", c.condition))
	}
	if !s.checks(aliceBare, "newer") || !s.checks(bobBare, "his") {
		t.Error("a refused change was made")
	}
	// Keys of passwords are dear: nobody makes us compute them all the time.
	for range 20 {
		alice.sends(ask("set", "5", "", reg(`<username>alice</username><password>again</password>`)))
	}
	if got := alice.take(); len(got) != 20 || got[19].Err() == nil || got[19].Err().Condition != "resource-constraint" {
		t.Errorf("answered %v", got)
	}
	s.remote.sends(strings.Replace(ask("set", "4", "example.org", reg(`<username>alice</username><password>x</password>`)), "<iq", "<iq from='alice@remote.example/x'", 1))
	s.remote.gets(fails("iq", "4", "service-unavailable"))
}

// A new password ends the account's other sessions, unless the form says otherwise.
func TestChangedPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, phone, bob := s.online(alicePC), s.login("alice@example.org/phone"), s.online(bobDesk)
	submit := func(keep string) string {
		return reg(`<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:register</value></field>` +
			`<field var='username'><value>alice</value></field><field var='password'><value>p` + keep + `</value></field>` +
			`<field var='x-keep-sessions'><value>` + keep + `</value></field></x>`)
	}
	alice.sends(ask("set", "1", "", submit("true")))
	alice.gets(result("1"))
	if !s.checks(aliceBare, "ptrue") || phone.ended() != "" {
		t.Errorf("asked to keep sessions: %q", phone.ended())
	}
	alice.sends(ask("set", "2", "", submit("0")))
	alice.getsSome(result("2"))
	if !s.checks(aliceBare, "p0") || phone.ended() != "reset" || alice.ended() != "" || bob.ended() != "" {
		t.Errorf("phone %q, the session itself %q, another account %q", phone.ended(), alice.ended(), bob.ended())
	}
	phone = s.login("alice@example.org/phone")
	alice.sends(ask("set", "3", "example.org", reg(`<username>alice</username><password>again</password>`)))
	alice.getsSome(result("3"))
	if phone.ended() != "reset" || alice.ended() != "" {
		t.Errorf("without a form: %q", phone.ended())
	}
	alice.sends(ask("set", "4", "", reg(`<username>alice</username><password>`+strings.Repeat("x", 1024)+`</password>`)))
	alice.gets(fails("iq", "4", "not-acceptable"))
}

// removed waits until nothing is left of an account.
func (s *testServer) removed(account string) {
	s.t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		list, err := s.store.Removals(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if !slices.Contains(list, jid.MustParse(account)) {
			return
		}
		if time.Now().After(limit) {
			s.t.Fatalf("%s is still being deleted", account)
		}
	}
}

// XEP-0077 §3.2, CVE-2024-25420
func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Accounts.DeletedNames = 0 }, "alice", "bob")
	for _, c := range []struct {
		jid string
		sub roster.Subscription
	}{{bobBare, roster.Both}, {romeo, roster.From}, {"to@remote.example", roster.To}, {"none@remote.example", roster.None}} {
		s.put(aliceBare, c.jid, roster.Item{Subscription: c.sub})
	}
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	s.remote.sends(presenceOf("subscribe", "asks@remote.example", aliceBare))
	alice, phone, bob := s.online(alicePC), s.login("alice@example.org/phone"), s.online(bobDesk)
	alice.sends(ask("set", "v", "", `<vCard xmlns='vcard-temp'><FN>A</FN></vCard>`), ask("set", "0", "", reg(`<remove/><username>alice</username>`)))
	got := alice.take()
	if last := got[len(got)-1]; last.Err() == nil || last.Err().Condition != "bad-request" {
		t.Error(show(got))
	}
	s.remote.take()
	bob.take()
	alice.sends(ask("set", "1", "", reg(`<remove/>`)))
	got = alice.take()
	answered := slices.ContainsFunc(got, func(st *stanza.Stanza) bool { return st.Type == "result" && st.ID == "1" })
	if !answered || alice.ended() != "not-authorized" || phone.ended() != "not-authorized" {
		t.Errorf("%s%s %s", show(got), alice.ended(), phone.ended())
	}
	alice.drop()
	phone.drop()
	s.removed(aliceBare)
	s.remote.getsSome(presenceOf("unavailable", alicePC, romeo), presenceOf("unsubscribed", aliceBare, romeo),
		presenceOf("unsubscribe", aliceBare, "to@remote.example"), presenceOf("unsubscribed", aliceBare, "asks@remote.example"))
	bob.getsSome(presenceOf("unavailable", alicePC, bobBare),
		presenceOf("unsubscribe", aliceBare, bobBare), push(`<item jid='alice@example.org' subscription='to'/>`),
		presenceOf("unsubscribed", aliceBare, bobBare), push(`<item jid='alice@example.org' subscription='none'/>`))
	// Whoever takes the name next has nothing of hers.
	answer := s.beforeLogin("192.0.2.1", parse(t, ask("set", "2", "", reg(`<username>alice</username><password>p</password>`))))
	if answer == nil || answer.Type != "result" {
		t.Fatal(answer)
	}
	alice = s.login(alicePC)
	alice.sends(get("3", ""), `<presence/>`, ask("get", "4", "", `<vCard xmlns='vcard-temp'/>`))
	alice.gets(`<iq type='result' id='3'><query xmlns='jabber:iq:roster'/></iq>`, presenceOf("", alicePC, aliceBare), `<iq type='result' id='4'><vCard xmlns='vcard-temp'/></iq>`)
}

// The name of a deleted account cannot be registered for a time: whoever got it would be taken for the person who had it. The
// answer is that of a name that is taken. The operator can create the account, which has nothing of the one before.
func TestDeletedNameIsNotRegistered(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	alice.sends(ask("set", "1", "", reg(`<remove/>`)))
	alice.drop()
	s.removed(aliceBare)
	register := parse(t, ask("set", "2", "", reg(`<username>Alice</username><password>p</password>`)))
	answer := s.beforeLogin("192.0.2.1", register)
	if answer.Err() == nil || answer.Err().Condition != "conflict" || answer.Err().Text != "this name is taken" {
		t.Error(answer)
	}
	if err := s.store.RegisterAccount(t.Context(), jid.MustParse(aliceBare), sasl.Credentials{}, nil); !errors.Is(err, store.ErrNameDeleted) {
		t.Error(err)
	}
	if err := s.store.CreateAccount(t.Context(), jid.MustParse(aliceBare), sasl.Credentials{}); err != nil {
		t.Error(err)
	}
}

// XEP-0077 §3.1
func TestMakeAccount(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.Registrations = 2 }, "alice")
	n := 0
	try := func(from, typ, to, inner string) string {
		t.Helper()
		n++
		answer := s.beforeLogin(from, parse(t, ask(typ, "r", to, inner)))
		if answer == nil {
			return "nothing"
		}
		if e := answer.Err(); e != nil {
			return e.Condition
		}
		return answer.Type
	}
	one := "2001:db8::1"
	for _, c := range []struct{ from, typ, to, inner, want string }{
		{one, "get", "", reg(""), "result"},
		{one, "get", "example.org", `<query xmlns='jabber:iq:roster'/>`, "not-authorized"},
		{one, "get", "remote.example", reg(""), "not-authorized"},
		{one, "set", "", reg(`<remove/>`), "unexpected-request"},
		{one, "set", "", reg(`<username>x</username>`), "not-acceptable"},
		{one, "set", "", reg(`<username>a b</username><password>p</password>`), "jid-malformed"},
		{one, "set", "", reg(`<username>ALICE</username><password>p</password>`), "conflict"},
		{one, "set", "", reg(`<username>carol</username><password>p` + strings.Repeat("x", 1024) + `</password>`), "not-acceptable"},
		{one, "set", "", reg(`<username>carol</username><password>p</password>`), "result"},
		{"2001:db8::2", "set", "", reg(`<username>Carol</username><password>p</password>`), "conflict"},
		{"2001:db8::2", "set", "", reg(`<username>dave</username><password>p</password>`), "result"},
		{"2001:db8::3", "set", "", reg(`<username>erin</username><password>p</password>`), "resource-constraint"},
		{"2001:db8:0:1::2", "set", "", reg(`<username>erin</username><password>p</password>`), "result"},
		{one, "result", "", reg(""), "nothing"},
	} {
		if got := try(c.from, c.typ, c.to, c.inner); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if !s.checks("carol@example.org", "p") {
		t.Error("the account's password")
	}
	closed := startWith(t, func(c *config.Config) { c.Server.Register, c.Accounts.Invitations = false, false })
	if slices.ContainsFunc(closed.host.Features(), func(f router.Feature) bool { return f.BeforeLogin != nil && f.BeforeLogin.Answer != nil }) {
		t.Error("something is offered before login")
	}
}
