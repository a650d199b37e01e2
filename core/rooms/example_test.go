package rooms_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// memoryStore is a Store in memory.
type memoryStore struct {
	mu    sync.Mutex
	rooms map[jid.JID]room.Snapshot
}

func (s *memoryStore) LoadRoom(_ context.Context, at jid.JID) (room.Snapshot, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.rooms[at]
	kept.Affiliations = maps.Clone(kept.Affiliations)
	return kept, ok, nil
}

func (s *memoryStore) SaveRoom(_ context.Context, at jid.JID, c room.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Destroyed {
		delete(s.rooms, at)
		return nil
	}
	kept := s.rooms[at]
	if c.Created {
		kept = room.Snapshot{Affiliations: map[jid.JID]affiliations.Entry{}}
	}
	if c.Info != nil {
		kept.Info = *c.Info
	}
	if c.Config != nil {
		kept.Config = *c.Config
	}
	if c.Subject != nil {
		kept.Subject = *c.Subject
	}
	for _, l := range c.Lists {
		if l.Entry.Affiliation == rules.AffNone {
			delete(kept.Affiliations, l.JID)
		} else {
			kept.Affiliations[l.JID] = l.Entry
		}
	}
	s.rooms[at] = kept
	return nil
}

// native is the Policy of rooms of a server and the Owner of each: every account may
// create rooms and see all of them, and everything else is left to the rules of package room.
type native struct{ store *memoryStore }

func (n native) Open(context.Context, jid.JID, *room.Snapshot) (rooms.Opened, error) {
	return rooms.Opened{Owner: n}, nil
}

func (native) Create(context.Context, jid.JID, jid.JID) (room.Snapshot, error) {
	return room.Snapshot{Config: rules.Config{Locked: true}}, nil // XEP-0045 §10.1.1
}

func (native) Sees(context.Context, jid.JID, *room.Room) (bool, error) { return true, nil }

func (n native) List(_ context.Context, _ jid.JID, page paging.Request) ([]disco.Item, paging.Answer, error) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	var items []disco.Item
	for at, kept := range n.store.rooms {
		if kept.Config.Listed {
			items = append(items, disco.Item{JID: at, Name: kept.Info.Name})
		}
	}
	slices.SortFunc(items, func(a, b disco.Item) int { return strings.Compare(a.JID.String(), b.JID.String()) })
	return paging.List(items, func(i disco.Item) string { return i.JID.String() }, page)
}

func (native) Enter(context.Context, *room.Room, room.EnterRequest) (room.Grant, error) {
	return room.Grant{}, nil
}

func (native) Message(ctx context.Context, r *room.Room, m room.Message) error {
	if m.Subject != nil {
		return r.SetSubject(ctx, room.Subject{Text: *m.Subject, OccupantID: m.From.ID}, m.Stanza.ID, "")
	}
	r.Broadcast(m.Post(""))
	return nil
}

func (native) Allow(context.Context, *room.Room, room.Action) error { return nil }

func (native) Query(context.Context, *room.Room, room.Query) (*stanza.Element, error) {
	return nil, stanza.ServiceUnavailable("")
}

func (native) Notify(context.Context, *room.Room, room.Event) {}

// printer is an Endpoint that prints a summary of each stanza.
type printer struct{}

func (printer) Send(st *stanza.Stanza) {
	line := fmt.Sprintf("  → %s: %s", st.To.Local(), st.Kind)
	if st.Type != "" {
		line += " " + st.Type
	}
	if e := st.Err(); e != nil {
		line += " " + e.Condition
	} else if text := st.Tree().ChildText("", "body"); text != "" {
		line += " " + text
	}
	if x := st.Child(muc.NSUser, "x"); x != nil {
		for s := range x.Named(muc.NSUser, "status") {
			line += " " + s.Attr("code")
		}
	}
	for i := range st.Child(disco.NSItems, "query").Elements() {
		line += " " + i.Attr("jid")
	}
	fmt.Println(line)
}

func (p printer) Collect() (func(*stanza.Stanza), func()) { return p.Send, func() {} }

// SendMany implements rooms.Sender, which holds nothing back here: the order of the lines is known.
func (p printer) SendMany(st *stanza.Stanza, to []stanza.Receiver) {
	stanza.SendEach(p.Send, []*stanza.Stanza{st}, to)
}

func (printer) Flush() {}

