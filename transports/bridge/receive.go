package bridge

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// receive takes every stanza for the gateway's domain. What has to wait is done elsewhere.
func (g *Gateway) receive(st *stanza.Stanza) {
	defer g.recovered("receive")
	if st.From.IsZero() || st.To.Domain() != g.domain.Domain() {
		return
	}
	if !g.set.accepts(st.From) {
		g.refuse(st, stanza.NotAllowed("This gateway does not serve your server."))
		return
	}
	answer := st.Type == stanza.TypeError || st.Type == stanza.TypeResult
	if !answer && st.Kind != stanza.Presence && !g.allowed(st.From.Bare()) {
		g.Counters.Limited.Add(1)
		g.refuse(st, stanza.ResourceConstraint("You send too much at once."))
		return
	}
	g.trace("stanza in")
	switch {
	case st.To.Local() == "":
		g.toGateway(st)
	case st.Kind == stanza.IQ && answer:
		g.queries.answered(st)
	default:
		g.toAddress(st)
	}
}

// refuse answers with an error where one may be given.
func (g *Gateway) refuse(st *stanza.Stanza, e *stanza.Error) {
	if st.Kind == stanza.Presence && st.Type == stanza.TypeUnavailable {
		return
	}
	g.send(st.ErrorReply(e))
}

// toAddress takes what is for a contact or a room.
func (g *Gateway) toAddress(st *stanza.Stanza) {
	ctx := g.ctx
	id := networkID(st.To)
	if len(id) > maxID {
		g.refuse(st, stanza.ItemNotFound(""))
		return
	}
	accounts := g.accountsOf(st.From)
	if len(accounts) == 0 {
		g.fromStranger(st)
		return
	}
	room, ok, err := g.findRoom(ctx, accounts, id)
	if err != nil {
		g.log.Error("finding a room", "error", err)
		g.refuse(st, stanza.Fault(err))
		return
	}
	if ok {
		g.toRoom(room, st)
		return
	}
	if wantsRoom(st) {
		if !g.spawn(func(ctx context.Context) { g.discoverRoom(ctx, accounts, st) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
		return
	}
	g.toContact(accounts, transports.UserID(id), st)
}

// fromStranger answers somebody without an account here.
func (g *Gateway) fromStranger(st *stanza.Stanza) {
	switch {
	case st.Type == stanza.TypeError || st.Type == stanza.TypeResult:
	case st.Kind == stanza.Presence && st.Child(nsMUC, "x") == nil:
		switch st.Type {
		case stanza.TypeSubscribe:
			g.send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeUnsubscribed))
		case stanza.TypeProbe:
			g.send(stanza.NewPresence(st.From, st.To.Bare(), stanza.TypeUnsubscribed)) // RFC 6121 §4.3.2
		}
	case st.Kind == stanza.IQ && !g.set.mayUse(st.From):
		g.refuse(st, stanza.ServiceUnavailable(""))
	default:
		g.refuse(st, stanza.RegistrationRequired("Please link your "+g.info.Name+" account first: write to "+g.domain.String()+"."))
	}
}

// findRoom finds the room of that id as one of the accounts sees it.
func (g *Gateway) findRoom(ctx context.Context, accounts []*account, id string) (int64, bool, error) {
	key := placeKey("", transports.RoomID(id), "")
	person := "@" + id
	for _, a := range accounts {
		if _, ok := g.places.get(placeID{a.id, person}); ok {
			return 0, false, nil // a contact that is written with
		}
	}
	scopes := make([]transports.LoginID, 0, len(accounts)+1)
	for _, a := range accounts {
		scopes = append(scopes, a.id)
	}
	scopes = append(scopes, "")
	for _, s := range scopes {
		if row, ok := g.places.get(placeID{s, key}); ok {
			return row, true, nil
		}
	}
	for _, s := range scopes {
		row, ok, err := g.store.FindRoom(ctx, s, key)
		if err != nil {
			return 0, false, err
		}
		if ok && row.Kind != transports.Direct {
			g.places.put(placeID{s, key}, row.ID)
			return row.ID, true, nil
		}
	}
	return 0, false, nil
}

