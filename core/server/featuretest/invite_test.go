package featuretest

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// newcomer is a client that has not logged in.
type newcomer struct {
	s   *testServer
	who router.Unauthenticated
}

func (s *testServer) newcomer(from string) *newcomer {
	return &newcomer{s, router.Unauthenticated{Address: netip.MustParseAddr(from)}}
}

// asks sends an IQ and returns the condition of the answer, or its type.
func (c *newcomer) asks(typ, payload string) string {
	c.s.t.Helper()
	for _, f := range c.s.host.Features() {
		if f.BeforeLogin != nil && f.BeforeLogin.Answer != nil {
			answer := f.BeforeLogin.Answer(c.s.t.Context(), &c.who, parse(c.s.t, ask(typ, "r", "", payload)))
			if e := answer.Err(); e != nil {
				return e.Condition
			}
			return answer.Type
		}
	}
	c.s.t.Fatal("nothing is offered before login")
	return ""
}

func (c *newcomer) registers(name string) string {
	return c.asks("set", reg(`<username>`+name+`</username><password>p</password>`))
}

func preauth(token string) string { return `<preauth xmlns='urn:xmpp:pars:0' token='` + token + `'/>` }

const (
	nodeInvite = "urn:xmpp:invite#invite"
	nodeCreate = "urn:xmpp:invite#create-account"
)

// invites makes an invitation and returns its token.
func (c *client) invites(node string, fields values, uri string) string {
	c.t.Helper()
	st := c.runs(node, fields)
	got := strings.Join(field(st, "uri"), " ")
	before, after, _ := strings.Cut(uri, "TOKEN")
	token := strings.TrimSuffix(strings.TrimPrefix(got, before), after)
	if got != before+token+after || len(token) < 26 || strings.ContainsAny(token, "?;&=/") {
		c.t.Fatalf("%s, not %s", st, uri)
	}
	if end, err := time.Parse(time.RFC3339, strings.Join(field(st, "expire"), "")); err != nil || time.Until(end) > 7*24*time.Hour || time.Until(end) < 6*24*time.Hour {
		c.t.Errorf("it expires at %v (%v)", end, err)
	}
	return token
}

func byInvitation(c *config.Config) {
	c.Server.Register, c.Server.Admins = false, []string{"boss@example.org"}
}

// XEP-0401 §5.4, XEP-0445 §4: whoever has a token registers, though registration is not open; a token is good once.
func TestRegisterWithInvitation(t *testing.T) {
	t.Parallel()
	s := startWith(t, byInvitation, "alice", "boss")
	boss := s.online(bossPC)
	token := boss.invites(nodeCreate, values{"username": ""}, "xmpp:example.org?register;preauth=TOKEN")
	if got := field(boss.runs(nodeCreate, values{"username": ""}), "landing-url"); len(got) != 0 {
		t.Errorf("a landing page without a web server: %s", got)
	}
	c, other := s.newcomer("192.0.2.1"), s.newcomer("192.0.2.2")
	for _, step := range []struct {
		who             *newcomer
		typ, x, outcome string
	}{
		{c, "get", reg(""), "not-allowed"},
		{c, "set", reg(`<username>carol</username><password>p</password>`), "not-allowed"},
		{c, "set", preauth("made-up"), "item-not-found"},
		{c, "set", preauth(""), "bad-request"},
		{c, "get", preauth(token), "bad-request"},
		{c, "set", preauth(strings.ToLower(token)), "item-not-found"},
		{c, "set", preauth(token), "result"},
		{other, "set", preauth(token), "result"},
		{c, "get", reg(""), "result"},
		{c, "set", reg(`<username>alice</username><password>p</password>`), "conflict"},
		{c, "set", reg(`<username>boss</username><password>p</password>`), "conflict"},
		{c, "set", reg(`<username>admin</username><password>p</password>`), "conflict"}, // server.reserved
		{c, "set", reg(`<username>carol</username>`), "not-acceptable"},
		{c, "set", reg(`<username>carol</username><password>` + strings.Repeat("x", 1024) + `</password>`), "not-acceptable"},
		{c, "set", reg(`<username>carol</username><password>p</password>`), "result"},
		{c, "set", reg(`<username>dave</username><password>p</password>`), "not-allowed"},
		{other, "set", reg(`<username>dave</username><password>p</password>`), "not-allowed"},
		{other, "set", preauth(token), "item-not-found"},
	} {
		if got := step.who.asks(step.typ, step.x); got != step.outcome {
			t.Errorf("%s: %s, not %s", step.x, got, step.outcome)
		}
	}
	if !s.checks("carol@example.org", "p") {
		t.Error("carol's password")
	}
	alice := s.online(alicePC)
	if got := outcome(alice.runs(nodeCreate, nil)); got != "forbidden" {
		t.Errorf("a user invites to new accounts: %s", got)
	}
}

