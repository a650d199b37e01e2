package notification

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Setting says which messages of a room an account is notified of (XEP-0492 §2.1).
type Setting string

// The settings. The empty Setting is the default for the room.
const (
	Always    Setting = "always"
	OnMention Setting = "on-mention"
	Never     Setting = "never"
)

// Namespaces of bookmarks and of their settings.
const (
	NSBookmarks = "urn:xmpp:bookmarks:1"             // XEP-0402
	NSSettings  = "urn:xmpp:notification-settings:1" // XEP-0492
)

// maxNick is the longest nickname that is kept of a bookmark, in bytes: no room has longer ones (RFC 7622 §3.4).
const maxNick = 1023

// identity is what is woken by a push service: a client on a phone.
var identity = struct{ category, typ string }{"client", "phone"}

// Bookmark is what an account's bookmark of a room says.
type Bookmark struct {
	Nick     string
	Autojoin bool
	Setting  Setting
}

// ParseBookmark reads the payload of a bookmark; false if it is none.
func ParseBookmark(payload string) (Bookmark, bool) {
	e, err := stanza.ParseElement(payload, "")
	if err != nil || !e.Is(NSBookmarks, "conference") {
		return Bookmark{}, false
	}
	b := Bookmark{Setting: settingOf(e.Child(NSBookmarks, "extensions"))}
	if nick := e.ChildText(NSBookmarks, "nick"); len(nick) <= maxNick {
		b.Nick = nick
	}
	b.Autojoin, _ = form.ParseBool(e.Attr("autojoin"))
	return b, true
}

// settingOf returns the setting that is the most specific one for a client on a phone (XEP-0492 §3). Of equally specific ones, which there
// must not be, the one that notifies least counts.
func settingOf(extensions *stanza.Element) Setting {
	notify := extensions.Child(NSSettings, "notify")
	var found Setting
	best := 0
	for _, s := range []Setting{Never, OnMention, Always} {
		for e := range notify.Named(NSSettings, string(s)) {
			if n := specific(e); n > best {
				found, best = s, n
			}
		}
	}
	return found
}

// specific returns how specific an element is for a client on a phone; 0 if it is for others.
func specific(e *stanza.Element) int {
	category, typ := e.Attr("identity-category"), e.Attr("identity-type")
	switch {
	case category == identity.category && typ == identity.typ:
		return 3
	case category == identity.category && typ == "":
		return 2
	case category == "" && typ == "":
		return 1
	}
	return 0
}
