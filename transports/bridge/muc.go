package bridge

import (
	"context"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
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
		w.g.log.Error("opening a room", "room", w.row.Room, "error", err)
		w.g.send(st.ErrorReply(stanza.Fault(err)))
		return
	}
	w.room.Handle(ctx, st)
	w.emptied()
}

func (w *worker) openRoom() error {
	if w.room != nil {
		return nil
	}
	j, err := w.g.roomJID(w.row.Room)
	if err != nil {
		return err
	}
	w.room = room.New(room.Options{
		JID: j, Send: w.g.send, Owner: owner{w}, Secret: []byte(hash("occupants", w.g.domain.String())),
		Snapshot: &room.Snapshot{Info: w.roomInfo(), Config: w.roomConfig(), Subject: room.Subject{Text: w.row.Topic, At: w.row.SeenAt}},
		History:  roomHistory{w}, Now: w.g.now, Log: w.g.log,
	})
	w.filled, w.occupants = false, map[string]transports.UserID{}
	return nil
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
		WhoIs: room.WhoIsAnyone, OccupantsMaySubject: w.g.info.Caps.Admin,
	}
}

// accountFor is the account by which a user is in this room, nil where none is.
func (w *worker) accountFor(ctx context.Context, who jid.JID) (*account, VisibleRow) {
	if a := w.account(); a != nil {
		if a.owner != who.Bare() {
			return nil, VisibleRow{}
		}
		rows, err := w.g.store.RoomAccounts(ctx, w.id)
		if err == nil {
			for _, r := range rows {
				if r.Account == a.id {
					return a, r
				}
			}
		}
		return a, VisibleRow{Account: a.id, Room: w.id, Joined: true, Writable: true}
	}
	rows, err := w.g.store.RoomAccounts(ctx, w.id)
	if err != nil {
		w.g.log.Error("reading who sees a room", "room", w.row.Room, "error", err)
		return nil, VisibleRow{}
	}
	var best *account
	var seen VisibleRow
	for _, a := range w.g.accountsOf(who) {
		i := slices.IndexFunc(rows, func(r VisibleRow) bool { return r.Account == a.id })
		if i >= 0 && (best == nil || rows[i].Joined && !seen.Joined) {
			best, seen = a, rows[i]
		}
	}
	return best, seen
}

