package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxEntering is how many stanzas of one session may wait until it has entered.
const maxEntering = 100

// entry has the network's answers to the calls that a session's entering needs.
type entry struct {
	login   *logins.Login
	info    *transports.RoomInfo // where the channel had to be joined
	members *listing
	err     error

	confirm bool // the network is asked whether the login is still in the channel
	gaps    int  // Login.Gaps when it was asked
}

// prepare starts the calls to the network that are necessary before a session enters. It returns false if there are
// none; otherwise the stanza is handled when the calls have ended.
func (r *Room) prepare(ctx context.Context, st *stanza.Stanza) bool {
	enters := st.Kind == stanza.Presence && st.Type == "" && st.Child(convert.NSMUC, "x") != nil
	if !enters && !st.IsRequest() {
		return false
	}
	if e := r.Engine(); e != nil {
		if _, in := e.BySession(st.From); in {
			return false
		}
	}
	l, seen := r.loginOf(ctx, st.From)
	if l == nil {
		return false
	}
	e := &entry{login: l, gaps: l.Gaps(), confirm: seen.Joined && r.doubtful(l)}
	join, unknown := false, false
	if enters {
		e.members = r.list(l)
		join = !seen.Joined
	}
	if enters || asksNick(st) {
		unknown = r.rooms.people.Unknown(ctx, l, l.User)
	}
	if !e.confirm && !join && !unknown && e.members == nil {
		return false
	}
	row := r.conv.Row
	started := r.rooms.env.Group.Go(func(ctx context.Context) {
		defer r.conv.Enqueue(func(ctx context.Context) { r.prepared(ctx, st, e) })
		defer r.rooms.env.Recover("entering a room")
		e.err = stanza.InternalServerError() // where the network's code panics
		e.err = r.rooms.ask(ctx, e, row, join)
	})
	if !started {
		return false
	}
	if r.entering == nil {
		r.entering = map[jid.JID][]*stanza.Stanza{}
	}
	r.entering[st.From] = nil
	return true
}

// asksNick reports whether a client asks under which name it will be in the room (XEP-0045 §7.12).
func asksNick(st *stanza.Stanza) bool {
	query := st.Child(convert.NSDiscoInfo, "query")
	return query != nil && query.Attr("node") == room.NodeNick
}

// ask makes the calls of an entry. It runs in a goroutine of its own.
func (r *Rooms) ask(ctx context.Context, e *entry, row tables.Room, join bool) error {
	if e.confirm {
		if err := r.confirm(ctx, e.login, row); err != nil {
			return err
		}
	}
	if join {
		info, err := r.join(ctx, e.login, row.Net)
		if err != nil {
			return err
		}
		e.info = &info
	}
	r.people.Lookup(ctx, e.login, e.login.User, e.login.Name())
	if e.members != nil {
		<-e.members.done
	}
	return nil
}

// doubtful reports whether a login may have been removed from the room unnoticed: events may have been missed since the
// network was asked. A public room is open to everybody.
func (r *Room) doubtful(l *logins.Login) bool {
	gaps, asked := r.confirmed[l.ID]
	return r.conv.Row.Kind == transports.Private && (!asked || gaps != l.Gaps())
}

