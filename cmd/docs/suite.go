package main

import (
	"fmt"
	"strings"
)

// provision is a row of the compliance suites (XEP-0479 §2).
type provision struct {
	feature   string
	level     string // from which on servers must have it
	providers string // specifications, with commas between
	state     string
	note      string
	proofs    []proof
}

// Levels.
const (
	basic    = "server"
	advanced = "advanced"
	clients  = "–" // not for servers: it has only to pass
)

// States of a provision.
const (
	done   = "yes"
	partly = "in part"
	later  = "not yet"
	passes = "passes"
)

// category is one of the suites.
type category struct {
	name string
	rows []provision
}

// suite is every row of XEP-0479 0.1.0, the compliance suites of 2023, which are the newest.
func suite() []category {
	return []category{
		{"Core", []provision{
			{"Core features", basic, "RFC 6120", done, "", []proof{"scenario/login", "scenario/conflict", "scenario/iq", "integration/checklist TestTable", "integration TestFederation"}},
			{"TLS", basic, "RFC 7590", done, "", []proof{"core/c2s TestStartTLS", "core/c2s TestOldTLSRefused", "integration/checklist TestTLSVersions", "core/s2s TestLinks", "core/s2s/certificate TestPaths"}},
			{"Direct TLS", advanced, "XEP-0368", done, "", []proof{"core/c2s TestDirectTLS", "integration/checklist TestDirectTLS", "core/s2s/locate TestDial"}},
			{"Feature discovery", basic, "XEP-0030", done, "", []proof{"scenario/disco"}},
			{"Feature broadcasts", advanced, "XEP-0115", done, "", []proof{"scenario/pep-notify", "scenario/pep-notify-hashes", "core/disco TestCaps"}},
			{"Server extensibility", basic, "XEP-0114", done, "", []proof{"scenario/component", "scenario/component-forged"}},
			{"Event publishing", advanced, "XEP-0163", done, "", []proof{"scenario/pep", "scenario/pep-nodes", "scenario/pep-access", "scenario/pep-notify"}},
		}},
		{"Web", []provision{
			{"Web connection mechanisms", basic, "RFC 7395, XEP-0206", done, "", []proof{"core/server TestWebSocket", "core/server TestBOSH", "core/bosh TestRequestsInOrder"}},
			{"Connection mechanism discovery", clients, "XEP-0156", done, "", []proof{"core/web/hostmeta TestDocuments"}},
		}},
		{"IM", []provision{
			{"Core features", basic, "RFC 6121", done, "", []proof{"scenario/roster", "scenario/subscription", "scenario/presence", "scenario/message", "scenario/offline", "integration TestFederation"}},
			{"The /me command", clients, "XEP-0245", passes, "", []proof{"scenario/client-features"}},
			{"User avatars", clients, "XEP-0084", done, "Kept as a node of the account.", []proof{"scenario/avatar"}},
			{"User avatar compatibility", advanced, "XEP-0398, XEP-0153", done, "", []proof{"scenario/avatar", "core/server/featuretest TestAvatar"}},
			{"vcard-temp", basic, "XEP-0054", done, "", []proof{"scenario/vcard"}},
			{"Outbound message synchronisation", basic, "XEP-0280", done, "", []proof{"scenario/carbons", "scenario/carbons-forged"}},
			{"User blocking", advanced, "XEP-0191", done, "", []proof{"scenario/blocking"}},
			{"Group chat", basic, "XEP-0045, XEP-0249", done, "Rooms of the server, and the channels of networks.", []proof{"scenario/rooms-7.2-enter", "scenario/rooms-7.4-messages", "scenario/rooms-7.8-invitations", "scenario/rooms-10.1-create", "integration TestProfanityRooms", "integration TestDino", "integration TestForeignClients", "scenario/client-features"}},
			{"Advanced group chat", advanced, "XEP-0048, XEP-0313, XEP-0402, XEP-0410", done, "", []proof{"scenario/bookmarks", "scenario/rooms-17.4-iq", "scenario/room-archive", "core/room TestSelfPing", "core/archive TestRoomArchive"}},
			{"Persistent storage of private data via pubsub", advanced, "XEP-0223", done, "", []proof{"scenario/bookmarks", "core/server/featuretest TestPrivateNodes"}},
			{"Private XML storage", advanced, "XEP-0049", done, "", []proof{"scenario/private"}},
			{"Stream management", advanced, "XEP-0198", done, "", []proof{"scenario/resume", "scenario/resume-restart", "integration TestKillResumption"}},
			{"Message acknowledgements", clients, "XEP-0184", passes, "", []proof{"scenario/client-features"}},
			{"History storage and retrieval", advanced, "XEP-0313", done, "", []proof{"scenario/archive", "scenario/archive-ids", "scenario/archive-search"}},
			{"Chat states", clients, "XEP-0085", passes, "", []proof{"scenario/client-features"}},
			{"Message correction", clients, "XEP-0308", passes, "", []proof{"scenario/client-features"}},
			{"File upload", basic, "XEP-0363", done, "", []proof{"scenario/upload", "integration TestSlixmppUploads"}},
			{"Direct file transfer", clients, "XEP-0234, XEP-0261", passes, "", []proof{"scenario/file-transfer"}},
		}},
		{"Mobile", []provision{
			{"Stream management", basic, "XEP-0198", done, "", []proof{"scenario/resume", "scenario/resume-restart", "integration TestSlixmppResumes", "integration TestXMPPJS"}},
			{"Client state indication", basic, "XEP-0352", done, "", []proof{"scenario/inactive", "core/c2s TestInactiveResumed"}},
			{"Third party push notifications", advanced, "XEP-0357", done, "What Monal, Siskin and Conversations send was taken from their source; Dino 0.4 and Gajim 1.7 have no push.", []proof{"scenario/push", "scenario/push-room", "scenario/push-monal", "scenario/push-siskin", "core/server/featuretest TestPush"}},
		}},
		{"A/V calling", []provision{
			{"Call setup", clients, "XEP-0167, XEP-0353", passes, "", []proof{"scenario/calls"}},
			{"Transport", clients, "XEP-0176", passes, "", []proof{"scenario/calls"}},
			{"Encryption", clients, "XEP-0320", passes, "", []proof{"scenario/calls"}},
			{"STUN/TURN server discovery", basic, "XEP-0215", done, "", []proof{"scenario/external-services", "core/features/extdisco TestServices"}},
			{"Quality and performance improvements", clients, "XEP-0293, XEP-0294, XEP-0338, XEP-0339", passes, "", []proof{"scenario/calls"}},
		}},
	}
}

const suiteHead = `
## Compliance suites

What XEP-0479 (XMPP Compliance Suites 2023) asks of servers, row by row. Rows without a level are for clients: the server has only to let
them pass. A test fails when a scenario or a test that is named here does not exist.

| suite | feature | level | specifications | Dragoman | shown by |
| --- | --- | --- | --- | --- | --- |
`

// suiteTable returns the section with the compliance suites.
func suiteTable() string {
	var b strings.Builder
	b.WriteString(suiteHead)
	for _, c := range suite() {
		for _, r := range c.rows {
			state := r.state
			if r.note != "" {
				state += ": " + r.note
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.name, r.feature, r.level, r.providers, state, links(r.proofs))
		}
	}
	return b.String()
}
