package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// changeNick handles presence of a session to another nick than its current one (XEP-0045 §7.6).
func (r *Room) changeNick(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	nick, err := r.occupants.CheckNick(st.To.Resource())
	if err != nil {
		return err
	}
	o := s.Occupant
	if nick == o.Nick {
		return r.changePresence(ctx, s, st)
	}
	if !r.occupants.NickIsFree(nick, o) || r.lists.ReservedFor(nick, s.JID.Bare()) {
		return stanza.Conflict("This nickname is taken.") // XEP-0045 §7.6
	}
	if o.Role == rules.RoleVisitor && r.config.Moderated && r.config.VisitorsKeepNick {
		return stanza.Forbidden("Visitors keep their nickname in this room.") // XEP-0045 §5.1.1
	}
	if own := r.lists.Entry(s.JID.Bare()).Nick; own != "" && r.config.NickLocked && nick != own {
		return stanza.NotAcceptable("Your nickname in this room is the one that you have reserved.") // XEP-0045 §7.6
	}
	done, err := r.askOwner(ctx, Action{Kind: ActionNick, By: view(o), Session: s.JID, Value: nick})
	if err != nil || !done || r.occupants.BySession(s.JID) != s || !r.occupants.NickIsFree(nick, o) {
		return err
	}
	r.occupants.KeepPresence(s, st)
	s.Asked = nick
	var codes []int
	if nick != st.To.Resource() {
		codes = []int{muc.StatusNickAssigned} // XEP-0045 §7.6
	}
	r.changeNickTo(ctx, o, nick, codes...)
	return nil
}

// changeNickTo changes the nick of an occupant and announces the change, to the occupant itself with the codes. The caller has checked
// that nick is free.
func (r *Room) changeNickTo(ctx context.Context, o *occupants.Occupant, nick string, codes ...int) {
	r.occupants.Announce(o, occupants.Change{Type: stanza.TypeUnavailable, Codes: []int{muc.StatusNewNick}, NewNick: nick})
	r.occupants.Rename(o, nick)
	r.occupants.Announce(o, occupants.Change{Self: codes})
	r.notify(ctx, Event{Kind: NickChange, Occupant: view(o)})
}
