package checklist

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// kinds are the types of messages, in the order of the columns below.
var kinds = []string{"normal", "chat", "groupchat", "headline", "error"}

// messageCase is an account with its sessions, and another account that writes to it.
type messageCase struct {
	testServer *testServer
	alice      *rawClient
	bob        string // account
	takes      []*rawClient
	others     []*rawClient // there, and not to get what is for the bare address
	renewed    int
}

// check sends one message of each type to an address and compares the result with row, a letter for each
// type: E it comes back with service-unavailable, S nothing happens, O it becomes an offline message, D it is
// delivered to the session named, A to all sessions that take messages. Where RFC 6121 §8.5.4 leaves a choice,
// the rows below have ours.
func (s *messageCase) check(t *testing.T, to, row string, named *rawClient) {
	t.Helper()
	for i, kind := range kinds {
		s.renewed++
		body := fmt.Sprintf("%s %d", kind, s.renewed)
		inside := "<body>" + body + "</body>"
		if kind == "error" {
			inside += "<error type='cancel'><gone xmlns='" + nsStanzas + "'/></error>"
		}
		s.alice.send("<message to='" + to + "' type='" + kind + "' id='m'>" + inside + "</message>")
		back := only(s.alice.settle(), "message")
		quiet(s.alice)
		var got []*rawClient
		for _, w := range append(slices.Clone(s.takes), s.others...) {
			for _, e := range only(w.settle(), "message") {
				if e.ChildText("body") == body {
					got = append(got, w)
				}
			}
		}
		happened := byte('?')
		switch {
		case len(back) == 1 && condition(back[0]) == "service-unavailable" && len(got) == 0:
			happened = 'E'
		case len(back) > 0:
		case named != nil && slices.Equal(got, []*rawClient{named}):
			happened = 'D'
		case len(got) > 0 && slices.Equal(got, s.takes):
			happened = 'A'
		case len(got) == 0:
			happened = 'S'
			if s.wasKept(t, body) {
				happened = 'O'
			}
		}
		if happened != row[i] {
			t.Errorf("%s to %s: %c, want %c (back %d, %d got it)", kind, to, happened, row[i], len(back), len(got))
		}
	}
}

// wasKept reports whether a message is delivered when the account logs in.
func (s *messageCase) wasKept(t *testing.T, body string) bool {
	t.Helper()
	if len(s.takes) > 0 || s.bob == "nobody" {
		return false
	}
	w := s.testServer.session(t, s.bob, "")
	w.send("<presence/>")
	kept := slices.Contains(bodies(w.settle()), body)
	w.send(theEnd)
	for {
		if _, err := w.next(); err != nil {
			return kept
		}
	}
}

func (s *messageCase) bare() string { return s.bob + "@" + servedHost }

func newMessageCase(t *testing.T) *messageCase {
	h := sharedServer(t)
	return &messageCase{testServer: h, alice: h.session(t, newAccount(t), ""), bob: newAccount(t)}
}

// with adds a session of Bob's with a priority; "" is one that is not available.
func (s *messageCase) with(t *testing.T, resource, priority string) *rawClient {
	t.Helper()
	w := s.testServer.session(t, s.bob, resource)
	switch {
	case priority == "":
		s.others = append(s.others, w)
		return w
	case strings.HasPrefix(priority, "-"):
		s.others = append(s.others, w)
	default:
		s.takes = append(s.takes, w)
	}
	w.send("<presence><priority>" + priority + "</priority></presence>")
	quiet(w)
	quiet(append(slices.Clone(s.takes), s.others...)...)
	return w
}

func TestNoAccountBare(t *testing.T) { // checklist 54
	s := newMessageCase(t)
	s.bob = "nobody"
	s.check(t, s.bare(), "EEEES", nil) // senders of this server see a typo
}

func TestNoAccountFull(t *testing.T) { // checklist 55
	s := newMessageCase(t)
	s.bob = "nobody"
	s.check(t, s.bare()+"/r", "EEEES", nil)
}

func TestAwayBare(t *testing.T) { // checklist 56
	s := newMessageCase(t)
	s.check(t, s.bare(), "OOESS", nil)
	s.with(t, "silent", "") // connected, but not available, is away too
	s.check(t, s.bare(), "OOESS", nil)
}

func TestAwayFull(t *testing.T) { // checklist 57
	s := newMessageCase(t)
	s.check(t, s.bare()+"/gone", "EOESS", nil)
}

func TestNegativeOnly(t *testing.T) { // checklist 58
	s := newMessageCase(t)
	bot := s.with(t, "bot", "-1")
	s.check(t, s.bare(), "OOESS", nil)
	s.check(t, bot.jid, "DDDDD", bot)
	s.check(t, s.bare()+"/gone", "EOESS", nil)
}

func TestOneSession(t *testing.T) { // checklist 59
	s := newMessageCase(t)
	desk := s.with(t, "desk", "0")
	s.with(t, "bot", "-5")
	s.check(t, s.bare(), "AAEAS", nil)
	s.check(t, desk.jid, "DDDDD", desk)
	s.check(t, s.bare()+"/gone", "EAESS", nil)
}

