package room

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxNumbered is the highest number that uniqueNick appends to a name.
const maxNumbered = 5000

// cleanNick converts any display name to a nick: a resourcepart of bounded length that is
// neither empty nor invisible (XEP-0045 §17.1).
func (r *Room) cleanNick(name string) string {
	var b strings.Builder
	space := false
	for _, c := range name {
		switch {
		case unicode.IsSpace(c):
			space = b.Len() > 0
			continue
		case c == utf8.RuneError || !unicode.IsPrint(c):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
		if b.Len() >= 4*r.limits.Nick {
			break
		}
	}
	const numbering = 8 // " (12345)"
	nick := truncate(b.String(), max(r.limits.Nick-numbering, 1))
	if j, err := r.jid.WithResource(nick); err == nil && j.Resource() != "" {
		return j.Resource()
	}
	plain := strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf || unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, nick)
	if j, err := r.jid.WithResource(strings.TrimSpace(plain)); err == nil && j.Resource() != "" {
		return j.Resource()
	}
	return "unknown"
}

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

// uniqueNick appends a number to a name that another occupant than self has: "Ann", "Ann (2)", "Ann (3)".
func (r *Room) uniqueNick(name string, self *occupant) string {
	nick := r.cleanNick(name)
	if r.nickIsFree(nick, self) {
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

// nickIsFree reports whether no occupant other than self has a nick.
func (r *Room) nickIsFree(nick string, self *occupant) bool {
	o := r.byNick[nick]
	return o == nil || o == self
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
