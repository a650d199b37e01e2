package notification

import (
	"cmp"
	"slices"
	"strings"

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

// Bounds of the settings for clients of certain identities that are kept of a bookmark.
const (
	maxSpecific = 16
	maxIdentity = 64 // bytes of a category and of a type
)

// Identity is what a client is, by its answer to disco#info (XEP-0030 §3.1).
type Identity struct{ Category, Type string }

// Phone is the identity of a client that has not told its own: push services wake phones.
var Phone = Identity{"client", "phone"}

// ParseIdentity reads what String returns. It is Phone if there is none.
func ParseIdentity(text string) Identity {
	category, typ, ok := strings.Cut(text, "/")
	if !ok {
		return Phone
	}
	return Identity{category, typ}
}

// String returns category/type, or "" if they are too long to be kept.
func (i Identity) String() string {
	if i.Category == "" || len(i.Category) > maxIdentity || len(i.Type) > maxIdentity || strings.Contains(i.Category, "/") {
		return ""
	}
	return i.Category + "/" + i.Type
}

// Specific is a setting for clients of an identity, or of a category if the type is empty (XEP-0492 §2.2).
type Specific struct {
	Of      Identity
	Setting Setting
}

// Bookmark is what an account's bookmark of a room says.
type Bookmark struct {
	Nick     string
	Autojoin bool
	Setting  Setting // of clients for which there is none in Specific
	Specific []Specific
}

// ParseBookmark reads the payload of a bookmark; false if it is none.
func ParseBookmark(payload string) (Bookmark, bool) {
	e, err := stanza.ParseElement(payload, "")
	if err != nil || !e.Is(NSBookmarks, "conference") {
		return Bookmark{}, false
	}
	var b Bookmark
	b.read(e.Child(NSBookmarks, "extensions").Child(NSSettings, "notify"))
	if nick := e.ChildText(NSBookmarks, "nick"); len(nick) <= maxNick {
		b.Nick = nick
	}
	b.Autojoin, _ = form.ParseBool(e.Attr("autojoin"))
	return b, true
}

// read reads the settings. Of equally specific ones, which there must not be (XEP-0492 §3), the one that notifies least counts: it comes first.
func (b *Bookmark) read(notify *stanza.Element) {
	for _, s := range []Setting{Never, OnMention, Always} {
		for e := range notify.Named(NSSettings, string(s)) {
			of := Identity{strings.Clone(e.Attr("identity-category")), strings.Clone(e.Attr("identity-type"))}
			switch {
			case of == Identity{}:
				b.Setting = cmp.Or(b.Setting, s)
			case of.String() != "" && len(b.Specific) < maxSpecific:
				b.Specific = append(b.Specific, Specific{of, s})
			}
		}
	}
}

// For returns the setting that is the most specific one for a client (XEP-0492 §3), "" if there is none.
func (b *Bookmark) For(client Identity) Setting {
	for _, of := range []Identity{client, {Category: client.Category}} {
		if i := slices.IndexFunc(b.Specific, func(s Specific) bool { return s.Of == of }); i >= 0 {
			return b.Specific[i].Setting
		}
	}
	return b.Setting
}

// has reports whether a setting holds for some client; usual is the one that holds without any.
func (b *Bookmark) has(s, usual Setting) bool {
	return cmp.Or(b.Setting, usual) == s || slices.ContainsFunc(b.Specific, func(of Specific) bool { return of.Setting == s })
}

// Wanted says which clients of an account are to be notified of a message. The zero value is none.
type Wanted struct {
	bookmark  *Bookmark
	usual     Setting
	mentioned bool
}

// wanted decides about a message; mentioned reports whether it mentions the account, and is called only if that matters.
func (b *Bookmark) wanted(usual Setting, mentioned func() bool) Wanted {
	return Wanted{b, usual, b.has(OnMention, usual) && mentioned()}
}

// Some reports whether clients of any identity are to be notified.
func (w Wanted) Some() bool {
	return w.bookmark != nil && (w.bookmark.has(Always, w.usual) || w.mentioned && w.bookmark.has(OnMention, w.usual))
}

// By reports whether a client is to be notified.
func (w Wanted) By(client Identity) bool {
	if w.bookmark == nil {
		return false
	}
	switch cmp.Or(w.bookmark.For(client), w.usual) {
	case Always:
		return true
	case OnMention:
		return w.mentioned
	}
	return false
}
