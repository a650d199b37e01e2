package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
)

// receive handles every stanza for the gateway's domain. It must not block: whatever waits for the network runs in a
// goroutine of the Group or in a conversation's mailbox.
func (g *Gateway) receive(st *stanza.Stanza) {
	defer g.env.Recover("receive")
	if st.From.IsZero() || st.To.Domain() != g.env.Domain.Domain() {
		return
	}
	if g.xmpp.links.Handle(st) {
		return
	}
	if !g.env.Settings.Accepts(st.From) {
		g.refuse(st, stanza.NotAllowed("This gateway does not serve your server."))
		return
	}
	answer := st.Type == stanza.TypeError || st.Type == stanza.TypeResult
	if !answer && st.Kind != stanza.Presence && !g.limiter.Allow(st.From.Bare()) {
		g.env.Counters.Limited.Add(1)
		g.refuse(st, stanza.ResourceConstraint("You send too much at once."))
		return
	}
	g.env.Trace("stanza in")
	switch {
	case st.To.Local() == "":
		g.toGateway(st)
	case st.Kind == stanza.IQ && answer:
		g.xmpp.roster.Requests.Answer(st)
	default:
		g.toAddress(st)
	}
}

// refuse answers a stanza with an error, unless it must not be answered.
func (g *Gateway) refuse(st *stanza.Stanza, e *stanza.Error) {
	if st.Kind == stanza.Presence && st.Type == stanza.TypeUnavailable {
		return
	}
	g.env.Send(st.ErrorReply(e))
}

