package occupants

import (
	"strconv"
	"strings"

	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxNumbered is the highest number that UniqueNick appends to a name.
const maxNumbered = 5000

// numbering is how many bytes a nick leaves for its number: " (12345)".
const numbering = 8

// CleanNick returns a nick made of a display name.
func (l *List) CleanNick(name string) string {
	return nicks.Clean(name, max(l.Limits.Nick-numbering, 1))
}

// UniqueNick appends a number to a name that another occupant than self has, or one that looks like it: "Ann", "Ann (2)", "Ann (3)".
func (l *List) UniqueNick(name string, self *Occupant) string {
	nick := l.CleanNick(name)
	if self != nil && nick == self.Nick || l.NickIsFree(nick, self) {
		return nick
	}
	if self != nil { // "Ann (2)" keeps the number while the name is "Ann"
		if rest, ok := strings.CutPrefix(self.Nick, nick+" ("); ok {
			if digits, ok := strings.CutSuffix(rest, ")"); ok {
				if n, err := strconv.Atoi(digits); err == nil && n >= 2 {
					return self.Nick
				}
			}
		}
	}
	for n := 2; n < maxNumbered; n++ {
		if try := nick + " (" + strconv.Itoa(n) + ")"; l.NickIsFree(try, self) {
			return try
		}
	}
	return l.CleanNick(stanza.NewID())
}

// NickIsFree reports whether no occupant other than self has a nick, or one that looks like it.
func (l *List) NickIsFree(nick string, self *Occupant) bool {
	o, alike := l.byNick[nick], l.byLook[nicks.Skeleton(nick)]
	return (o == nil || o == self) && (alike == nil || alike == self)
}

// CheckNick checks a nick that a session asks for.
func (l *List) CheckNick(resource string) (string, error) {
	nick := strings.TrimSpace(resource)
	if nick == "" { // XEP-0045 §7.2.1, §17.1
		return "", stanza.JIDMalformed("Choose a nickname to enter the room.")
	}
	if len(nick) > l.Limits.Nick {
		return "", stanza.NotAcceptable("This nickname is too long.")
	}
	if _, err := l.JID.WithResource(nick); err != nil {
		return "", stanza.JIDMalformed("This nickname cannot be used.")
	}
	return nick, nil
}
