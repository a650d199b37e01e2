package bridge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

const bookmarksNS = "urn:xmpp:bookmarks:1"

// nodes are the bookmarks of ann, which a server lets the gateway read and change.
type nodes struct {
	h     *harness
	fault *stanza.Error // the answer to what would change something

	mu    sync.Mutex
	items map[string]*stanza.Element // conference elements, by the room's localpart
	sets  int
}

// keepNodes makes the server of the harness keep bookmarks.
func keepNodes(h *harness) *nodes {
	n := &nodes{h: h, items: map[string]*stanza.Element{}}
	h.serve(n.take)
	return n
}

// serve sets what takes stanzas for other services.
func (h *harness) serve(f func(*stanza.Stanza) bool) {
	synctest.Wait()
	h.others = f
}

// take handles a privileged request (XEP-0356 §6.3).
func (n *nodes) take(st *stanza.Stanza) bool {
	x := st.Child("urn:xmpp:privilege:2", "privileged_iq").Child("jabber:client", "iq")
	if x == nil {
		return false
	}
	inner, err := stanza.FromElement(x)
	if err != nil || inner.Type != st.Type || st.To != ann || inner.To != ann {
		n.h.Errorf("a privileged request that a server refuses: %s", st)
		return true
	}
	answer := n.answer(inner)
	answer.From, answer.To = ann, ann
	forwarded := stanza.NewElement("urn:xmpp:forward:0", "forwarded").Add(answer.Element())
	go n.h.endpoint.deliver(st.Result(stanza.NewElement("urn:xmpp:privilege:2", "privilege").Add(forwarded)))
	return true
}

func (n *nodes) answer(st *stanza.Stanza) *stanza.Stanza {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := st.Child(pubsubNS, "pubsub")
	if items := x.Child(pubsubNS, "items"); items != nil {
		if len(n.items) == 0 {
			return st.ErrorReply(stanza.ItemNotFound(""))
		}
		list := stanza.NewElement(pubsubNS, "items").With("node", items.Attr("node"))
		for local, conference := range n.items {
			list.Add(stanza.NewElement(pubsubNS, "item").With("id", local+"@echo.example.org").Add(conference))
		}
		return st.Result(stanza.NewElement(pubsubNS, "pubsub").Add(list))
	}
	n.sets++
	if n.fault != nil {
		return st.ErrorReply(n.fault)
	}
	for _, action := range []string{"publish", "retract"} {
		if item := x.Child(pubsubNS, action).Child(pubsubNS, "item"); item != nil {
			local, _, _ := strings.Cut(item.Attr("id"), "@")
			n.items[local] = item.Child(bookmarksNS, "conference")
			if action == "retract" {
				delete(n.items, local)
			}
		}
	}
	return st.Result()
}

// set replaces a bookmark as another client of ann does; nil removes it.
func (n *nodes) set(local string, conference *stanza.Element) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.items[local] = conference
	if conference == nil {
		delete(n.items, local)
	}
}

// expect compares the bookmarks with what they should be: names, with a star for those that are entered automatically.
func (n *nodes) expect(want string) {
	n.h.Helper()
	time.Sleep(time.Second)
	n.mu.Lock()
	defer n.mu.Unlock()
	var got []string
	for _, local := range slices.Sorted(maps.Keys(n.items)) {
		star := ""
		if n.items[local].Attr("autojoin") == "true" {
			star = "*"
		}
		got = append(got, fmt.Sprintf("%s=%s%s", local, n.items[local].Attr("name"), star))
	}
	if text := strings.Join(got, " "); text != want {
		n.h.Errorf("got  %q\nwant %q", text, want)
	}
}

func nodesGranted() *stanza.Stanza {
	space := stanza.NewElement("urn:xmpp:privilege:2", "namespace").With("ns", pubsubNS).With("type", "both")
	return stanza.NewMessage(domain, jidOf("example.org"), "", stanza.NewElement("urn:xmpp:privilege:2", "privilege").Add(
		stanza.NewElement("urn:xmpp:privilege:2", "perm").With("access", "iq").Add(space)))
}

func bookmark(name string) *stanza.Element {
	return stanza.NewElement(bookmarksNS, "conference").With("name", name)
}

// report has the network report something to ann's login.
func (h *harness) report(e transports.Event) {
	h.Helper()
	h.check(h.world.Do(func(as faultnet.As) error { return as.SendTo("ann", e) }))
	time.Sleep(time.Second)
}

func roomReport(key, id, name string, joined bool) transports.Event {
	return transports.Event{Key: key, Room: transports.RoomID(id), Kind: transports.Public, Body: transports.RoomChanged{
		Info: transports.RoomInfo{ID: transports.RoomID(id), Kind: transports.Public, Name: name, Joined: joined, Writable: joined},
	}}
}