// XEP-0401 §6.2: a promised name is for the holder of the token alone, and the token for that name.
func TestInvitationWithName(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		byInvitation(c)
		c.Server.Register = true
		c.Accounts.Operators = []string{"help@example.org"}
	}, "alice", "boss", "help")
	boss, help := s.online(bossPC), s.online(helpPC)
	for name, want := range map[string]string{"alice": "conflict", "a b": "executing User name: cannot be one.", "x@y": "executing User name: cannot be one."} {
		if got := outcome(boss.runs(nodeCreate, values{"username": name})); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := outcome(help.runs(nodeCreate, values{"username": "admin"})); got != "forbidden" {
		t.Errorf("an operator invites to a reserved name: %s", got)
	}
	token := boss.invites(nodeCreate, values{"username": "Juliet", "roster-subscription": "1"}, "xmpp:juliet@example.org?register;preauth=TOKEN")
	if got := outcome(boss.runs(nodeCreate, values{"username": "juliet"})); got != "conflict" {
		t.Errorf("a promised name: %s", got)
	}
	if got := s.newcomer("192.0.2.1").registers("juliet"); got != "conflict" {
		t.Errorf("without the token: %s", got)
	}
	c := s.newcomer("192.0.2.2")
	for _, step := range [][2]string{
		{c.asks("set", preauth(token)), "result"}, {c.registers("romeo"), "not-acceptable"}, {c.registers("juliet"), "result"},
	} {
		if step[0] != step[1] {
			t.Errorf("%s, not %s", step[0], step[1])
		}
	}
	boss.gets(push(`<item jid='juliet@example.org' subscription='both' name='-'/>`)) // XEP-0401 §5.5
	juliet := s.login("juliet@example.org/x")
	juliet.sends(get("1", ""), `<presence/>`)
	if got := show(juliet.take()); !strings.Contains(got, "jid='boss@example.org'") || !strings.Contains(got, "subscription='both'") || !strings.Contains(got, "from='boss@example.org/pc'") {
		t.Errorf("juliet: %s", got)
	}
}

