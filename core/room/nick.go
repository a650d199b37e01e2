package room

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/skeleton"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxNumbered is the highest number that uniqueNick appends to a name.
const maxNumbered = 5000

// Nick converts any display name to a nick of at most limit bytes: a resourcepart that is neither empty nor invisible
// (XEP-0045 §17.1). What the profile of resourceparts does not allow, such as the character that makes an emoji of a
// sign, is left out, and the rest is kept (RFC 7622 §3.4).
func Nick(name string, limit int) string {
	var b strings.Builder
	space := false
	for _, c := range name {
		switch {
		case unicode.IsSpace(c):
			space = b.Len() > 0
			continue
		case c == utf8.RuneError || !unicode.IsPrint(c) || unicode.Is(unicode.Variation_Selector, c):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
		if b.Len() >= 4*limit {
			break
		}
	}
	nick := truncate(b.String(), limit)
	if r, ok := resourcepart(nick); ok {
		return r
	}
	kept := ""
	for _, c := range nick {
		if _, ok := resourcepart(kept + string(c)); ok {
			kept += string(c)
		}
	}
	if r, ok := resourcepart(strings.TrimSpace(kept)); ok {
		return r
	}
	return "unknown"
}

// anyRoom is a room's address, for checks of nicks.
var anyRoom = jid.MustParse("room@example.org")

// resourcepart is a nick in its normal form (RFC 8265 §4.2); ok is false for one that is not allowed.
func resourcepart(nick string) (normal string, ok bool) {
	j, err := anyRoom.WithResource(nick)
	return j.Resource(), err == nil && j.Resource() != ""
}

// numbering is how many bytes a nick leaves for its number: " (12345)".
const numbering = 8

func (r *Room) cleanNick(name string) string { return Nick(name, max(r.limits.Nick-numbering, 1)) }

// truncate shortens s to at most n bytes, at the boundary of a rune.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// uniqueNick appends a number to a name that another occupant than self has, or one that looks like it: "Ann", "Ann (2)", "Ann (3)".
func (r *Room) uniqueNick(name string, self *occupant) string {
	nick := r.cleanNick(name)
	if self != nil && nick == self.nick || r.nickIsFree(nick, self) {
		return nick
	}
	if self != nil { // "Ann (2)" keeps the number while the name is "Ann"
		if rest, ok := strings.CutPrefix(self.nick, nick+" ("); ok {
			if digits, ok := strings.CutSuffix(rest, ")"); ok {
				if n, err := strconv.Atoi(digits); err == nil && n >= 2 {
					return self.nick
				}
			}
		}
	}
	for n := 2; n < maxNumbered; n++ {
		if try := nick + " (" + strconv.Itoa(n) + ")"; r.nickIsFree(try, self) {
			return try
		}
	}
	return r.cleanNick(stanza.NewID())
}

// nickIsFree reports whether no occupant other than self has a nick, or one that looks like it.
func (r *Room) nickIsFree(nick string, self *occupant) bool {
	o, alike := r.byNick[nick], r.byLook[skeleton.Of(nick)]
	return (o == nil || o == self) && (alike == nil || alike == self)
}

// checkNick checks a nick that a session asks for.
func (r *Room) checkNick(resource string) (string, error) {
	nick := strings.TrimSpace(resource)
	if nick == "" { // XEP-0045 §7.2.1, §17.1
		return "", stanza.JIDMalformed("Choose a nickname to enter the room.")
	}
	if len(nick) > r.limits.Nick {
		return "", stanza.NotAcceptable("This nickname is too long.")
	}
	if _, err := r.jid.WithResource(nick); err != nil {
		return "", stanza.JIDMalformed("This nickname cannot be used.")
	}
	return nick, nil
}

// changeNick handles presence of a session to another nick than its current one (XEP-0045 §7.6).
func (r *Room) changeNick(ctx context.Context, s *session, st *stanza.Stanza) error {
	nick, err := r.checkNick(st.To.Resource())
	if err != nil {
		return err
	}
	o := s.o
	if nick == o.nick {
		return r.changePresence(ctx, s, st)
	}
	if !r.nickIsFree(nick, o) || r.reservedFor(nick, s.jid.Bare()) {
		return stanza.Conflict("This nickname is taken.") // XEP-0045 §7.6
	}
	if o.role == RoleVisitor && r.config.Moderated {
		return stanza.Forbidden("Visitors keep their nickname in this room.") // XEP-0045 §5.1.1
	}
	done, err := r.askOwner(ctx, Action{Kind: ActionNick, By: o.view(), Session: s.jid, Value: nick})
	if err != nil || !done || r.bySession[s.jid] != s || !r.nickIsFree(nick, o) {
		return err
	}
	r.keepPresence(s, st)
	s.asked = nick
	r.changeNickTo(ctx, o, nick)
	return nil
}

// changeNickTo changes the nick of an occupant and announces the change. The caller has checked that nick is free.
func (r *Room) changeNickTo(ctx context.Context, o *occupant, nick string) {
	r.announce(o, presenceChange{typ: stanza.TypeUnavailable, codes: []int{statusNewNick}, newNick: nick})
	r.giveNick(o, nick)
	r.announce(o, presenceChange{})
	r.notify(ctx, Event{Kind: NickChange, Occupant: o.view()})
}
