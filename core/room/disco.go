package room

import (
	"context"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	nodeTraffic = "http://jabber.org/protocol/muc#traffic" // XEP-0045 §18.1.1
)

// NodeNick is the node of disco#info at which a client asks for its nickname in the room (XEP-0045 §7.12).
const NodeNick = "x-roomuser-item"

// itemsPage is how many occupants a page of disco#items has.
const itemsPage = 500

// discoInfo answers for the room (XEP-0045 §6.4).
func (r *Room) discoInfo(ctx context.Context, st *stanza.Stanza, query *stanza.Element) (*stanza.Element, error) {
	switch node := query.Attr("node"); node {
	case "":
		return r.describe(ctx, st.From), nil
	case NodeNick:
		x := stanza.NewElement(nsDiscoInfo, "query").With("node", node)
		nick := r.nickOf(st.From)
		if nick == "" && r.info.More != nil {
			nick = r.info.More.Nick(ctx, st.From)
		}
		if nick != "" { // clients ask the person otherwise
			x.Add(identity(nick))
		}
		return x, nil
	case nodeTraffic: // no traffic is filtered, so there is nothing to list
		return nil, stanza.ServiceUnavailable("")
	}
	return r.queryOwner(ctx, st, nil)
}

// nickOf returns the nick that a JID has reserved in the room, or that it has there because a network gives it.
func (r *Room) nickOf(who jid.JID) string {
	if s := r.lists.Entry(who.Bare()); s.Nick != "" {
		return s.Nick
	}
	if s := r.occupants.BySession(who); s != nil && s.Occupant.Puppet != nil {
		return s.Occupant.Nick
	}
	return ""
}

// identity is that of XEP-0045 §6.4, also of rooms of networks: Converse.js takes the name of a room from no other.
func identity(name string) *stanza.Element {
	return stanza.NewElement(nsDiscoInfo, "identity").With("category", "conference").With("type", "text").With("name", name)
}

func (r *Room) describe(ctx context.Context, asker jid.JID) *stanza.Element {
	x := stanza.NewElement(nsDiscoInfo, "query").Add(identity(r.info.Name))
	more, forms := r.info.For(ctx, asker)
	for _, f := range r.features(more) {
		x.Add(stanza.NewElement(nsDiscoInfo, "feature").With("var", f))
	}
	return x.Add(r.roomInfo(asker).Element()).Add(forms...)
}

// features lists what the room supports and how it is configured (XEP-0045 §16.3), sorted. The last are those of its Info.
func (r *Room) features(more []string) []string {
	list := []string{
		muc.NS, muc.NSStable, muc.NSRequest, rules.NSRoomInfo, rules.NSRoomConfig, nsSelfPing, message.NSStanzaID, muc.NSOccupantID, muc.NSPing,
		nsDiscoInfo, nsDiscoItems, paging.NS, form.NS, hats.NS,
	}
	list = append(list, r.config.Features()...)
	if r.saver != nil {
		list = append(list, muc.NSVersions) // XEP-0463 §4
	}
	if r.saver != nil || r.config.Registers() { // XEP-0045 §7.10
		list = append(list, nsRegister, rules.NSRegisterForm)
	}
	if r.info.AvatarHash != "" { // XEP-0486 §3.1
		list = append(list, muc.NSVCard)
	}
	list = append(list, more...)
	slices.Sort(list)
	return slices.Compact(list)
}

// roomInfo returns the muc#roominfo form (XEP-0045 §16.5.4). Only occupants see the subject of an unlisted room.
func (r *Room) roomInfo(asker jid.JID) *form.Form {
	now := rules.Now{Occupants: len(r.occupants.All()), History: r.limits.History, Hats: r.hats.Hash()}
	if r.occupants.BySession(asker) != nil || r.config.Listed {
		now.Subject = r.subject.Text
	}
	return rules.RoomInfo(r.info, r.config, now)
}

// discoItems lists the occupants, but only for an occupant (XEP-0045 §6.5).
func (r *Room) discoItems(ctx context.Context, st *stanza.Stanza, query *stanza.Element) (*stanza.Element, error) {
	x := stanza.NewElement(nsDiscoItems, "query").With("node", query.Attr("node"))
	if query.Attr("node") != "" {
		x, err := r.queryOwner(ctx, st, nil)
		if e := (*stanza.Error)(nil); errors.As(err, &e) && e.Condition == "service-unavailable" {
			err = stanza.ItemNotFound("") // XEP-0030 §4.2
		}
		return x, err
	}
	if r.occupants.BySession(st.From) == nil {
		return x, nil
	}
	request, paged, err := paging.Parse(query)
	if err != nil {
		return nil, err
	}
	page, answer, err := paging.List(r.occupants.All(), func(o *occupants.Occupant) string { return o.ID }, request.Limit(itemsPage, itemsPage))
	if err != nil {
		return nil, err
	}
	for _, o := range page {
		x.Add(stanza.NewElement(nsDiscoItems, "item").With("jid", o.JID.String()).With("name", o.Nick))
	}
	if paged || len(page) < len(r.occupants.All()) {
		x.Add(answer.Element())
	}
	return x, nil
}
