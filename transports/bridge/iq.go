package bridge

import (
	"context"
	"runtime/debug"
	"strconv"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// toGateway takes what is for the gateway's own address.
func (g *Gateway) toGateway(st *stanza.Stanza) {
	switch {
	case st.Kind == stanza.Presence:
		if st.Type != stanza.TypeError {
			g.presenceToGateway(st)
		}
	case st.Kind == stanza.Message:
		if !g.privilegeGranted(st) {
			g.messageToGateway(st)
		}
	case !st.IsRequest():
		g.queries.answered(st)
	default:
		if !g.spawn(func(ctx context.Context) { g.answerIQ(ctx, st, g.gatewayIQ) }) {
			g.refuse(st, stanza.ServiceUnavailable(""))
		}
	}
}

// answerIQ answers a request by what a handler makes of it.
func (g *Gateway) answerIQ(ctx context.Context, st *stanza.Stanza, handle func(context.Context, *stanza.Stanza) (*stanza.Element, error)) {
	x, err := func() (x *stanza.Element, err error) {
		defer func() {
			if v := recover(); v != nil {
				g.Counters.Panics.Add(1)
				g.log.Error("panic", "where", "iq", "panic", v, "stack", string(debug.Stack()))
				err = stanza.InternalServerError()
			}
		}()
		return handle(ctx, st)
	}()
	if err != nil {
		e := stanzaErrorOf(err)
		if e.Condition == "internal-server-error" {
			g.log.Error("answering a request", "error", err)
		}
		g.refuse(st, e)
		return
	}
	g.send(st.Result(x))
}

// gatewayIQ are the requests that the gateway itself answers.
func (g *Gateway) gatewayIQ(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	x := st.Payload1()
	if x == nil {
		return nil, stanza.BadRequest("An IQ request has one child element.")
	}
	get := st.Type == stanza.TypeGet
	switch {
	case x.Is(nsDiscoInfo, "query") && get:
		return g.discoInfo(ctx, st, x)
	case x.Is(nsDiscoItems, "query") && get:
		return g.discoItems(ctx, st, x)
	case x.Is(nsCommands, "command") && !get:
		return g.commands.Handle(ctx, st)
	case x.Is(nsRegister, "query"):
		return g.registerIQ(ctx, st)
	case x.Is(nsGateway, "query"):
		return g.promptIQ(st, x)
	case x.Is(nsPing, "ping") && get:
		return nil, nil
	case x.Is(nsVersion, "query") && get:
		return g.versionElement(), nil
	case x.Is(nsLast, "query") && get: // XEP-0012 §4: how long it has been up
		return stanza.NewElement(nsLast, "query").With("seconds", strconv.Itoa(int(g.now().Sub(g.since).Seconds()))), nil
	case x.Is(nsVCard, "vCard") && get:
		return stanza.NewElement(nsVCard, "vCard").Add(
			stanza.TextElement(nsVCard, "FN", g.info.Name), stanza.TextElement(nsVCard, "DESC", "Gateway to "+g.info.Name)), nil
	}
	return nil, stanza.ServiceUnavailable("")
}

// software is what the gateway calls itself.
func (g *Gateway) software() string { return "Dragoman " + g.info.Name + " gateway" }

// versionElement is XEP-0092.
func (g *Gateway) versionElement() *stanza.Element {
	return stanza.NewElement(nsVersion, "query").Add(
		stanza.TextElement(nsVersion, "name", g.software()), stanza.TextElement(nsVersion, "version", g.version))
}

// promptIQ turns what a person knows of a contact into an address (XEP-0100 §6).
func (g *Gateway) promptIQ(st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	answer := stanza.NewElement(nsGateway, "query")
	if st.Type == stanza.TypeGet {
		return answer.Add(
			stanza.TextElement(nsGateway, "desc", "Enter the id of the person or room on "+g.info.Name+"."),
			stanza.TextElement(nsGateway, "prompt", g.info.Name+" id")), nil
	}
	id := x.ChildText(nsGateway, "prompt")
	if id == "" || len(id) > maxID {
		return nil, stanza.BadRequest("There is no id.")
	}
	j, err := g.contactJID(transports.UserID(id))
	if err != nil {
		return nil, stanza.ItemNotFound("This cannot be an id of " + g.info.Name + ".")
	}
	return answer.Add(stanza.TextElement(nsGateway, "jid", j.String())), nil
}

// iqToContact answers for a person of the network.
func (g *Gateway) iqToContact(ctx context.Context, a *account, user transports.UserID, st *stanza.Stanza) {
	x := st.Payload1()
	if x.Is(nsVCard, "vCard") && st.Type == stanza.TypeGet {
		g.answerVCard(ctx, a, user, st)
		return
	}
	g.answerIQ(ctx, st, func(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
		if x == nil {
			return nil, stanza.BadRequest("An IQ request has one child element.")
		}
		get := st.Type == stanza.TypeGet
		switch {
		case x.Is(nsDiscoInfo, "query") && get:
			return g.contactInfo(ctx, a, user, x)
		case x.Is(nsDiscoItems, "query") && get:
			return disco.ItemsElement(x.Attr("node"), nil, nil), nil
		case x.Is(nsPing, "ping") && get:
			return nil, nil
		case x.Is(nsVersion, "query") && get:
			return g.versionElement(), nil
		}
		return nil, stanza.ServiceUnavailable("")
	})
}

// answerVCard tells who a person is (XEP-0054).
func (g *Gateway) answerVCard(ctx context.Context, a *account, user transports.UserID, st *stanza.Stanza) {
	g.answerIQ(ctx, st, func(ctx context.Context, _ *stanza.Stanza) (*stanza.Element, error) {
		u, ok := g.profile(ctx, a, user)
		if ok {
			g.people.put(u)
			return vcard(u), nil
		}
		if !g.sees(ctx, a, user) { // what other users' accounts have learned is theirs
			return nil, stanza.ItemNotFound("")
		}
		u, ok, err := g.store.Puppet(ctx, user)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, stanza.ItemNotFound("")
		}
		return vcard(u), nil
	})
}

