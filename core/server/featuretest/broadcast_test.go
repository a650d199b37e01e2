package featuretest

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A stage that says that it skips a stanza for everybody does nothing with it, and one that says that it shares messages needs no receiver:
// a room's messages reach its occupants without them.
func TestStagesSkipWhatTheyIgnore(t *testing.T) {
	t.Parallel()
	s := start(t, "ann")
	s.online("ann@example.org/x")
	at, err := s.host.Acquire(t.Context(), jid.MustParse("ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	session := at.Account.Session(jid.MustParse("ann@example.org/x"))
	if session == nil {
		t.Fatal("no session")
	}
	skipped := 0
	for _, kind := range []stanza.Kind{stanza.Message, stanza.Presence} {
		for _, typ := range []string{"", "chat", "groupchat", "headline", "error", "unavailable", "subscribe"} {
			for _, from := range []string{"room@conference.example.org/n", "bob@example.org/y", "eve@elsewhere.example/z"} {
				for _, payload := range broadcastPayloads {
					st := &stanza.Stanza{Kind: kind, Type: typ, From: jid.MustParse(from), ID: "1", Payload: payload}
					for _, f := range s.host.Features() {
						for i := range f.Stages {
							skipped += checkSkip(t, &f.Stages[i], router.Pass{Host: s.host, Account: at.Account, Targets: []*router.Bound{session}}, st)
						}
					}
				}
			}
		}
	}
	if skipped < 1000 {
		t.Errorf("only %d were skipped", skipped)
	}
}

// An ordinary message of a room is copied for no occupant: each stage skips it or does without the receiver.
func TestRoomMessagesAreShared(t *testing.T) {
	t.Parallel()
	s := start(t, "ann")
	st := &stanza.Stanza{
		Kind: stanza.Message, Type: stanza.TypeGroupchat, From: jid.MustParse("room@conference.example.org/n"), ID: "1",
		Payload: "<body>hello</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/><stanza-id xmlns='urn:xmpp:sid:0' by='room@conference.example.org' id='1'/>",
	}
	for _, f := range s.host.Features() {
		for i := range f.Stages {
			if g := &f.Stages[i]; g.Inbound != nil && !g.Shared && (g.Skip == nil || !g.Skip(st)) {
				t.Errorf("stage %s of %s needs a copy for each occupant", g.Name, f.Name)
			}
		}
	}
}

var broadcastPayloads = []string{
	"", "<body>hello</body>",
	"<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='room@conference.example.org' id='1'/>",
	"<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='ann@example.org' id='1'/>",
	"<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='ANN@example.org' id='1'/>",
	"<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='&#97;nn@example.org' id='1'/>",
	"<body>x</body><delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-01-01T00:00:00Z'/>",
	"<body>x</body><x xmlns='jabber:x:delay' from='ann@example.org' stamp='20260101T00:00:00'/>",
	"<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bob@example.org'/></x>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub' node='n'><affiliation affiliation='none' jid='ann@example.org'/></pubsub>",
	"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field></x>",
	"<preauth xmlns='urn:xmpp:pars:0' token='t'/>",
}

// checkSkip passes a stanza to a stage that skips it, and returns whether it did.
func checkSkip(t *testing.T, stage *router.Stage, p router.Pass, st *stanza.Stanza) int {
	t.Helper()
	if stage.Inbound == nil || stage.Skip == nil || !stage.Skip(st) {
		return 0
	}
	p.Stanza = st.WithTo(p.Targets[0].JID())
	before := p.Stanza
	if err := stage.Inbound(t.Context(), &p); err != nil || p.Stanza != before || len(p.Targets) != 1 {
		t.Errorf("%s skips what it handles: %v, %s became %s", stage.Name, err, before, p.Stanza)
	}
	return 1
}