// The rooms that a login is in are bookmarks of its owner, and stay in step with them. What the owner has changed stays.
func TestBookmarksOfRooms(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := keepNodes(h)
		n.set("den", bookmark("my den").Add(stanza.TextElement(bookmarksNS, "nick", "queen")))
		h.start()
		h.link(phone, "ann")
		n.expect("den=my den")
		h.send(nodesGranted())
		n.expect("den=my den plaza=Plaza*")
		h.report(roomReport("rename", "plaza", "Square", true))
		n.expect("den=my den plaza=Square*")
		h.report(roomReport("new", "garden", "Garden", true))
		h.report(roomReport("seen", "attic", "Attic", false)) // a channel that it sees and is not in
		n.expect("den=my den garden=Garden* plaza=Square*")
		n.set("garden", bookmark("flowers")) // by another client
		h.report(roomReport("renamed", "garden", "Park", true))
		n.expect("den=my den garden=flowers plaza=Square*")
		n.set("plaza", nil)
		sets := n.sets
		h.restart()
		h.send(nodesGranted())
		n.expect("den=my den garden=flowers")
		if n.sets != sets {
			t.Errorf("%d changes after a restart", n.sets-sets)
		}
		h.report(roomReport("left", "garden", "Park", false))
		n.expect("den=my den")
		h.report(roomReport("back", "garden", "Park", true))
		n.expect("den=my den garden=Park*")
		h.send(stanza.NewIQ(domain, phone, stanza.TypeSet, stanza.NewElement("jabber:iq:register", "query").Add(stanza.NewElement("jabber:iq:register", "remove"))))
		n.expect("den=my den")
		for _, st := range h.received(ann) {
			if st.Child("jabber:x:conference", "x") != nil {
				t.Errorf("invited: %s", st)
			}
		}
	})
}

// A server that refuses or does not answer does no harm, and the next change tries again. Clients may be left to enter the rooms when they want to.
func TestBookmarksThatAreRefused(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.set.Autojoin = -1
		n := keepNodes(h)
		n.fault = stanza.ResourceConstraint("")
		h.start()
		h.send(nodesGranted())
		h.link(phone, "ann")
		n.expect("")
		synctest.Wait()
		n.fault = nil
		h.serve(func(st *stanza.Stanza) bool { return st.Child("urn:xmpp:privilege:2", "privileged_iq") != nil }) // and says nothing
		h.report(roomReport("new", "garden", "Garden", true))
		time.Sleep(time.Minute)
		h.serve(func(st *stanza.Stanza) bool { // and says nonsense
			if st.Child("urn:xmpp:privilege:2", "privileged_iq") == nil {
				return false
			}
			go h.endpoint.deliver(st.Result(stanza.NewElement("urn:xmpp:privilege:2", "privilege")))
			return true
		})
		h.report(roomReport("seen", "attic", "Attic", false))
		h.serve(n.take)
		h.report(roomReport("seen again", "attic", "Loft", false))
		n.expect("den=Den garden=Garden plaza=Plaza")
	})
}

// Clients do not enter many rooms that come at once, and enter those that come later.
func TestBookmarksOfManyRooms(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.set.Autojoin = 1
		n := keepNodes(h)
		h.start()
		h.send(nodesGranted())
		h.link(phone, "ann")
		n.expect("den=Den plaza=Plaza")
		h.report(roomReport("new", "garden", "Garden", true))
		n.expect("den=Den garden=Garden* plaza=Plaza")
		h.report(roomReport("left", "plaza", "Plaza", false))
		n.expect("den=Den garden=Garden*")
	})
}

// A login has no more bookmarks than the setting allows.
func TestBookmarksAreLimited(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.set.Bookmarks = 1
		n := keepNodes(h)
		h.start()
		h.send(nodesGranted())
		h.link(phone, "ann")
		time.Sleep(time.Second)
		synctest.Wait()
		if len(n.items) != 1 {
			t.Errorf("%d bookmarks", len(n.items))
		}
	})
}

// Where there can be no bookmarks, the owner is invited to rooms that the login comes to; not to those in which it was when it was linked.
func TestInvitations(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		invited := func(want string) {
			t.Helper()
			time.Sleep(time.Second)
			var got []string
			for _, st := range h.received(ann) {
				if x := st.Child("jabber:x:conference", "x"); x != nil {
					got = append(got, x.Attr("jid"))
				}
			}
			if text := strings.Join(got, " "); text != want {
				t.Errorf("invited to %q, not %q", text, want)
			}
		}
		invited("")
		h.report(roomReport("rename", "plaza", "Square", true))
		invited("")
		h.report(roomReport("new", "garden", "Garden", true))
		invited("garden@echo.example.org")
		h.restart()
		invited("")
		h.report(roomReport("left", "garden", "Garden", false))
		h.report(roomReport("back", "garden", "Garden", true))
		invited("garden@echo.example.org")
		for i := range 30 { // each by itself
			h.report(roomReport(fmt.Sprint("again", i), "garden", "Garden", i%2 == 1))
		}
		h.received(ann)
		n := keepNodes(h)
		h.send(nodesGranted()) // later
		n.expect("den=Den* garden=Garden* plaza=Plaza*")
	})
}

// Where the server sends everybody's presence, the gateway answers only those who have a login.
func TestPresenceWithoutSubscription(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.send(privileges("presence", "managed_entity"))
		unlinked := jidOf("unlinked@example.org/x")
		h.send(stanza.NewPresence(domain, unlinked, ""))
		h.send(stanza.NewPresence(domain, unlinked, stanza.TypeUnavailable))
		if got := append(h.received(unlinked), h.received(unlinked.Bare())...); len(got) > 0 {
			t.Errorf("somebody without a login is sent %v", got)
		}
		h.link(phone, "ann")
		h.discard()
		h.send(stanza.NewPresence(domain, phone, ""))
		if got := h.received(phone); len(got) != 1 || got[0].Type != "" {
			t.Errorf("%v", got)
		}
	})
}