func vcard(u transports.UserInfo) *stanza.Element {
	v := stanza.NewElement(nsVCard, "vCard")
	text := func(name, value string) {
		if value != "" {
			v.Add(stanza.TextElement(nsVCard, name, value))
		}
	}
	text("FN", displayName(u))
	text("NICKNAME", u.Handle)
	text("TITLE", u.Title)
	text("URL", u.URL)
	if u.Email != "" {
		v.Add(stanza.NewElement(nsVCard, "EMAIL").Add(stanza.NewElement(nsVCard, "INTERNET"), stanza.TextElement(nsVCard, "USERID", u.Email)))
	}
	if u.Phone != "" {
		v.Add(stanza.NewElement(nsVCard, "TEL").Add(stanza.NewElement(nsVCard, "VOICE"), stanza.TextElement(nsVCard, "NUMBER", u.Phone)))
	}
	if u.Avatar != "" {
		v.Add(stanza.NewElement(nsVCard, "PHOTO").Add(stanza.TextElement(nsVCard, "EXTVAL", u.Avatar)))
	}
	return v
}

// roomsOf are the rooms that a user can see, for people and for service discovery.
func (g *Gateway) roomsOf(ctx context.Context, owner jid.JID, limit int) ([]disco.Item, error) {
	var items []disco.Item
	known := map[jid.JID]bool{}
	for _, a := range g.accountsOf(owner) {
		for after := int64(0); len(items) < limit; {
			page, err := g.store.LoginRooms(ctx, a.id, after, roomsPage)
			if err != nil {
				return nil, err
			}
			for _, r := range page {
				after = r.ID
				j, err := g.roomJID(r.Room.Net)
				if r.Kind == transports.Direct || r.Room.Net == "" || err != nil || known[j] || len(items) == limit {
					continue
				}
				known[j] = true
				name := r.Name
				if name == "" {
					name = string(r.Room.Net)
				}
				items = append(items, disco.Item{JID: j, Name: name})
			}
			if len(page) < roomsPage {
				break
			}
		}
	}
	return items, nil
}