// Enter implements room.Owner: who may come in is whom the network lets in.
func (o owner) Enter(ctx context.Context, r room.EnterRequest) (room.Grant, error) {
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
func (w *worker) enterNetwork(ctx context.Context, a *account) (VisibleRow, error) {
	session := a.ready()
	if session == nil {
		return VisibleRow{}, stanza.RecipientUnavailable(w.g.info.Name + " cannot be reached at the moment.")
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	info, err := session.Room(ctx, w.row.Room)
	if err == nil && !info.Joined {
		j, ok := session.(transports.Joiner)
		if !ok {
			return VisibleRow{}, stanza.Forbidden("You are not in this room on " + w.g.info.Name + ".")
		}
		if err = j.Join(ctx, w.row.Room); err == nil {
			info, err = session.Room(ctx, w.row.Room)
		}
	}
	if err != nil {
		return VisibleRow{}, stanzaError(err)
	}
	w.row = merge(w.row, info)
	seen := VisibleRow{Account: a.id, Room: w.id, Joined: info.Joined, Writable: info.Writable}
	if err := w.commit(ctx, &Batch{Rooms: []RoomRow{w.row}, Visible: []VisibleRow{seen}}); err != nil {
		return seen, err
	}
	a.found(w.row)
	return seen, nil
}

// fillMembers puts the network's people into a room that has just been opened: as many
// as the network lists, or else those of whom we know.
func (w *worker) fillMembers(ctx context.Context, a *account) {
	if w.filled {
		return
	}
	w.filled = true
	known, err := w.g.store.RoomMembers(ctx, w.id, w.g.set.Members)
	if err != nil {
		w.g.log.Error("reading a room's members", "room", w.row.Room, "error", err)
	}
	if lister, ok := a.ready().(transports.MemberLister); ok && w.g.info.Caps.Members {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		list, err := lister.Members(ctx, w.row.Room, w.g.set.Members)
		cancel()
		if err != nil {
			w.g.log.Warn("listing a room's members", "room", w.row.Room, "error", err)
		} else {
			known = w.keepMembers(ctx, list)
		}
	}
	for _, u := range known {
		w.setMember(ctx, u, "")
	}
}

func (w *worker) keepMembers(ctx context.Context, list []transports.UserInfo) []transports.UserInfo {
	b := &Batch{}
	known := make([]transports.UserInfo, 0, len(list))
	for _, u := range list {
		if u.ID == "" || len(u.ID) > maxID || len(known) == w.g.set.Members {
			continue
		}
		u = clip(u)
		known = append(known, u)
		b.Members = append(b.Members, MemberRow{w.id, u.ID})
	}
	b.People = known
	w.g.people.put(known...)
	if err := w.commit(ctx, b); err != nil && ctx.Err() == nil {
		w.g.log.Error("keeping a room's members", "room", w.row.Room, "error", err)
	}
	return known
}

// setMember shows somebody of the network in the room.
func (w *worker) setMember(ctx context.Context, u transports.UserInfo, persona string) {
	if w.room == nil {
		return
	}
	m := w.g.roomMember(u, persona)
	if persona == "" {
		w.occupants[m.ID] = u.ID
		if p, ok := w.g.presences.get(u.ID); ok {
			m.Show, m.Status = showOf(p.Show), cutBytes(p.Status, maxName)
		}
	}
	if _, err := w.room.SetMember(ctx, m); err != nil {
		w.g.log.Warn("showing a member", "room", w.row.Room, "error", err)
	}
}

// Said implements room.Owner.
func (o owner) Said(ctx context.Context, m room.Message) error {
	w := o.w
	a, seen := w.accountFor(ctx, m.Session)
	if a == nil || !seen.Joined {
		return stanza.Forbidden("You are not in this room on " + w.g.info.Name + ".")
	}
	if m.To != nil {
		peer, ok := w.occupants[m.To.ID]
		if !ok {
			return stanza.ItemNotFound("This person cannot be written to.")
		}
		st := m.Stanza.Copy()
		st.Type = stanza.TypeChat
		return w.g.sayTo(ctx, a, peer, st)
	}
	acc, again, err := w.receiveOut(ctx, outgoing{account: a, from: m.Session, st: m.Stanza, subject: m.Subject})
	switch {
	case err != nil:
		return err
	case again != nil:
		w.reflectAgain(m, *again)
		return nil
	case acc.row.Kind == "":
		p := m.Post("")
		p.Transient = true
		w.room.Broadcast(p)
		w.typing(a, m.Stanza)
		return nil
	}
	w.acceptSaid(ctx, m, acc)
	return nil
}

// acceptSaid prepares what the room sees once the message is durable.
func (w *worker) acceptSaid(ctx context.Context, m room.Message, acc accepted) {
	post := m.Post(acc.row.Stanza)
	archive := &ArchiveRow{
		Seq: w.g.next(), Room: w.id, ID: acc.row.Stanza, Message: acc.row.Message, At: w.g.now(), Nick: m.From.Nick, Who: m.From.ID,
		Lang: post.Lang, Extra: post.Extra, Payload: post.Payload,
	}
	switch acc.row.Kind {
	case outTopic:
		acc.subject = &room.Subject{Text: acc.data.Topic, OccupantID: m.From.ID, Nick: m.From.Nick}
	case outRead:
		post.Transient = true
		acc.post = &post
	case outDelete:
		acc.tomb = &ArchiveRow{Room: w.id, Retract: acc.data.Target, ID: acc.row.Stanza, At: w.g.now()}
		acc.post, acc.archive = &post, archive
	default:
		acc.post, acc.archive = &post, archive
	}
	w.accepted = append(w.accepted, acc)
	w.typed(m.Session)
}

// reflectAgain answers a client that sends again what we have: it alone sees it once more.
func (w *worker) reflectAgain(m room.Message, row OutRow) {
	from, err := w.room.JID().WithResource(m.From.Nick)
	if err != nil {
		return
	}
	st := &stanza.Stanza{Kind: stanza.Message, To: m.Session, From: from, ID: m.Stanza.ID, Type: stanza.TypeGroupchat, Lang: m.Stanza.Lang, Extra: m.Stanza.Extra, Payload: m.Stanza.Payload}
	st.Payload += stanza.Encode(
		stanza.NewElement(room.NSOccupantID, "occupant-id").With("id", m.From.ID),
		stanza.NewElement(nsStanzaID, "stanza-id").With("id", row.Stanza).With("by", w.room.JID().String()))
	w.g.send(st)
}

// Act implements room.Owner: the network decides about names and rights.
func (o owner) Act(_ context.Context, act room.Action) error {
	switch act.Kind {
	case room.ActNick:
		return stanza.NotAcceptable("Your name here is the one that you have on " + o.w.g.info.Name + ".")
	case room.ActInvite:
		return stanza.NotAllowed("People are invited on " + o.w.g.info.Name + ".")
	}
	return stanza.NotAllowed("This can be done only on " + o.w.g.info.Name + ".")
}

// Query implements room.Owner.
func (o owner) Query(ctx context.Context, q room.Query) (*stanza.Element, error) {
	w := o.w
	payload := q.Stanza.Payload1()
	a, _ := w.accountFor(ctx, q.Stanza.From)
	if a == nil {
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
		return nil, room.ErrTaken
	case payload.Space == nsMAM && q.To == nil:
		return w.queryArchive(ctx, q)
	case payload.Is(nsRegister, "query"):
		return nil, stanza.NotAllowed("Rooms are joined on " + w.g.info.Name + ".")
	}
	return nil, stanza.ServiceUnavailable("")
}

// Told implements room.Owner.
func (o owner) Told(_ context.Context, e room.Event) {
	if e.Kind == room.DeliveryFault {
		o.w.g.log.Debug("a session is gone from a room", "room", o.w.row.Room, "session", e.Session.String())
	}
}

// evictUser takes all sessions of an account's owner out of the room.
func (w *worker) evictUser(ctx context.Context, a *account, reason string) {
	if w.room == nil {
		return
	}
	if other, seen := w.accountFor(ctx, a.owner); other != nil && other != a && seen.Joined {
		return // there by another account too
	}
	for _, o := range w.room.Occupants() {
		for _, s := range o.Sessions {
			if s.Bare() == a.owner {
				w.room.EvictSession(ctx, s, room.Departure{Kind: room.NoLongerAsked, Reason: reason})
			}
		}
	}
	w.emptied()
}

// sayTo writes to a person, from a private message in a room.
func (g *Gateway) sayTo(ctx context.Context, a *account, peer transports.UserID, st *stanza.Stanza) error {
	id, err := g.placeOf(ctx, a, RoomRow{Scope: a.id, Kind: transports.Direct, Peer: peer})
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
		if again.State == OutDone && st.Child(nsReceipts, "request") != nil {
			w.receipt(*again)
		}
	case acc.row.Kind == "":
		w.typing(a, st)
	default:
		w.accepted = append(w.accepted, acc)
		w.typed(st.From)
	}
}
