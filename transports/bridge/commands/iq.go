package commands

import (
	"context"
	"strconv"

	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// refuse answers a stanza with an error.
func (c *Commands) refuse(st *stanza.Stanza, e *stanza.Error) { c.env.Send(st.ErrorReply(e)) }

// IQ answers a request to the gateway itself.
func (c *Commands) IQ(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	x := st.FirstChild()
	if x == nil {
		return nil, stanza.BadRequest("An IQ request has one child element.")
	}
	get := st.Type == stanza.TypeGet
	switch {
	case x.Is(convert.NSDiscoInfo, "query") && get:
		return c.discoInfo(ctx, st, x)
	case x.Is(convert.NSDiscoItems, "query") && get:
		return c.discoItems(ctx, st, x)
	case x.Space == pubsub.NS, x.Space == pubsub.NSOwner:
		return c.spaces.Handle(ctx, st)
	case channelsearch.Handles(x):
		return c.searches.Handle(ctx, st)
	case x.Is(convert.NSCommands, "command") && !get:
		return c.engine.Handle(ctx, st)
	case x.Is(convert.NSRegister, "query"):
		return c.registerIQ(ctx, st)
	case x.Is(convert.NSSearch, "query"):
		return c.people.Handle(ctx, st)
	case x.Is(convert.NSGateway, "query"):
		return c.prompt(st, x)
	case x.Is(convert.NSPing, "ping") && get:
		return nil, nil
	case x.Is(convert.NSVersion, "query") && get:
		return convert.Version(c.env.Info, c.env.Version), nil
	case x.Is(convert.NSLast, "query") && get: // XEP-0012 §4: how long it has been up
		seconds := int(c.env.Now().Sub(c.since).Seconds())
		return stanza.NewElement(convert.NSLast, "query").With("seconds", strconv.Itoa(seconds)), nil
	case x.Is(convert.NSVCard, "vCard") && get:
		return stanza.NewElement(convert.NSVCard, "vCard").Add(
			stanza.TextElement(convert.NSVCard, "FN", c.env.Info.Name), stanza.TextElement(convert.NSVCard, "DESC", "Gateway to "+c.env.Info.Name)), nil
	}
	return nil, stanza.ServiceUnavailable("")
}

// discoInfo answers for the gateway and its commands (XEP-0030).
func (c *Commands) discoInfo(ctx context.Context, st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	node := x.Attr("node")
	about := convert.GatewayInfo(c.env.Info, c.env.Version)
	if node == "" || about.IsAnnounced(convert.CapsNode, node) {
		return about.Element(node), nil
	}
	var info disco.Info
	var err error
	if c.engine.Has(node) {
		info, err = c.engine.DiscoInfo(ctx, disco.Query{To: st.To, From: st.From, Node: node})
	} else {
		info, err = c.spaces.Info(ctx, st.From.Bare(), node)
	}
	if err != nil {
		return nil, err
	}
	return info.Element(node), nil
}

// discoItems lists the rooms that the asker can see and the spaces that they are in, and the commands.
func (c *Commands) discoItems(ctx context.Context, st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	var items []disco.Item
	var err error
	node, who := x.Attr("node"), st.From.Bare()
	switch {
	case c.engine.Has(node):
		items, err = c.engine.DiscoItems(ctx, disco.Query{To: st.To, From: st.From, Node: node})
	case node != "":
		items, err = c.spaces.Items(ctx, who, node)
	default:
		if items, err = c.rooms.List(ctx, who, c.env.Settings.Rooms); err != nil {
			return nil, err
		}
		var spaces []disco.Item
		spaces, err = c.spaces.Items(ctx, who, "")
		items = append(items, spaces...)
	}
	if err != nil {
		return nil, err
	}
	return disco.ItemsPage(x, items)
}

// prompt turns what a person knows of a contact into an address (XEP-0100 §6).
func (c *Commands) prompt(st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	network := c.env.Info.Name
	answer := stanza.NewElement(convert.NSGateway, "query")
	if st.Type == stanza.TypeGet {
		return answer.Add(
			stanza.TextElement(convert.NSGateway, "desc", "Enter the id of the person or room on "+network+"."),
			stanza.TextElement(convert.NSGateway, "prompt", network+" id")), nil
	}
	id := x.ChildText(convert.NSGateway, "prompt")
	if id == "" || len(id) > convert.MaxID {
		return nil, stanza.BadRequest("There is no id.")
	}
	j, err := convert.Addresses{Domain: c.env.Domain}.Contact(transports.UserID(id))
	if err != nil {
		return nil, stanza.ItemNotFound("This cannot be an id of " + network + ".")
	}
	return answer.Add(stanza.TextElement(convert.NSGateway, "jid", j.String())), nil
}
