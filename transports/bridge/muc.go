package bridge

import (
	"context"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// owner is a worker as the room engine sees it. All of it runs in the worker's goroutine.
type owner struct{ w *worker }

// handle gives a stanza to the room engine. The room is made of what is kept where
// nobody is in it yet; its members come with the first who enters.
func (w *worker) handle(ctx context.Context, st *stanza.Stanza) {
	if w.direct() || w.row.Key == "" {
		w.g.send(st.ErrorReply(stanza.ItemNotFound("")))
		return
	}
	if err := w.openRoom(); err != nil {
		w.g.log.Error("opening a room", "room", w.row.Net, "error", err)
		w.g.send(st.ErrorReply(stanza.Fault(err)))
		return
	}
	if _, in := w.room.BySession(st.From); !in && st.IsRequest() {
		if _, seen := w.accountFor(ctx, st.From); seen.Login == "" { // what it says of itself is not for everybody
			w.g.send(st.ErrorReply(stanza.ItemNotFound("There is no such room that you can see.")))
			w.emptied()
			return
		}
	}
	w.room.Handle(ctx, st)
	w.emptied()
}

func (w *worker) openRoom() error {
	if w.room != nil {
		return nil
	}
	j, err := w.g.roomJID(w.row.Net)
	if err != nil {
		return err
	}
	w.room = room.New(room.Options{
		JID: j, Send: w.say, Owner: owner{w}, Secret: []byte(hash("occupants", w.g.domain.String())),
		Snapshot: &room.Snapshot{Info: w.roomInfo(), Config: w.roomConfig(), Subject: room.Subject{Text: w.row.Topic, At: w.row.LastAt}},
		History:  roomHistory{w}, Now: w.g.now, Log: w.g.log,
	})
	w.filled, w.occupants = false, map[string]transports.UserID{}
	return nil
}

// What waits at most: no receiver's queue may be filled by it.
const (
	maxTogether = 16 << 10 // bytes for one receiver, who stands for all: what a room says it says to all
	maxWaiting  = 1 << 20  // for all of them
	startTag    = 512      // bytes of one, no less
)

// together has what f sends to the room leave when it is done: where several messages go to
// the same people, each of their sockets is written to once. Where f waits for anything, it
// calls apart before.
func (w *worker) together(f func()) {
	send, flush := w.g.endpoint.Collect()
	var first jid.JID
	one, all := 0, 0
	w.flush = func() {
		flush()
		first, one, all = jid.JID{}, 0, 0
	}
	w.collect = func(st *stanza.Stanza) {
		send(st)
		if first.IsZero() {
			first = st.To
		}
		size := startTag + len(st.Payload) + len(st.Extra)
		all += size
		if st.To == first {
			one += size
		}
		if one > maxTogether || all > maxWaiting {
			w.flush()
		}
	}
	defer func() {
		w.collect, w.flush = nil, nil
		flush()
	}()
	f()
}

// apart lets go what waits to be sent together, since something is about to be waited for.
func (w *worker) apart() {
	if w.flush != nil {
		w.flush()
	}
}

// say sends what the room has for somebody in it.
func (w *worker) say(st *stanza.Stanza) {
	if w.collect != nil {
		w.collect(st)
		return
	}
	w.g.send(st)
}

// emptied forgets the room when nobody from XMPP is in it any longer.
func (w *worker) emptied() {
	if w.room != nil && w.room.Sessions() == 0 && len(w.accepted) == 0 {
		w.room, w.occupants = nil, nil
	}
}

func (w *worker) roomInfo() room.Info {
	name := w.title()
	return room.Info{
		Name: name, Description: w.row.Topic, Category: "conference", Type: w.g.info.Type,
		Features: []string{nsMAM, nsVCard, nsReply, nsReactions, nsRetract, nsCorrect},
	}
}

func (w *worker) roomConfig() room.Config {
	return room.Config{
		Listed: w.row.Kind == transports.Public, Persistent: true, MembersOnly: true, Moderated: true,
		WhoIs: room.WhoIsAnyone, OccupantsMaySubject: w.g.info.Caps.CanChange(transports.ChangeTopic),
	}
}

// accountFor is the account by which a user is in this room, nil where none is. The row is
// zero where the account is not known to see the room any longer, or yet.
func (w *worker) accountFor(ctx context.Context, who jid.JID) (*account, tables.Visibility) {
	if a := w.account(); a != nil {
		if a.owner != who.Bare() {
			return nil, tables.Visibility{}
		}
		rows, err := w.g.store.RoomLogins(ctx, w.id)
		if err == nil {
			for _, r := range rows {
				if r.Login == a.id {
					return a, r
				}
			}
		}
		return a, tables.Visibility{}
	}
	rows, err := w.g.store.RoomLogins(ctx, w.id)
	if err != nil {
		w.g.log.Error("reading who sees a room", "room", w.row.Net, "error", err)
		return nil, tables.Visibility{}
	}
	var best *account
	var seen tables.Visibility
	for _, a := range w.g.accountsOf(who) {
		i := slices.IndexFunc(rows, func(r tables.Visibility) bool { return r.Login == a.id })
		if i >= 0 && (best == nil || rows[i].Joined && !seen.Joined) {
			best, seen = a, rows[i]
		}
	}
	return best, seen
}

// Enter implements room.Owner: who may come in is whom the network lets in.
func (o owner) Enter(ctx context.Context, _ *room.Room, r room.EnterRequest) (room.Grant, error) {
	w := o.w
	a, seen := w.accountFor(ctx, r.Session)
	if a == nil {
		return room.Grant{}, stanza.RegistrationRequired("Your account does not see this room.")
	}
	if !seen.Joined {
		var err error
		if seen, err = w.enterNetwork(ctx, a); err != nil {
			return room.Grant{}, err
		}
	}
	w.g.nicks.put(r.Session, r.Nick)
	w.fillMembers(ctx, a)
	me := w.g.person(ctx, a, a.user, a.name())
	grant := room.Grant{OccupantID: w.g.occupantID(a.user, ""), Nick: displayName(me), Affiliation: room.AffMember, Role: room.RoleParticipant}
	if !seen.Writable {
		grant.Role = room.RoleVisitor
	}
	return grant, nil
}

// enterNetwork joins the room on the network where it has to be joined there first.
func (w *worker) enterNetwork(ctx context.Context, a *account) (tables.Visibility, error) {
	session := a.ready()
	if session == nil {
		return tables.Visibility{}, stanza.RecipientUnavailable(w.g.info.Name + " cannot be reached at the moment.")
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	info, err := session.Room(ctx, w.row.Net)
	if err == nil && !info.Joined {
		changer, ok := session.(transports.Changer)
		if !ok || !w.g.info.Caps.CanChange(transports.ChangeJoin) {
			return tables.Visibility{}, stanza.Forbidden("You are not in this room on " + w.g.info.Name + ".")
		}
		if _, err = changer.Apply(ctx, transports.Change{Kind: transports.ChangeJoin, Room: w.row.Net}); err == nil {
			info, err = session.Room(ctx, w.row.Net)
		}
	}
	if err != nil {
		return tables.Visibility{}, stanzaError(err)
	}
	w.row = merge(w.row, info)
	seen := tables.Visibility{Login: a.id, Room: w.id, Joined: info.Joined, Writable: info.Writable}
	if err := w.commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Rooms: []tables.Room{w.row}, Visible: []tables.Visibility{seen}}}); err != nil {
		return seen, err
	}
	a.found(w.row)
	return seen, nil
}