// XEP-0379: a request with a token of the account is accepted at once, both ways; any other token is as none.
func TestPreAuthenticatedSubscription(t *testing.T) {
	t.Parallel()
	s := startWith(t, byInvitation, "alice", "bob", "boss")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	token := alice.invites(nodeInvite, nil, "xmpp:alice@example.org?roster;preauth=TOKEN")
	of := bob.invites(nodeInvite, nil, "xmpp:bob@example.org?roster;preauth=TOKEN")
	request := func(from, token string) string {
		return strings.Replace(presenceOf("subscribe", from, aliceBare), "/>", ">"+preauth(token)+"</presence>", 1)
	}
	alice.take()
	for _, wrong := range []string{"made-up", of, ""} {
		s.remote.sends(request("eve@remote.example", wrong))
		if got := show(s.remote.take()); got != "" {
			t.Errorf("token %q: %s", wrong, got)
		}
	}
	if got := show(alice.take()); strings.Count(got, "type='subscribe'") != 1 || strings.Contains(got, "subscription='") {
		t.Errorf("alice: %s", got)
	}
	s.remote.sends(request(romeo, token))
	if got := show(s.remote.take()); !strings.Contains(got, "type='subscribed'") || !strings.Contains(got, "type='subscribe'") || !strings.Contains(got, "from='alice@example.org/pc'") {
		t.Errorf("romeo: %s", got)
	}
	if got := show(alice.take()); strings.Contains(got, "<presence type='subscribe'") || !strings.Contains(got, "subscription='from'") || !strings.Contains(got, "ask='subscribe'") {
		t.Errorf("alice: %s", got)
	}
	s.remote.sends(request("second@remote.example", token))
	if got := show(s.remote.take()); strings.Contains(got, "subscribed") {
		t.Errorf("the token is good once: %s", got)
	}
	// It is no invitation to an account, as alice may not invite to those.
	alice.take()
	token = alice.invites(nodeInvite, nil, "xmpp:alice@example.org?roster;preauth=TOKEN")
	if got := s.newcomer("192.0.2.1").asks("set", preauth(token)); got != "item-not-found" {
		t.Error(got)
	}
}

// The limit of good invitations is counted; they end with the account that made them.
func TestInvitationLimits(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		byInvitation(c)
		c.Accounts.UserInvitations, c.Limits.Invitations, c.Limits.RegistrationNames = true, 2, 3
	}, "alice", "boss")
	alice := s.online(alicePC)
	first := alice.invites(nodeInvite, nil, "xmpp:alice@example.org?roster;preauth=TOKEN;ibr=y")
	second := alice.invites(nodeCreate, values{"username": ""}, "xmpp:example.org?register;preauth=TOKEN")
	if got := outcome(alice.runs(nodeInvite, nil)); got != "resource-constraint" {
		t.Errorf("one too many: %s", got)
	}
	// One token, many at once: one account.
	var wg sync.WaitGroup
	var all [6]*newcomer
	for i := range all {
		all[i] = s.newcomer(fmt.Sprintf("198.51.%d.1", i))
		if got := all[i].asks("set", preauth(first)); got != "result" {
			t.Error(got)
		}
	}
	outcomes := make([]string, len(all))
	for i, c := range all {
		wg.Go(func() { outcomes[i] = c.registers(fmt.Sprint("u", i)) })
	}
	wg.Wait()
	if n := strings.Count(strings.Join(outcomes, " "), "result"); n != 1 {
		t.Errorf("%d accounts: %q", n, outcomes)
	}
	guesser := s.newcomer("192.0.2.1")
	for range 3 {
		guesser.asks("set", preauth("guess"))
	}
	if got := guesser.asks("set", preauth("guess")); got != "resource-constraint" {
		t.Errorf("many guesses: %s", got)
	}
	if err := s.store.RemoveAccount(t.Context(), jid.MustParse(aliceBare)); err != nil {
		t.Fatal(err)
	}
	if got := s.newcomer("203.0.113.1").asks("set", preauth(second)); got != "item-not-found" {
		t.Errorf("an invitation of a deleted account: %s", got)
	}
}

// XEP-0401 §5.1, §5.4: who invites gets the address of a landing page, for the same token.
func TestLandingURL(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		byInvitation(c)
		c.Web.URL = "https://example.org/"
	}, "alice", "boss")
	boss := s.online(bossPC)
	for node, path := range map[string]string{nodeInvite: "contact", nodeCreate: "account"} {
		var fields values
		if node == nodeCreate {
			fields = values{"username": ""}
		}
		st := boss.runs(node, fields)
		_, token, _ := strings.Cut(strings.Join(field(st, "uri"), ""), "preauth=")
		token, _, _ = strings.Cut(token, ";")
		if got := strings.Join(field(st, "landing-url"), " "); got != "https://example.org/invite/"+path+"/"+token {
			t.Errorf("%s: %s", node, got)
		}
	}
}
