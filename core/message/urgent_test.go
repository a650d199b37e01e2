package message

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestUrgency(t *testing.T) {
	t.Parallel()
	me, bob := jid.MustParse("ann@a.test"), jid.MustParse("bob@b.test/x")
	st := func(kind stanza.Kind, typ, payload string) *stanza.Stanza {
		return &stanza.Stanza{Kind: kind, Type: typ, To: jid.MustParse("ann@a.test/x"), From: bob, Payload: payload}
	}
	const body = "<body>x</body>"
	copied := func(d Direction, inner string) *stanza.Stanza {
		return Carbon(st(stanza.Message, "chat", inner), d, jid.MustParse("ann@a.test/x"))
	}
	for name, c := range map[string]struct {
		st   *stanza.Stanza
		want Urgency
	}{
		"presence":               {st(stanza.Presence, "", ""), Replaces},
		"unavailable":            {st(stanza.Presence, "unavailable", "<status>x</status>"), Replaces},
		"subscription":           {st(stanza.Presence, "subscribe", ""), Now},
		"presence error":         {st(stanza.Presence, "error", ""), Now},
		"removed from a room":    {st(stanza.Presence, "unavailable", "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><status code='307'/></x>"), Now},
		"request":                {st(stanza.IQ, "get", "<q xmlns='x'/>"), Now},
		"text":                   {st(stanza.Message, "chat", body), Now},
		"text in a room":         {st(stanza.Message, "groupchat", body), Now},
		"text after other":       {st(stanza.Message, "chat", "<active xmlns='http://jabber.org/protocol/chatstates'/>"+body), Now},
		"subject":                {st(stanza.Message, "groupchat", "<subject>x</subject>"), Now},
		"encrypted":              {st(stanza.Message, "chat", "<encrypted xmlns='urn:xmpp:omemo:2'/><store xmlns='urn:xmpp:hints'/>"), Now},
		"retraction":             {st(stanza.Message, "chat", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"), Now},
		"reaction":               {st(stanza.Message, "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>"), Now},
		"invitation":             {st(stanza.Message, "", "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='c@c.test'/></x>"), Now},
		"direct invitation":      {st(stanza.Message, "", "<x xmlns='jabber:x:conference' jid='r@r.test'/>"), Now},
		"call":                   {st(stanza.Message, "chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>"), Now},
		"error":                  {st(stanza.Message, "error", ""), Now},
		"asks for a receipt":     {st(stanza.Message, "chat", "<request xmlns='urn:xmpp:receipts'/>"), Now},
		"chat state":             {st(stanza.Message, "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/><no-store xmlns='urn:xmpp:hints'/>"), Replaces},
		"receipt":                {st(stanza.Message, "chat", "<received xmlns='urn:xmpp:receipts' id='1'/>"), Later},
		"read marker":            {st(stanza.Message, "chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"), Later},
		"notification":           {st(stanza.Message, "headline", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>"), Later},
		"copy of received text":  {copied(Received, body), Now},
		"copy of own text":       {copied(Sent, body), Later},
		"copy of a state":        {copied(Received, "<paused xmlns='http://jabber.org/protocol/chatstates'/>"), Replaces},
		"forged copy of a state": {copied(Received, "<paused xmlns='http://jabber.org/protocol/chatstates'/>").WithFrom(bob), Now},
		"nothing":                {st(stanza.Message, "chat", ""), Later},
	} {
		if got := UrgencyOf(c.st); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
	state := st(stanza.Message, "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
	online, offline := st(stanza.Presence, "", ""), st(stanza.Presence, "unavailable", "")
	if !Same(offline, online) || !Same(state, state) || Same(state, online) || Same(online, online.WithFrom(me)) || Same(state, copied(Received, body)) {
		t.Error("compared wrongly")
	}
	if other := copied(Received, "<paused xmlns='http://jabber.org/protocol/chatstates'/>"); !Same(other, other) {
		t.Error("two copies of a state are different")
	}
}

// XEP-0280 §6.1, rule by rule, and what must never be copied (§9).
func TestCarbonRules(t *testing.T) {
	t.Parallel()
	const muc = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
	for name, c := range map[string]struct {
		typ, payload   string
		sent, received bool
	}{
		"chat":                         {"chat", "<body>x</body>", true, true},
		"chat without a body":          {"chat", "<x xmlns='urn:example:new'/>", true, true},
		"normal with a body":           {"normal", "<body>x</body>", true, true},
		"no type, with a body":         {"", "<body>x</body>", true, true},
		"normal without a body":        {"normal", "<x xmlns='urn:example:new'/>", false, false},
		"normal, receipt":              {"normal", "<received xmlns='urn:xmpp:receipts' id='1'/>", true, true},
		"normal, chat state":           {"normal", "<active xmlns='http://jabber.org/protocol/chatstates'/>", true, true},
		"normal, marker":               {"normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true, true},
		"groupchat":                    {"groupchat", "<body>x</body>", false, false},
		"headline":                     {"headline", "<body>x</body>", false, false},
		"error":                        {"error", "<body>x</body>", false, false}, // it is not known to which message it belongs
		"direct invitation":            {"normal", "<x xmlns='jabber:x:conference' jid='r@r.test'/>", true, true},
		"mediated invitation":          {"normal", "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='c@c.test'/></x>", true, true},
		"private message in a room":    {"chat", "<body>x</body>" + muc, true, false},
		"private":                      {"chat", "<body>x</body><private xmlns='urn:xmpp:carbons:2'/>", false, false},
		"no-copy":                      {"chat", "<body>x</body><no-copy xmlns='urn:xmpp:hints'/>", false, false},
		"private with another prefix":  {"chat", "<body>x</body><p:private xmlns:p='urn:xmpp:carbons:2'/>", false, false},
		"private of another namespace": {"chat", "<body>x</body><private xmlns='urn:example:new'/>", true, true},
		"copy of a copy":               {"chat", "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>", false, false},
		"archive result":               {"", "<result xmlns='urn:xmpp:mam:2'/>", false, false},
	} {
		st := &stanza.Stanza{Kind: stanza.Message, Type: c.typ, From: jid.MustParse("ann@a.test/x"), To: jid.MustParse("bob@b.test/x"), Payload: c.payload}
		if Copyable(st, Sent) != c.sent || Copyable(st, Received) != c.received {
			t.Errorf("%s: sent %v, received %v", name, Copyable(st, Sent), Copyable(st, Received))
		}
	}
	if st := (&stanza.Stanza{Kind: stanza.Message, Type: "chat", To: jid.MustParse("slack.a.test"), Payload: "<body>a token</body>"}); Copyable(st, Sent) {
		t.Error("an answer to a service is copied")
	}
}