func TestManySessions(t *testing.T) { // checklist 60
	s := newMessageCase(t)
	desk := s.with(t, "desk", "5")
	phone := s.with(t, "phone", "0")
	bot := s.with(t, "bot", "-1")
	s.check(t, s.bare(), "AAEAS", nil)
	for _, w := range []*rawClient{desk, phone, bot} {
		s.check(t, w.jid, "DDDDD", w)
	}
	s.check(t, s.bare()+"/gone", "EAESS", nil)
}

func TestErrorsToMissingAccounts(t *testing.T) { // checklist 61
	s := newMessageCase(t)
	s.with(t, "desk", "1")
	for _, to := range []string{s.bare(), s.bare() + "/gone", "nobody@" + servedHost, "nobody@" + servedHost + "/r", servedHost, servedHost + "/r", "a@unknown.example"} {
		s.alice.send("<message to='" + to + "' type='error' id='e'><body>x</body><error type='cancel'><gone xmlns='" + nsStanzas + "'/></error></message>" +
			"<message to='" + to + "' type='error'/>")
		s.alice.nothing()
		s.takes[0].nothing()
	}
}

func TestTypesAndSessions(t *testing.T) { // checklist 62
	s := newMessageCase(t)
	desk, bot, silent := s.with(t, "desk", "0"), s.with(t, "bot", "-1"), s.with(t, "silent", "")
	for _, typ := range []string{"", " type='normal'", " type='wedding'", " type='CHAT'"} {
		s.alice.send("<message to='" + s.bare() + "'" + typ + " id='m'><body>x</body></message>")
		if e := desk.element(); e.ChildText("body") != "x" {
			t.Errorf("%s: %s", typ, e)
		}
		quiet(s.alice)
		bot.nothing()
		silent.nothing()
	}
	s.alice.send("<presence to='" + s.bare() + "'/>")
	quiet(s.alice)
	silent.nothing()
	for _, w := range []*rawClient{bot, silent} { // by their own address they are reached
		s.alice.send("<message to='" + w.jid + "' type='chat'><body>you</body></message>")
		quiet(s.alice)
		if got := bodies(w.settle()); !slices.Equal(got, []string{"you"}) {
			t.Errorf("%s got %q", w.jid, got)
		}
	}
	desk.send("<presence type='unavailable'/>")
	quiet(desk, bot)
	s.alice.send("<message to='" + desk.jid + "' type='chat'><body>still there</body></message>")
	quiet(s.alice)
	if got := bodies(desk.settle()); !slices.Equal(got, []string{"still there"}) {
		t.Errorf("a session that has become unavailable got %q", got)
	}
}

func TestMessageToSelf(t *testing.T) { // checklist 63
	s := newMessageCase(t)
	desk, phone := s.with(t, "desk", "0"), s.with(t, "phone", "0")
	bot := s.with(t, "bot", "-1")
	bot.send("<message type='chat' id='m'><body>to me</body></message>")
	for _, w := range []*rawClient{desk, phone} {
		if e := w.element(); e.Attr("from") != bot.jid || e.ChildText("body") != "to me" || e.Attr("to") != "" && e.Attr("to") != s.bare() {
			t.Error(e)
		}
	}
	bot.nothing()
}

func TestOfflineMessages(t *testing.T) { // checklist 64
	s := newMessageCase(t)
	to := "<message to='" + s.bare() + "' "
	s.alice.send(to + "type='chat'><body>one</body></message>" +
		to + "><subject>two</subject><body>two</body><x xmlns='urn:example:x' xmlns:p='urn:p' p:a='1'/></message>" +
		to + "type='chat'><body>hidden</body><no-store xmlns='urn:xmpp:hints'/></message>" +
		to + "type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>" +
		to + "type='headline'><body>news</body></message>" +
		to + "type='groupchat'><body>group</body></message>" +
		to + "type='error'><body>error</body><error type='cancel'/></message>" +
		to + "type='chat'><body>three</body></message>")
	quiet(s.alice)
	negative := s.testServer.session(t, s.bob, "bot")
	negative.send("<presence><priority>-1</priority></presence>")
	if got := only(negative.settle(), "message"); len(got) > 0 {
		t.Errorf("with negative priority: %v", got)
	}
	w := s.testServer.session(t, s.bob, "")
	w.send("<iq type='get' id='r'><query xmlns='" + nsRoster + "'/></iq>")
	if got := only(w.settle(), "message"); len(got) > 0 {
		t.Errorf("before presence: %v", got)
	}
	w.send("<presence/>")
	got := only(w.settle(), "message")
	if !slices.Equal(bodies(got), []string{"one", "two", "three"}) {
		t.Fatalf("kept: %q", bodies(got))
	}
	for _, e := range got {
		delay := e.Child("urn:xmpp:delay", "delay")
		if delay == nil || delay.Attr("from") != servedHost || !strings.HasSuffix(delay.Attr("stamp"), "Z") || e.Attr("from") != s.alice.jid {
			t.Errorf("kept: %s", e)
		}
	}
	if x := got[1].Child("urn:example:x", "x"); x == nil || len(x.Attrs) != 1 {
		t.Errorf("kept: %s", got[1])
	}
	again := s.testServer.available(t, s.bob, "")
	if got := only(again.settle(), "message"); len(got) > 0 {
		t.Errorf("twice: %v", got)
	}
}
