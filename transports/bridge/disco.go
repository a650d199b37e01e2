package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// capsNode names the software in capabilities (XEP-0115 §4).
const capsNode = "https://github.com/dragoman-im/dragoman"

// about is what the gateway says of itself.
func (g *Gateway) about() disco.Info {
	return disco.Info{
		Identities: []disco.Identity{{Category: "gateway", Type: g.info.Type, Name: g.info.Name}, {Category: "conference", Type: "text", Name: g.info.Name}},
		Features: []string{
			nsDiscoInfo, nsDiscoItems, nsCommands, nsRegister, nsGateway, nsPing, nsVersion, nsLast, nsVCard, nsMUC, nsRSM,
		},
		Forms: []*form.Form{disco.SoftwareForm(g.software(), g.version, "")}, // XEP-0232
	}
}

func (g *Gateway) capsElement() *stanza.Element { return g.about().Caps(capsNode).Element() }

// discoInfo answers for the gateway and its commands (XEP-0030).
func (g *Gateway) discoInfo(ctx context.Context, st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	node := x.Attr("node")
	about := g.about()
	switch node {
	case "", about.Caps(capsNode).InfoNode():
		return about.Element(node), nil
	}
	info, err := g.commands.DiscoInfo(ctx, disco.Query{To: st.To, From: st.From, Node: node})
	if err != nil {
		return nil, err
	}
	return info.Element(node), nil
}

// discoItems lists the rooms that the asker can see, and the commands.
func (g *Gateway) discoItems(ctx context.Context, st *stanza.Stanza, x *stanza.Element) (*stanza.Element, error) {
	if node := x.Attr("node"); node != "" {
		items, err := g.commands.DiscoItems(ctx, disco.Query{To: st.To, From: st.From, Node: node})
		if err != nil {
			return nil, err
		}
		return disco.Paged(x, items)
	}
	items, err := g.roomsOf(ctx, st.From.Bare(), g.set.Rooms)
	if err != nil {
		return nil, err
	}
	return disco.Paged(x, items)
}

// contactInfo is what a person of the network can do.
func (g *Gateway) contactInfo(ctx context.Context, a *account, user transports.UserID, x *stanza.Element) (*stanza.Element, error) {
	if x.Attr("node") != "" {
		return nil, stanza.ItemNotFound("")
	}
	u := transports.UserInfo{ID: user}
	if g.meets(ctx, a, user) {
		u = g.person(ctx, a, user, "")
	}
	kind := "pc"
	if u.Bot {
		kind = "bot"
	}
	info := disco.Info{
		Identities: []disco.Identity{{Category: "client", Type: kind, Name: displayName(u)}, {Category: "account", Type: "registered"}},
		Features:   []string{nsDiscoInfo, nsDiscoItems, nsPing, nsVersion, nsVCard, nsReceipts, nsReply},
	}
	caps := g.info.Caps
	for _, f := range []struct {
		have bool
		ns   string
	}{{caps.Edit, nsCorrect}, {caps.Delete, nsRetract}, {caps.React, nsReactions}, {caps.Typing, nsStates}, {caps.Read, nsMarkers}} {
		if f.have {
			info.Features = append(info.Features, f.ns)
		}
	}
	return info.Element(""), nil
}