// toGateway handles a stanza for the gateway's own address.
func (g *Gateway) toGateway(st *stanza.Stanza) {
	switch {
	case st.Kind == stanza.Presence:
		if st.Type != stanza.TypeError {
			g.xmpp.presence.ToGateway(st)
		}
	case st.Kind == stanza.Message:
		if !g.xmpp.roster.Granted(st) {
			g.xmpp.commands.Message(st)
		}
	case !st.IsRequest():
		g.xmpp.roster.Requests.Answer(st)
	default:
		if !g.env.Group.Go(func(ctx context.Context) { g.answer(ctx, st, g.xmpp.commands.IQ) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
	}
}

// answer replies to an IQ request with the result or the error of a handler.
func (g *Gateway) answer(ctx context.Context, st *stanza.Stanza, handle func(context.Context, *stanza.Stanza) (*stanza.Element, error)) {
	x, err := func() (x *stanza.Element, err error) {
		defer func() {
			if v := recover(); v != nil {
				g.env.Panicked("iq", v)
				err = stanza.InternalServerError()
			}
		}()
		return handle(ctx, st)
	}()
	if err != nil {
		e := convert.StanzaError(err)
		if e.Condition == "internal-server-error" {
			g.env.Log.Error("answer a request", "error", err)
		}
		g.refuse(st, e)
		return
	}
	g.env.Send(st.Result(x))
}

// toAddress handles a stanza for a contact or a room.
func (g *Gateway) toAddress(st *stanza.Stanza) {
	id := convert.NetworkID(st.To)
	if len(id) > convert.MaxID {
		g.refuse(st, stanza.ItemNotFound(""))
		return
	}
	list := g.logins.Of(st.From)
	if len(list) == 0 {
		g.fromUnlinked(st)
		return
	}
	room, found, err := g.xmpp.rooms.Index.Visible(g.env.Group.Context(), list, id)
	switch {
	case err != nil:
		g.env.Log.Error("find a room", "error", err)
		g.refuse(st, stanza.FromError(err))
	case found == rooms.Visible:
		g.toRoom(room, st)
	case wantsRoom(st):
		if !g.env.Group.Go(func(ctx context.Context) { g.discoverRoom(ctx, list, st) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
	case found == rooms.Hidden: // the room exists, but none of the sender's logins sees it
		g.refuse(st, stanza.ItemNotFound("There is no such room that you can see."))
	default:
		g.toContact(list, transports.UserID(id), st)
	}
}

// fromUnlinked answers a stanza of a user who has no login.
func (g *Gateway) fromUnlinked(st *stanza.Stanza) {
	switch {
	case st.Type == stanza.TypeError || st.Type == stanza.TypeResult:
	case st.Kind == stanza.Presence && st.Child(convert.NSMUC, "x") == nil:
		switch st.Type {
		case stanza.TypeSubscribe:
			if !g.env.Group.Go(func(ctx context.Context) { g.xmpp.roster.Refuse(ctx, st) }) {
				g.refuse(st, stanza.ServiceUnavailable(""))
			}
		case stanza.TypeProbe:
			g.env.Send(stanza.NewPresence(st.From, st.To.Bare(), stanza.TypeUnsubscribed)) // RFC 6121 §4.3.2
		}
	case st.Kind == stanza.IQ && !g.env.Settings.MayUse(st.From):
		g.refuse(st, stanza.ServiceUnavailable(""))
	default:
		g.refuse(st, stanza.RegistrationRequired("Please link your "+g.env.Info.Name+" account first: write to "+g.env.Domain.String()+"."))
	}
}

// wantsRoom reports whether a stanza can only be meant for a room: a join or a groupchat message.
func wantsRoom(st *stanza.Stanza) bool {
	return st.Kind == stanza.Presence && st.Type == "" && st.Child(convert.NSMUC, "x") != nil ||
		st.Kind == stanza.Message && st.Type == stanza.TypeGroupchat
}

// discoverRoom asks the network about a room that none of a user's logins is known to see.
func (g *Gateway) discoverRoom(ctx context.Context, list []*logins.Login, st *stanza.Stanza) {
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	id := transports.RoomID(convert.NetworkID(st.To))
	e := stanza.ItemNotFound("There is no such room that you can see.")
	for _, l := range list {
		client := l.Client()
		if client == nil {
			e = stanza.RecipientUnavailable(g.env.Info.Name + " cannot be reached at the moment.")
			continue
		}
		info, err := client.Room(ctx, id)
		if err != nil {
			if transports.ClassOf(err) != transports.Refused {
				e = convert.NetworkError(err)
			}
			continue
		}
		if info.Kind == transports.Direct || info.ID != id {
			continue
		}
		if row, ok, err := g.xmpp.rooms.Learn(ctx, l, info); ok && err == nil {
			g.toRoom(row, st)
			return
		}
	}
	g.refuse(st, e)
}

// toRoom queues a stanza in the mailbox of a room's conversation.
func (g *Gateway) toRoom(id int64, st *stanza.Stanza) {
	if !g.enqueue(id, func(ctx context.Context, p *parts) { p.room.Handle(ctx, st) }) {
		g.refuse(st, stanza.ResourceConstraint("This room is too busy."))
	}
}

// toContact handles a stanza for a person of the network.
func (g *Gateway) toContact(list []*logins.Login, user transports.UserID, st *stanza.Stanza) {
	l := g.loginWith(g.env.Group.Context(), list, user)
	switch st.Kind {
	case stanza.Message:
		g.messageToContact(l, user, st)
	case stanza.Presence:
		g.xmpp.presence.ToContact(l, user, st)
	case stanza.IQ:
		if !g.env.Group.Go(func(ctx context.Context) { g.iqToContact(ctx, l, user, st) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
	}
}

// loginWith returns the login by which a user writes to a person: one that has a direct chat with them, else one that
// sees them, else the first.
func (g *Gateway) loginWith(ctx context.Context, list []*logins.Login, user transports.UserID) *logins.Login {
	if len(list) > 1 {
		for _, l := range list {
			if g.xmpp.rooms.Index.HasDirect(ctx, l, user) {
				return l
			}
		}
		for _, l := range list {
			if g.xmpp.people.Sees(ctx, l, user) {
				return l
			}
		}
	}
	return list[0]
}

// messageToContact handles a message for a person.
func (g *Gateway) messageToContact(l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	ctx := g.env.Group.Context()
	switch st.Type {
	case stanza.TypeError: // the answer to a message of the contact; the network has no equivalent
	case stanza.TypeGroupchat:
		g.refuse(st, stanza.ItemNotFound("There is no such room that you can see."))
	case stanza.TypeHeadline:
		g.refuse(st, stanza.ServiceUnavailable(""))
	default:
		if !g.env.Info.Caps.Direct && !g.xmpp.rooms.Index.HasDirect(ctx, l, user) {
			g.refuse(st, stanza.ItemNotFound(g.env.Info.Name+" lets you write only to people who have written to you."))
			return
		}
		if err := g.SendDirect(ctx, l, user, st); err != nil {
			g.refuse(st, convert.StanzaError(err))
		}
	}
}

// iqToContact answers an IQ request to a person of the network.
func (g *Gateway) iqToContact(ctx context.Context, l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	x := st.FirstChild()
	if x.Is(convert.NSVCard, "vCard") && st.Type == stanza.TypeGet {
		g.xmpp.people.AnswerVCard(ctx, l, user, st)
		return
	}
	g.answer(ctx, st, func(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
		if x == nil {
			return nil, stanza.BadRequest("An IQ request has one child element.")
		}
		if !g.xmpp.people.Meets(ctx, l, user) {
			return nil, stanza.ItemNotFound(g.env.Info.Name + " shows you nobody of this address.")
		}
		get := st.Type == stanza.TypeGet
		switch {
		case x.Is(convert.NSDiscoInfo, "query") && get:
			return g.contactInfo(ctx, l, user, x)
		case x.Is(convert.NSDiscoItems, "query") && get:
			return disco.ItemsElement(x.Attr("node"), nil, nil), nil
		case x.Is(convert.NSPing, "ping") && get:
			return nil, nil
		case x.Is(convert.NSVersion, "query") && get:
			return convert.Version(g.env.Info, g.env.Version), nil
		}
		return nil, stanza.ServiceUnavailable("")
	})
}

// contactInfo describes a person of the network (XEP-0030).
func (g *Gateway) contactInfo(ctx context.Context, l *logins.Login, user transports.UserID, x *stanza.Element) (*stanza.Element, error) {
	if x.Attr("node") != "" {
		return nil, stanza.ItemNotFound("")
	}
	return convert.ContactInfo(g.env.Info, g.xmpp.people.Lookup(ctx, l, user, "")).Element(""), nil
}