// Example shows the rooms of a server: a room is created, configured, entered and used; a ban
// that exceeds the limit of its list is refused; the room is dropped from memory, loaded again, and
// destroyed.
func Example() {
	ctx := context.Background()
	store := &memoryStore{rooms: map[jid.JID]room.Snapshot{}}
	service := rooms.New(ctx, rooms.Options{
		Domain: jid.MustParse("rooms.example.org"), Policy: native{store}, Endpoint: printer{}, Store: store,
		Sender: func() rooms.Sender { return printer{} },
		Secret: []byte("32 random bytes"), Limits: rules.Limits{Affiliations: 2}, IdleFor: -1,
		Log: slog.New(slog.DiscardHandler),
	})
	lobby := jid.MustParse("lobby@rooms.example.org")
	do := func(what, xml string) {
		fmt.Println(what)
		e, err := stanza.ParseElement(xml, stanza.NSClient)
		if err != nil {
			panic(err)
		}
		st := &stanza.Stanza{
			Kind: stanza.KindOf(e.Local), Type: e.Attr("type"), ID: "1",
			From: jid.MustParse(e.Attr("from") + "@example.org/phone"), To: jid.MustParse(e.Attr("to") + "rooms.example.org" + e.Attr("nick")),
		}
		for c := range e.Elements() {
			st.Payload += stanza.Encode(c)
		}
		service.Handle(st)
		key := lobby
		if st.To.IsHost() {
			key = st.From.Bare()
		}
		_ = service.Call(ctx, key, func(context.Context, *room.Room) error { return nil }) // wait until it is done
	}
	const enter = "<x xmlns='http://jabber.org/protocol/muc'/></presence>"
	admin := func(item string) string {
		return "<iq type='set' from='ann' to='lobby@'><query xmlns='http://jabber.org/protocol/muc#admin'>" + item + "</query></iq>"
	}

	do("ann creates it", "<presence from='ann' to='lobby@' nick='/ann'>"+enter)
	do("bob cannot enter yet", "<presence from='bob' to='lobby@' nick='/bob'>"+enter)
	do("ann configures it", `<iq type='set' from='ann' to='lobby@'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>
		<field var='muc#roomconfig_publicroom'><value>1</value></field><field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>`)
	do("bob enters", "<presence from='bob' to='lobby@' nick='/bob'>"+enter)
	do("bob writes", "<message type='groupchat' from='bob' to='lobby@'><body>hello</body></message>")
	do("ann bans bob", admin("<item affiliation='outcast' jid='bob@example.org'/>"))
	do("the list is full", admin("<item affiliation='outcast' jid='eve@example.org'/>"))
	do("ann leaves", "<presence type='unavailable' from='ann' to='lobby@' nick='/ann'/>")
	for service.Stats().Keys > 0 {
		time.Sleep(time.Millisecond) // the room is dropped after the last answer
	}
	do("eve lists the rooms", "<iq type='get' from='eve' to=''><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
	do("bob is still banned", "<presence from='bob' to='lobby@' nick='/bob'>"+enter)
	do("ann destroys it", "<iq type='set' from='ann' to='lobby@'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query></iq>")
	do("nothing is left", "<iq type='get' from='ann' to='lobby@'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	service.Stop(ctx)
	fmt.Println("rooms in the store:", len(store.rooms))
	// Output:
	// ann creates it
	//   → ann: presence 110 201
	//   → ann: message groupchat
	// bob cannot enter yet
	//   → bob: presence error item-not-found
	// ann configures it
	//   → ann: message groupchat 104
	//   → ann: iq result
	// bob enters
	//   → ann: presence
	//   → bob: presence
	//   → bob: presence 110
	//   → bob: message groupchat
	// bob writes
	//   → ann: message groupchat hello
	//   → bob: message groupchat hello
	// ann bans bob
	//   → bob: presence unavailable 301 110
	//   → ann: presence unavailable 301
	//   → ann: iq result
	// the list is full
	//   → ann: iq error resource-constraint
	// ann leaves
	//   → ann: presence unavailable 110
	// eve lists the rooms
	//   → eve: iq result lobby@rooms.example.org
	// bob is still banned
	//   → bob: presence error forbidden
	// ann destroys it
	//   → ann: iq result
	// nothing is left
	//   → ann: iq error item-not-found
	// rooms in the store: 0
}
