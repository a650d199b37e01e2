package message

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	body   = "<body>hi</body>"
	typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
	origin = "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>"
	stamp  = "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"
	nick   = "<nick xmlns='http://jabber.org/protocol/nick'>Ann</nick>"
	store  = "<store xmlns='urn:xmpp:hints'/>"
	never  = "<no-store xmlns='urn:xmpp:hints'/>"
	notNow = "<no-permanent-store xmlns='urn:xmpp:hints'/>"
	noCopy = "<no-copy xmlns='urn:xmpp:hints'/>"
)

// What is done with each kind of message. The columns are archived, kept for an absent receiver, left
// out of a room's history, copied when received. Prosody 0.12 archives and copies the same, but for what says so.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, typ, payload string
		want               string // a, o, t, c
	}{
		{"text", "chat", body, "aoc"},
		{"text of type normal", "", body, "aoc"},
		{"text of another type", "no-such", body, "aoc"}, // RFC 6121 §5.2.2
		{"groupchat", "groupchat", body, ""},             // XEP-0160 §3, XEP-0280 §6.1, XEP-0313 §6.1.1
		{"headline", "headline", body, ""},
		{"error", "error", body + "<error type='cancel'/>", ""},
		{"chat state", "chat", typing, "tc"},                                      // XEP-0160 §3
		{"chat state with a thread", "chat", typing + "<thread>1</thread>", "tc"}, // XEP-0085 §5.7
		{"chat state with an id", "chat", typing + origin, "tc"},                  // XEP-0359: about the message itself
		{"chat state with a delay", "chat", stamp + typing, "tc"},                 // XEP-0203: the same
		{"chat state with a name", "chat", typing + nick, "tc"},                   // XEP-0172: the same
		{"chat state with text", "chat", typing + body, "aoc"},                    // XEP-0160 §3: only chat states alone
		{"nothing", "chat", "", "tc"},
		{"nothing of type normal", "", "", "t"},
		{"subject", "chat", "<subject>x</subject>", "aoc"},
		{"receipt", "chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", "aoc"},
		{"marker of type normal", "", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "aoc"},
		{"something unknown", "", "<x xmlns='urn:x'/>", "ao"},                     // of a younger extension, perhaps; Prosody: not archived
		{"not to be stored", "chat", body + never, "tc"},                          // XEP-0334 §4.2
		{"not to be stored for long", "chat", body + notNow, "otc"},               // XEP-0334 §4.1
		{"chat state to be stored", "chat", typing + store, "aoc"},                // XEP-0334 §4.4
		{"both hints", "chat", body + store + never, "tc"},                        // what loses nothing of somebody's privacy
		{"not to be copied", "chat", body + noCopy, "ao"},                         // XEP-0334 §4.3
		{"private", "chat", body + "<private xmlns='urn:xmpp:carbons:2'/>", "ao"}, // XEP-0280 §9
		{"hint by a prefix", "chat", body + "<h:no-store xmlns:h='urn:xmpp:hints'/>", "tc"},
		{"invitation", "", "<x xmlns='jabber:x:conference' jid='a@b'/>", "aoc"},
		{"room's invitation", "", "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>", "aoc"},
		{"declined invitation", "", "<x xmlns='http://jabber.org/protocol/muc#user'><decline from='a@b'/></x>", "aoc"}, // Prosody: not archived
		{"private message of a room", "chat", body + "<x xmlns='http://jabber.org/protocol/muc#user'/>", "ao"},         // XEP-0280 §6.1
		{"news of a room for who is in it", "", "<x xmlns='http://jabber.org/protocol/muc#user'><status code='101'/></x>", "t"},

		{"request for a receipt", "chat", body + "<request xmlns='urn:xmpp:receipts'/>", "aoc"},
		{"receipt of type normal", "", "<received xmlns='urn:xmpp:receipts' id='1'/>" + store, "aoc"},
		{"marker", "chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "aoc"},
		{"encrypted", "chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>", "aoc"}, // Prosody: with XEP-0380 alone
		{"encrypted, with XEP-0380", "", "<encrypted xmlns='urn:xmpp:omemo:2'/><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>" + store, "aoc"},
		{"encrypted, not to be stored", "chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>" + never, "tc"},
		{"correction", "chat", body + "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>", "aoc"},
		{"reaction", "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>x</reaction></reactions>" + store, "aoc"},
		{"reaction without a hint", "", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", "aoc"}, // Prosody: neither
		{"retraction", "", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>" + store, "aoc"},
		{"call", "chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", "aoc"},
		{"file", "", "<x xmlns='jabber:x:oob'><url>https://a/</url></x>", "aoc"},

		{"result of an archive", "", "<result xmlns='urn:xmpp:mam:2' queryid='1' id='2'><forwarded xmlns='urn:xmpp:forward:0'/></result>", "t"},
		{"result of an archive of type chat", "chat", "<result xmlns='urn:xmpp:mam:2' id='2'/>", "t"},
		{"end of a query of an old version", "", "<fin xmlns='urn:xmpp:mam:0'/>", "t"},
		{"carbon copy of somebody else", "chat", "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>", "t"}, // Prosody: copied
		{"forwarded message", "chat", "<forwarded xmlns='urn:xmpp:forward:0'/>", "aoc"},                                                          // Prosody: not archived
		{"news of a node", "headline", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", "t"},
		{"news of a node of type normal", "", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", "ot"},
		{"form", "", "<x xmlns='jabber:x:data' type='form'/>", "ot"},
		{"form with text", "chat", body + "<x xmlns='jabber:x:data' type='form'/>", "aoc"},
		{"bytes", "", "<data xmlns='http://jabber.org/protocol/ibb' sid='1' seq='0'>AA==</data>", "t"},
		{"attention", "headline", "<attention xmlns='urn:xmpp:attention:0'/>", "t"},
		{"hint alone", "chat", noCopy, "t"},
		{"news of a bounce", "error", "<received xmlns='urn:xmpp:receipts' id='1'/><error type='cancel'/>", ""}, // Prosody: archived, to a full JID
	} {
		st := &stanza.Stanza{Kind: stanza.Message, Type: c.typ, From: jid.MustParse("ann@example.org/x"), To: jid.MustParse("bob@example.org"), Payload: c.payload}
		got := ""
		for letter, does := range map[string]bool{"a": Archivable(st), "o": Offline(st), "t": Transient(st), "c": Copyable(st, Received)} {
			if does {
				got += letter
			}
		}
		for _, letter := range []string{"a", "o", "t", "c"} {
			if strings.Contains(got, letter) != strings.Contains(c.want, letter) {
				t.Errorf("%s: %s: %v", c.name, map[string]string{"a": "archived", "o": "kept for later", "t": "transient", "c": "copied"}[letter], strings.Contains(got, letter))
			}
		}
	}
}

func TestCopyableSent(t *testing.T) {
	t.Parallel()
	st := &stanza.Stanza{Kind: stanza.Message, Type: "chat", From: jid.MustParse("ann@example.org/x"), Payload: body + "<x xmlns='http://jabber.org/protocol/muc#user'/>"}
	if !Copyable(st, Sent) { // XEP-0280 §6.1: only what the room sends back comes to all sessions by itself
		t.Error("a private message to an occupant is not copied to the sender's sessions")
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	us, other := jid.MustParse("example.org"), jid.MustParse("other.example")
	at := time.Date(2020, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	st := (&stanza.Stanza{Kind: stanza.Message, Payload: body}).With(Delay(us, at), Delay(other, at))
	st = WithStanzaID(WithStanzaID(st, us, "1"), other, "2").With(OriginID("3"), NoCopy.Element())
	if !DelayedBy(st, us) || DelayedBy(st, jid.MustParse("third.example")) {
		t.Error("delays not found")
	}
	if !HasHint(st, NoCopy) || HasHint(st, NoStore) {
		t.Error("hints not found")
	}
	if got := OriginIDOf(st); got != "3" {
		t.Errorf("origin-id %q", got)
	}
	if got := OriginIDOf(&stanza.Stanza{Payload: body}); got != "" {
		t.Errorf("origin-id %q", got)
	}
	rest := WithoutStanzaID(WithoutForgedDelay(st, us, us), us)
	theirs := stanza.NewElement("urn:xmpp:sid:0", "stanza-id").With("by", other.String()).With("id", "2")
	want := body + stanza.Encode(Delay(other, at), theirs, OriginID("3"), NoCopy.Element())
	if rest.Payload != want {
		t.Errorf("left %s, want %s", rest.Payload, want)
	}
	if plain := (&stanza.Stanza{Payload: body}); WithoutForgedDelay(plain, us, us) != plain || WithoutStanzaID(plain, us) != plain {
		t.Error("copied for nothing")
	}
	if got := Stamp(at); got != "2020-01-02T03:04:05.006Z" {
		t.Errorf("stamp %s", got)
	}
}

func TestPolicyDoesNotAllocate(t *testing.T) {
	st := &stanza.Stanza{Kind: stanza.Message, Type: "chat", From: jid.MustParse("ann@example.org/x"), Payload: body + origin}
	us := jid.MustParse("example.org")
	if n := testing.AllocsPerRun(100, func() {
		if !Archivable(st) || !Offline(st) || Transient(st) || DelayedBy(st, us) || WithoutForgedDelay(st, us, us) != st {
			t.Error("judged wrongly")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestForgedDelays(t *testing.T) {
	t.Parallel()
	host, account := jid.MustParse("example.org"), jid.MustParse("ann@example.org")
	delay := func(from string) string {
		return "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z' from='" + from + "'/>"
	}
	old := func(from string) string {
		return "<x xmlns='jabber:x:delay' stamp='20200101T00:00:00' from='" + from + "'/>"
	}
	kept := "<body>x</body>" + delay("other.example") + old("bob@other.example/1") + "<x xmlns='jabber:x:delay' stamp='20200101T00:00:00'/><x xmlns='jabber:x:data'/>"
	for _, from := range []string{"example.org", "Example.ORG", "example.org/x", "ann@example.org", "ANN@example.org/1"} {
		for _, forged := range []string{delay(from), old(from)} {
			st := &stanza.Stanza{Kind: stanza.Message, From: jid.MustParse("eve@other.example/1"), Payload: forged + kept + forged}
			if got := WithoutForgedDelay(st, host, account); got.Payload != kept {
				t.Errorf("%s: %s", forged, got.Payload)
			}
			own := st.WithFrom(jid.MustParse("ann@example.org/2"))
			if got := WithoutForgedDelay(own, host, account); (got == own) != (from[0]|0x20 == 'a') {
				t.Errorf("%s of a session of the account: %s", forged, got.Payload)
			}
		}
	}
}