// confirm asks the network whether a login is still in a room. Nothing of the room is shown to its owner before.
func (r *Rooms) confirm(ctx context.Context, l *logins.Login, row tables.Room) error {
	client := l.Client()
	if client == nil {
		return stanza.RecipientUnavailable(r.env.Info.Name + " cannot be reached at the moment.")
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	info, err := client.Room(ctx, row.Net)
	if err == nil && info.Joined {
		return nil
	}
	if err != nil && transports.ClassOf(err) != transports.Refused {
		return convert.NetworkError(err)
	}
	r.Index.backfill.Doubted(ctx, l, row)
	return stanza.Forbidden("You are not in this room on " + r.env.Info.Name + ".")
}

// join joins the channel on the network, where it has to be joined there first.
func (r *Rooms) join(ctx context.Context, l *logins.Login, id transports.RoomID) (transports.RoomInfo, error) {
	client := l.Client()
	if client == nil {
		return transports.RoomInfo{}, stanza.RecipientUnavailable(r.env.Info.Name + " cannot be reached at the moment.")
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	info, err := client.Room(ctx, id)
	if err == nil && !info.Joined {
		changer, ok := client.(transports.Changer)
		if !ok || !r.env.Info.Caps.CanChange(transports.ChangeJoin) {
			return info, stanza.Forbidden("You are not in this room on " + r.env.Info.Name + ".")
		}
		if _, err = changer.Apply(ctx, transports.Change{Kind: transports.ChangeJoin, Room: id}); err == nil {
			info, err = client.Room(ctx, id)
		}
	}
	if err != nil {
		return info, convert.NetworkError(err)
	}
	return info, nil
}

// prepared lets a session enter, and then handles the stanzas that it has sent meanwhile.
func (r *Room) prepared(ctx context.Context, st *stanza.Stanza, e *entry) {
	waiting := r.entering[st.From]
	delete(r.entering, st.From)
	if !r.conv.Exists() {
		r.rooms.env.Send(st.ErrorReply(stanza.ItemNotFound("")))
		return
	}
	r.keepListed(ctx, e.members)
	if e.err == nil && e.confirm {
		if r.confirmed == nil {
			r.confirmed = map[transports.LoginID]int{}
		}
		r.confirmed[e.login.ID] = e.gaps
	}
	if e.err == nil && e.info != nil {
		e.err = r.keepJoined(ctx, e)
	}
	if e.err != nil {
		r.Send(st.ErrorReply(convert.StanzaError(e.err)))
	} else {
		r.handle(ctx, st)
	}
	for _, next := range waiting {
		r.Handle(ctx, next)
	}
}

func (r *Room) keepJoined(ctx context.Context, e *entry) error {
	row := convert.RoomInfo(r.conv.Row, *e.info)
	seen := tables.Visibility{Login: e.login.ID, Room: r.conv.ID, Joined: e.info.Joined, Writable: e.info.Writable}
	err := r.conv.Commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Rooms: []tables.Room{row}, Visible: []tables.Visibility{seen}}})
	if err != nil {
		return stanza.FromError(err)
	}
	r.conv.Row = row
	r.rooms.Index.backfill.Found(e.login, row)
	return nil
}

// Enter implements room.Owner: those may enter whom the network lets in.
func (r *Room) Enter(ctx context.Context, engine *room.Room, e room.EnterRequest) (room.Grant, error) {
	l, seen := r.loginOf(ctx, e.Session)
	switch {
	case l == nil:
		return room.Grant{}, stanza.RegistrationRequired("Your account on " + r.rooms.env.Info.Name + " does not see this room. Please join it there.")
	case !seen.Joined || r.doubtful(l):
		return room.Grant{}, stanza.Forbidden("You are not in this room on " + r.rooms.env.Info.Name + ".")
	}
	r.rooms.remembered.nicks.put(e.Session, e.Nick)
	me := r.rooms.userOf(ctx, l)
	grant := room.Grant{
		OccupantID: r.rooms.address.Occupant(l.User, ""), Nick: convert.DisplayName(me), Affiliation: rules.AffMember, Role: rules.RoleParticipant,
	}
	if !seen.Writable {
		grant.Role = rules.RoleVisitor
	}
	r.noteReader(ctx, engine, l.User, !seen.Writable)
	return grant, nil
}

// noteReader shows whether somebody may only read, also where they are a member of the room already.
func (r *Room) noteReader(ctx context.Context, engine *room.Room, user transports.UserID, reads bool) {
	id := r.rooms.address.Occupant(user, "")
	o, shown := engine.Occupant(id)
	switch {
	case reads:
		if r.readers == nil {
			r.readers = map[transports.UserID]bool{}
		}
		if r.readers[user] = true; shown && o.Role == rules.RoleParticipant {
			engine.SetRole(ctx, id, rules.RoleVisitor, "")
		}
	case r.readers[user]:
		if delete(r.readers, user); shown && o.Role == rules.RoleVisitor && r.ranks[user].role != transports.RoleReader {
			engine.SetRole(ctx, id, rules.RoleParticipant, "")
		}
	}
}
