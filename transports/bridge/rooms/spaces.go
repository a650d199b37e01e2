package rooms

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// spaceItems is how many rooms of a space an answer has at most; the rest is on further pages.
const spaceItems = 500

// Spaces shows the workspaces and servers of the network as spaces (XEP-0503): nodes of the gateway's address, which only those see
// who see a room in them. They can be changed only on the network.
type Spaces struct{ rooms *Rooms }

// Spaces returns the spaces.
func (r *Rooms) Spaces() *Spaces { return &Spaces{r} }

// space is a workspace as one account sees it.
type space struct {
	id    transports.SpaceID
	name  string
	rooms map[jid.JID]string // names
}

// of returns the spaces of an account, by id.
func (s *Spaces) of(ctx context.Context, owner jid.JID) (map[transports.SpaceID]*space, error) {
	found := map[transports.SpaceID]*space{}
	for _, l := range s.rooms.logins.Of(owner) {
		left := s.rooms.env.Settings.Rooms
		err := s.rooms.each(ctx, l, func(row tables.ListedRoom) bool {
			j, err := s.rooms.address.Room(row.Net)
			if row.Direct() || row.Net == "" || row.Space == "" || err != nil {
				return true
			}
			p := found[row.Space]
			if p == nil {
				p = &space{id: row.Space, rooms: map[jid.JID]string{}}
				found[row.Space] = p
			}
			if p.name == "" {
				p.name = row.Group
			}
			p.rooms[j] = convert.RoomTitle(row.Room)
			left--
			return left > 0
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// find returns one space; to those who do not see it there is none.
func (s *Spaces) find(ctx context.Context, owner jid.JID, node string) (*space, error) {
	all, err := s.of(ctx, owner)
	if err != nil {
		return nil, err
	}
	p := all[transports.SpaceID(node)]
	if p == nil {
		return nil, stanza.ItemNotFound("")
	}
	return p, nil
}

// title is what the space is called.
func (p *space) title() string {
	if p.name == "" {
		return string(p.id)
	}
	return p.name
}

// addresses are those of the rooms, sorted.
func (p *space) addresses() []jid.JID {
	return slices.SortedFunc(maps.Keys(p.rooms), func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
}

// Items lists the spaces of an account, or the rooms of one of them by the ids of their items (XEP-0503 §5.1, §5.4).
func (s *Spaces) Items(ctx context.Context, owner jid.JID, node string) (list []disco.Item, err error) {
	if node != "" {
		p, err := s.find(ctx, owner, node)
		if err != nil {
			return nil, err
		}
		for _, j := range p.addresses() {
			list = append(list, disco.Item{JID: s.rooms.env.Domain, Name: j.String()})
		}
		return list, nil
	}
	all, err := s.of(ctx, owner)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, disco.Item{JID: s.rooms.env.Domain, Node: string(id), Name: all[id].title()})
	}
	return list, err
}

// Info describes a space (XEP-0503 §5.2).
func (s *Spaces) Info(ctx context.Context, owner jid.JID, node string) (disco.Info, error) {
	p, err := s.find(ctx, owner, node)
	if err != nil {
		return disco.Info{}, err
	}
	f := form.New(form.Result, "http://jabber.org/protocol/pubsub#meta-data", "")
	f.Text("pubsub#type", "", pubsub.NSSpaces).Text("pubsub#title", "", p.title()).Text("pubsub#access_model", "", string(pubsub.Whitelist))
	gateway := s.rooms.env.Domain.String()
	f.Text("pubsub#creator", "", gateway).Add(form.Field{Var: "pubsub#owner", Type: form.JIDMulti, Values: []string{gateway}})
	return disco.Info{
		Identities: []disco.Identity{{Category: "pubsub", Type: "leaf", Name: p.title()}}, Features: []string{pubsub.NS}, Forms: []*form.Form{f},
	}, nil
}

// Handle answers requests of XEP-0060: the rooms of a space are read, and nothing is changed here.
func (s *Spaces) Handle(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	x := st.FirstChild()
	var action *stanza.Element
	for e := range x.Elements() {
		if action == nil {
			action = e
		}
	}
	if x.Local != "pubsub" || action == nil {
		return nil, stanza.BadRequest("")
	}
	network := s.rooms.env.Info.Name
	switch {
	case action.Is(pubsub.NS, "items") && st.Type == stanza.TypeGet:
		return s.read(ctx, st.From.Bare(), x, action)
	case action.Is(pubsub.NS, "affiliations") && st.Type == stanza.TypeGet:
		return s.affiliations(ctx, st.From.Bare(), action.Attr("node"))
	case action.Local == "subscribe", action.Local == "unsubscribe": // XEP-0060 §6.1.3.10
		return nil, stanza.FeatureNotImplemented("Whoever has linked an account of " + network + " belongs to its spaces. Please join or leave them there.")
	case st.Type == stanza.TypeSet:
		return nil, stanza.NotAllowed("This space belongs to " + network + ". Please change it there.")
	}
	return nil, stanza.FeatureNotImplemented("")
}

// read returns rooms of a space as bookmarks (XEP-0503 §5.4, XEP-0402).
func (s *Spaces) read(ctx context.Context, owner jid.JID, x, action *stanza.Element) (*stanza.Element, error) {
	p, err := s.find(ctx, owner, action.Attr("node"))
	if err != nil {
		return nil, err
	}
	list := p.addresses()
	wanted := map[string]bool{}
	for i := range action.Named(pubsub.NS, "item") {
		wanted[i.Attr("id")] = true
	}
	if len(wanted) > 0 {
		list = slices.DeleteFunc(list, func(j jid.JID) bool { return !wanted[j.String()] })
	}
	request, paged, err := paging.Parse(x)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(action.Attr("max_items")); err == nil && n > 0 && !paged {
		request.Max = n
	}
	page, answer, err := paging.List(list, jid.JID.String, request.Limit(spaceItems, spaceItems))
	if err != nil {
		return nil, err
	}
	items := stanza.NewElement(pubsub.NS, "items").With("node", string(p.id))
	for _, j := range page {
		items.Add(stanza.NewElement(pubsub.NS, "item").With("id", j.String()).Add(
			stanza.NewElement("urn:xmpp:bookmarks:1", "conference").With("name", p.rooms[j])))
	}
	result := stanza.NewElement(pubsub.NS, "pubsub").Add(items)
	if paged || len(page) < len(list) {
		result.Add(answer.Element())
	}
	return result, nil
}

// affiliations lists the spaces that an account is a member of, or whether it is one of the space with that node (XEP-0060 §5.7).
func (s *Spaces) affiliations(ctx context.Context, owner jid.JID, node string) (*stanza.Element, error) {
	all, err := s.of(ctx, owner)
	if err != nil {
		return nil, err
	}
	list := stanza.NewElement(pubsub.NS, "affiliations").With("node", node)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if node == "" || node == string(id) {
			list.Add(stanza.NewElement(pubsub.NS, "affiliation").With("node", string(id)).With("affiliation", string(pubsub.Member)))
		}
	}
	return stanza.NewElement(pubsub.NS, "pubsub").Add(list), nil
}

// space returns the address of the space that the room is in; "" if the network gives none.
func (r *Room) space() string {
	if r.conv.Row.Space == "" {
		return ""
	}
	return pubsub.NodeURI(r.rooms.env.Domain, string(r.conv.Row.Space))
}