// wantsRoom tells whether a stanza makes sense for a room only.
func wantsRoom(st *stanza.Stanza) bool {
	return st.Kind == stanza.Presence && st.Type == "" && st.Child(nsMUC, "x") != nil ||
		st.Kind == stanza.Message && st.Type == stanza.TypeGroupchat
}

// discoverRoom asks the network about a room that is not known here yet.
func (g *Gateway) discoverRoom(ctx context.Context, accounts []*account, st *stanza.Stanza) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	id := transports.RoomID(networkID(st.To))
	e := stanza.ItemNotFound("There is no such room that you can see.")
	for _, a := range accounts {
		session := a.ready()
		if session == nil {
			e = stanza.RecipientUnavailable(g.info.Name + " cannot be reached at the moment.")
			continue
		}
		info, err := session.Room(ctx, id)
		if err != nil {
			if transports.ClassOf(err) != transports.Refused {
				e = stanzaError(err)
			}
			continue
		}
		if info.Kind == transports.Direct || info.ID != id {
			continue
		}
		if row, err := g.knowRoom(ctx, a, info); err == nil {
			g.toRoom(row, st)
			return
		}
	}
	g.refuse(st, e)
}

// toRoom hands a stanza to the room's worker.
func (g *Gateway) toRoom(id int64, st *stanza.Stanza) {
	if !g.post(id, false, func(ctx context.Context, w *worker) { w.handle(ctx, st) }) {
		g.refuse(st, stanza.ResourceConstraint("This room is too busy."))
	}
}

// toContact takes what is for a person of the network.
func (g *Gateway) toContact(accounts []*account, user transports.UserID, st *stanza.Stanza) {
	a := g.accountWith(g.ctx, accounts, user)
	switch st.Kind {
	case stanza.Message:
		g.messageToContact(a, user, st)
	case stanza.Presence:
		g.presenceToContact(a, user, st)
	case stanza.IQ:
		if !g.spawn(func(ctx context.Context) { g.iqToContact(ctx, a, user, st) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
	}
}

// accountWith is the account by which a user talks with a person: the one that did, or
// that sees them, else the first.
func (g *Gateway) accountWith(ctx context.Context, accounts []*account, user transports.UserID) *account {
	if len(accounts) > 1 {
		for _, a := range accounts {
			if _, ok, err := g.store.FindRoom(ctx, a.id, placeKey(transports.Direct, "", user)); ok && err == nil {
				return a
			}
		}
		for _, a := range accounts {
			if g.sees(ctx, a, user) {
				return a
			}
		}
	}
	return accounts[0]
}

// messageToContact is a message for a person.
func (g *Gateway) messageToContact(a *account, user transports.UserID, st *stanza.Stanza) {
	switch st.Type {
	case stanza.TypeError:
		return // about something of ours; there is nobody to tell
	case stanza.TypeGroupchat:
		g.refuse(st, stanza.ItemNotFound("There is no such room that you can see."))
		return
	case stanza.TypeHeadline:
		g.refuse(st, stanza.ServiceUnavailable(""))
		return
	}
	if g.info.Caps.Direct || g.knownPeer(a, user) {
		if err := g.sayTo(g.ctx, a, user, st); err != nil {
			g.refuse(st, stanzaErrorOf(err))
		}
		return
	}
	g.refuse(st, stanza.ItemNotFound(g.info.Name+" lets you write only to people who have written to you."))
}

// knownPeer tells whether there is a conversation with a person.
func (g *Gateway) knownPeer(a *account, user transports.UserID) bool {
	_, ok, err := g.store.FindRoom(g.ctx, a.id, placeKey(transports.Direct, "", user))
	return ok && err == nil
}

// stanzaErrorOf is the error for the sender of a stanza.
func stanzaErrorOf(err error) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	return stanzaError(err)
}