// Allow implements room.Owner: the network decides about names and rights.
func (o owner) Allow(_ context.Context, _ *room.Room, act room.Action) error {
	switch act.Kind {
	case room.ActionNick:
		return stanza.NotAcceptable("Your name here is the one that you have on " + o.w.g.info.Name + ".")
	case room.ActionInvite:
		return stanza.NotAllowed("People are invited on " + o.w.g.info.Name + ".")
	}
	return stanza.NotAllowed("This can be done only on " + o.w.g.info.Name + ".")
}

// Query implements room.Owner.
func (o owner) Query(ctx context.Context, _ *room.Room, q room.Query) (*stanza.Element, error) {
	w := o.w
	payload := q.Stanza.Payload1()
	a, seen := w.accountFor(ctx, q.Stanza.From)
	if a == nil || seen.Login == "" && q.From == nil {
		return nil, stanza.Forbidden("Your account does not see this room.")
	}
	switch {
	case payload.Is(nsVCard, "vCard") && q.Stanza.Type == stanza.TypeGet:
		if q.To == nil {
			return stanza.NewElement(nsVCard, "vCard").Add(stanza.TextElement(nsVCard, "FN", w.title()), stanza.TextElement(nsVCard, "DESC", w.row.Topic)), nil
		}
		user, ok := w.occupants[q.To.ID]
		if !ok {
			return nil, stanza.ItemNotFound("")
		}
		w.g.spawn(func(ctx context.Context) { w.g.answerVCard(ctx, a, user, q.Stanza) })
		return nil, room.ErrHandled
	case payload.Space == nsMAM && q.To == nil:
		if !seen.Joined && q.From == nil {
			return nil, stanza.Forbidden("Come into the room first.") // the network is asked then
		}
		return w.queryArchive(ctx, q)
	case payload.Is(nsRegister, "query"):
		return nil, stanza.NotAllowed("Rooms are joined on " + w.g.info.Name + ".")
	}
	return nil, stanza.ServiceUnavailable("")
}

// Notify implements room.Owner.
func (o owner) Notify(_ context.Context, _ *room.Room, e room.Event) {
	if e.Kind == room.DeliveryFault {
		o.w.g.log.Debug("a session is gone from a room", "room", o.w.row.Net, "session", e.Session.String())
	}
}

// sayTo writes to a person, from a private message in a room.
func (g *Gateway) sayTo(ctx context.Context, a *account, peer transports.UserID, st *stanza.Stanza) error {
	id, err := g.placeOf(ctx, a, tables.Room{Scope: a.id, Kind: transports.Direct, Peer: peer})
	if err != nil {
		return err
	}
	if !g.post(id, false, func(ctx context.Context, w *worker) { w.chat(ctx, a, st) }) {
		return stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	return nil
}

// chat is a message to a contact.
func (w *worker) chat(ctx context.Context, a *account, st *stanza.Stanza) {
	acc, again, err := w.receiveOut(ctx, outgoing{account: a, from: st.From, st: st})
	var refused *stanza.Error
	switch {
	case errors.As(err, &refused):
		w.g.send(st.ErrorReply(refused))
	case err != nil:
		w.g.log.Error("taking a message", "room", w.row.Key, "error", err)
		w.g.send(st.ErrorReply(stanza.Fault(err)))
	case again != nil:
		if again.State == tables.CallDone && st.Child(nsReceipts, "request") != nil {
			w.receipt(*again)
		}
	case acc.row.Kind == "":
		w.typing(a, st)
	default:
		w.accepted = append(w.accepted, acc)
		w.typed(st.From)
	}
}
