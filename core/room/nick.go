package room

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxNumbered is the highest number that uniqueNick appends to a name.
const maxNumbered = 5000

// numbering is how many bytes a nick leaves for its number: " (12345)".
const numbering = 8

func (r *Room) cleanNick(name string) string {
	return nicks.Clean(name, max(r.limits.Nick-numbering, 1))
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
	o, alike := r.byNick[nick], r.byLook[nicks.Skeleton(nick)]
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
	if o.role == RoleVisitor && r.config.Moderated && r.config.VisitorsKeepNick {
		return stanza.Forbidden("Visitors keep their nickname in this room.") // XEP-0045 §5.1.1
	}
	if own := r.lists[s.jid.Bare()].Nick; own != "" && r.config.NickLocked && nick != own {
		return stanza.NotAcceptable("Your nickname in this room is the one that you have reserved.") // XEP-0045 §7.6
	}
	done, err := r.askOwner(ctx, Action{Kind: ActionNick, By: o.view(), Session: s.jid, Value: nick})
	if err != nil || !done || r.bySession[s.jid] != s || !r.nickIsFree(nick, o) {
		return err
	}
	r.keepPresence(s, st)
	s.asked = nick
	var codes []int
	if nick != st.To.Resource() {
		codes = []int{statusNickAssigned} // XEP-0045 §7.6
	}
	r.changeNickTo(ctx, o, nick, codes...)
	return nil
}

// changeNickTo changes the nick of an occupant and announces the change, to the occupant itself with the codes. The caller has checked
// that nick is free.
func (r *Room) changeNickTo(ctx context.Context, o *occupant, nick string, codes ...int) {
	r.announce(o, presenceChange{typ: stanza.TypeUnavailable, codes: []int{statusNewNick}, newNick: nick})
	r.giveNick(o, nick)
	r.announce(o, presenceChange{self: codes})
	r.notify(ctx, Event{Kind: NickChange, Occupant: o.view()})
}
