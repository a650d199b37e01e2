package pep

import "github.com/dragoman-im/dragoman/core/spec"

// plain returns the extensions that are nodes and notifications like any others to a server: moods (XEP-0107), activities
// (XEP-0108), tunes (XEP-0118), locations (XEP-0080), the keys of OMEMO (XEP-0384) and of OpenPGP (XEP-0373, XEP-0374), stickers
// (XEP-0449), feeds (XEP-0277, XEP-0472), what was read elsewhere (XEP-0490), and pinned bookmarks (XEP-0469).
func plain() []spec.Spec {
	list := []spec.Spec{
		{Number: "0080", Title: "User Location", Version: "1.10.0"},
		{Number: "0107", Title: "User Mood", Version: "1.2.2"},
		{Number: "0108", Title: "User Activity", Version: "1.3"},
		{Number: "0118", Title: "User Tune", Version: "1.3.0"},
		{Number: "0277", Title: "Microblogging over XMPP", Version: "0.6.5"},
		{Number: "0373", Title: "OpenPGP for XMPP", Version: "0.7.0"},
		{Number: "0374", Title: "OpenPGP for XMPP Instant Messaging", Version: "0.2.0"},
		{Number: "0384", Title: "OMEMO Encryption", Version: "0.9.1"},
		{Number: "0449", Title: "Stickers", Version: "0.2.0"},
		{Number: "0469", Title: "Bookmark Pinning", Version: "0.1.0"},
		{Number: "0472", Title: "Pubsub Social Feed", Version: "0.2.1"},
		{Number: "0490", Title: "Message Displayed Synchronization", Version: "1.0.1"},
	}
	for i := range list {
		list[i].State, list[i].Note = spec.Complete, "Server: its part, the nodes of accounts."
	}
	return list
}
