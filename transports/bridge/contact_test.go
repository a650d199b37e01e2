package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

func privileges(pairs ...string) *stanza.Stanza {
	x := stanza.NewElement("urn:xmpp:privilege:2", "privilege")
	for i := 0; i < len(pairs); i += 2 {
		x.Add(stanza.NewElement("urn:xmpp:privilege:2", "perm").With("access", pairs[i]).With("type", pairs[i+1]))
	}
	return stanza.NewMessage(domain, jidOf("example.org"), "", x)
}

// With the privilege contacts stand in the roster, with names and groups.
func TestContactsInTheRoster(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.rosterGrant = true
		h.start()
		h.send(privileges("roster", "both"))
		h.link(phone, "ann")
		time.Sleep(time.Second)
		items := map[string]string{}
		for _, st := range h.received(ann) {
			if q := st.Child("jabber:iq:roster", "query"); q != nil {
				item := q.Child("", "item")
				items[item.Attr("jid")] = item.Attr("name") + "/" + item.ChildText("", "group") + "/" + item.Attr("subscription")
			} else if st.Type == stanza.TypeSubscribe {
				t.Errorf("asked to be added: %s", st)
			}
		}
		want := map[string]string{
			"cleo@echo.example.org": "Cleo/Egypt/to", "ben@echo.example.org": "Ben/Echo/to", "parrot@echo.example.org": "Parrot/Echo/to",
			"echo.example.org": "Echo//both",
		}
		if fmt.Sprint(items) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", items, want)
		}
		h.restart() // nothing is new
		h.send(privileges("roster", "both"))
		time.Sleep(time.Minute)
		for _, st := range h.received(ann) {
			if st.IsRequest() {
				t.Errorf("again: %s", st)
			}
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.SendTo("ann", transports.Event{Key: "rename", Body: transports.Contact{Info: transports.UserInfo{ID: "cleo", Name: "Cleopatra", Group: "Egypt"}}})
		}))
		time.Sleep(time.Second)
		if got := h.received(ann); len(got) == 0 || !strings.Contains(got[0].String(), "name='Cleopatra'") {
			t.Errorf("%v", got)
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.SendTo("ann", transports.Event{Key: "gone", Body: transports.Contact{Info: transports.UserInfo{ID: "cleo", Name: "Cleopatra", Gone: true}}})
		}))
		time.Sleep(time.Second)
		if got := h.received(ann); len(got) != 2 || got[0].Type != stanza.TypeUnavailable || !strings.Contains(got[1].String(), "subscription='remove'") {
			t.Errorf("%v", got)
		}
	})
}

// Without it, or where the server does not keep to it, contacts ask to be added, once, and are
// suggested with names and groups.
func TestContactsAskToBeAdded(t *testing.T) {
	for _, name := range []string{"not granted", "granted in vain"} {
		t.Run(name, func(t *testing.T) { askToBeAdded(t, name == "granted in vain") })
	}
}

func askToBeAdded(t *testing.T, granted bool) {
	withGateway(t, func(h *harness) {
		h.rosterFault = true
		h.start()
		if granted {
			h.send(privileges("roster", "both"))
		}
		h.link(phone, "ann")
		asked := func() (subscribe, suggested []string) {
			for _, st := range append(h.received(ann), h.received(phone)...) {
				if st.Type == stanza.TypeSubscribe {
					subscribe = append(subscribe, st.From.String()+" "+st.Tree().ChildText("http://jabber.org/protocol/nick", "nick"))
				}
				for item := range st.Child("http://jabber.org/protocol/rosterx", "x").Elements() {
					suggested = append(suggested, item.Attr("action")+" "+item.Attr("name")+" "+item.ChildText("", "group"))
				}
			}
			slices.Sort(subscribe)
			slices.Sort(suggested)
			return subscribe, suggested
		}
		subscribe, suggested := asked()
		if fmt.Sprint(subscribe) != "[ben@echo.example.org Ben cleo@echo.example.org Cleo echo.example.org Echo parrot@echo.example.org Parrot]" {
			t.Errorf("%q", subscribe)
		}
		if fmt.Sprint(suggested) != "[add Ben Echo add Cleo Egypt add Parrot Echo]" {
			t.Errorf("%q", suggested)
		}
		h.restart()
		if granted {
			h.send(privileges("roster", "both"))
		}
		time.Sleep(time.Minute)
		if subscribe, suggested := asked(); len(subscribe)+len(suggested) > 0 {
			t.Errorf("again: %q %q", subscribe, suggested)
		}
	})
}

func TestPresenceAndSubscriptions(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		h.send(stanza.NewPresence(contact("cleo"), ann, stanza.TypeSubscribe))
		got := h.received(ann)
		if len(got) != 2 || got[0].Type != stanza.TypeSubscribed || got[1].Type != "" {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewPresence(domain, phone, ""))
		if got := h.received(phone); len(got) != 1 || got[0].From.Bare() != domain || !strings.Contains(got[0].String(), "Ann at Echo: online") {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewPresence(contact("cleo"), phone, stanza.TypeProbe))
		if got := h.received(phone); len(got) != 1 || got[0].From.Bare() != contact("cleo") || got[0].Type != "" {
			t.Errorf("%v", got)
		}
		h.world.Outage(true)
		away := map[string]string{}
		for _, st := range h.received(ann) {
			away[st.From.Bare().String()] = st.Type + st.Tree().ChildText("", "show")
		}
		if away["cleo@echo.example.org"] != "unavailable" || away["echo.example.org"] != "away" {
			t.Errorf("%v", away)
		}
		h.world.Outage(false)
		time.Sleep(time.Second)
		back := map[string]string{}
		for _, st := range h.received(ann) {
			back[st.From.Bare().String()] = st.Type + st.Tree().ChildText("", "show")
		}
		if back["cleo@echo.example.org"] != "" || len(back) < 4 {
			t.Errorf("%v", back)
		}
		h.send(stanza.NewPresence(contact("cleo"), jidOf("eve@example.org"), stanza.TypeSubscribe))
		if got := h.received(jidOf("eve@example.org")); len(got) != 1 || got[0].Type != stanza.TypeUnsubscribed {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewPresence(domain, phone, stanza.TypeUnavailable))
		h.send(stanza.NewPresence(contact("cleo"), ann, stanza.TypeUnsubscribe))
		if got := h.received(ann); len(got) != 2 || got[1].Type != stanza.TypeUnsubscribed {
			t.Errorf("%v", got)
		}
	})
}

func TestDiscovery(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		info := stanza.NewElement("http://jabber.org/protocol/disco#info", "query")
		get := func(to string, x *stanza.Element) string {
			return h.ask(phone, jidOf(to), stanza.TypeGet, x).String()
		}
		gate := get("echo.example.org", info)
		for _, want := range []string{"category='gateway' type='echo'", "jabber:iq:register", "jabber:iq:gateway", "http://jabber.org/protocol/commands", "http://jabber.org/protocol/muc"} {
			if !strings.Contains(gate, want) {
				t.Errorf("no %s in %s", want, gate)
			}
		}
		person := get("cleo@echo.example.org", info)
		for _, want := range []string{"category='account' type='registered'", "urn:xmpp:message-correct:0", "urn:xmpp:reactions:0", "name='Cleo'"} {
			if !strings.Contains(person, want) {
				t.Errorf("no %s in %s", want, person)
			}
		}
		if plaza := get("plaza@echo.example.org", info); !strings.Contains(plaza, "name='Plaza'") || !strings.Contains(plaza, "muc_membersonly") || !strings.Contains(plaza, "urn:xmpp:mam:2") {
			t.Error(plaza)
		}
		vcard := get("cleo@echo.example.org", stanza.NewElement("vcard-temp", "vCard"))
		if !strings.Contains(vcard, "<FN>Cleo</FN>") || !strings.Contains(vcard, "cleo@example.net") || !strings.Contains(vcard, "<TITLE>Queen</TITLE>") {
			t.Error(vcard)
		}
		set := stanza.NewElement("jabber:iq:gateway", "query").Add(stanza.TextElement("jabber:iq:gateway", "prompt", "a b"))
		if a := h.ask(phone, domain, stanza.TypeSet, set); !strings.Contains(a.String(), `a\20b@echo.example.org`) {
			t.Error(a)
		}
		if got := get("echo.example.org", stanza.NewElement("jabber:iq:gateway", "query")); !strings.Contains(got, "<prompt>") {
			t.Error(got)
		}
		for _, to := range []string{"echo.example.org", "cleo@echo.example.org"} {
			for _, x := range []string{"urn:xmpp:ping ping", "jabber:iq:version query"} {
				space, local, _ := strings.Cut(x, " ")
				if a := h.ask(phone, jidOf(to), stanza.TypeGet, stanza.NewElement(space, local)); a.Type != stanza.TypeResult {
					t.Errorf("%s: %s", x, a)
				}
			}
			for _, typ := range []string{stanza.TypeGet, stanza.TypeSet} {
				if a := h.ask(phone, jidOf(to), typ, stanza.NewElement("urn:nothing", "query")); a.Type != stanza.TypeError || a.Err().Condition != "service-unavailable" {
					t.Error(a)
				}
			}
		}
		page := stanza.NewElement("http://jabber.org/protocol/disco#items", "query").Add(stanza.NewElement("http://jabber.org/protocol/rsm", "set").Add(
			stanza.TextElement("http://jabber.org/protocol/rsm", "max", "1")))
		if got := get("echo.example.org", page); strings.Count(got, "<item ") != 1 || !strings.Contains(got, "<count>3</count>") {
			t.Error(got)
		}
		if a := h.ask(jidOf("eve@example.org/x"), contact("cleo"), stanza.TypeGet, stanza.NewElement("vcard-temp", "vCard")); a.Type != stanza.TypeError {
			t.Errorf("strangers learn %s", a)
		}
	})
}

// Whoever begins and stops to write again and again causes few calls: they use up what the network allows the login.
func TestTypingOftenCostsFewCalls(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		before := h.world.Count("typing")
		for range 50 {
			for _, s := range []string{"composing", "active"} {
				h.send(stanza.NewMessage(contact("plaza"), phone, stanza.TypeGroupchat, stanza.NewElement("http://jabber.org/protocol/chatstates", s)))
			}
		}
		if n := h.world.Count("typing") - before; n < 1 || n > 10 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestTypingAndReading(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.send(stanza.NewPresence(domain, phone, ""))
		h.join(phone, "plaza")
		h.world.SayDirect("cleo", "ann", "hm")
		msg := h.sendTo(phone, "cleo", "yes?")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("plaza", transports.Event{Actor: "cleo", Body: transports.Typing{On: true}})
		}))
		dm := faultnet.DirectRoom("ann", "cleo")
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit(dm, transports.Event{Actor: "cleo", Body: transports.Typing{On: true}})
		}))
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit(dm, transports.Event{Key: "read", Actor: "cleo", Body: transports.Read{ID: as.Last(dm).ID}})
		}))
		var got []string
		for _, st := range append(h.received(phone), h.received(ann)...) {
			s := show(st)
			if strings.HasSuffix(s, "displayed") && st.Child("urn:xmpp:chat-markers:0", "displayed").Attr("id") != msg.ID {
				t.Errorf("another was read: %s", st)
			}
			got = append(got, s)
		}
		slices.Sort(got)
		if fmt.Sprint(got) != "[cleo composing cleo displayed plaza/Cleo composing]" {
			t.Errorf("%q", got)
		}
		state := func(to, s string) {
			typ := stanza.TypeChat
			if to == "plaza" {
				typ = stanza.TypeGroupchat
			}
			h.send(stanza.NewMessage(contact(to), phone, typ, stanza.NewElement("http://jabber.org/protocol/chatstates", s)))
		}
		before := h.world.Count("typing")
		state("cleo", "composing")
		state("cleo", "composing")
		state("cleo", "paused")
		state("cleo", "paused")
		state("plaza", "composing")
		if n := h.world.Count("typing") - before; n != 3 {
			t.Errorf("%d calls", n)
		}
		reads := h.world.Count("read")
		h.send(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, stanza.NewElement("urn:xmpp:chat-markers:0", "displayed").With("id", msg.ID)))
		if n := h.world.Count("read") - reads; n != 1 {
			t.Errorf("%d read marks", n)
		}
	})
}

func TestMembersTopicsAndLeaving(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddUser(transports.UserInfo{ID: "dora", Name: "Cleo"}) // the same name
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		enter := func(who transports.UserID, in bool) {
			h.check(h.world.Do(func(as faultnet.As) error { return as.Enter("plaza", who, in) }))
		}
		enter("dora", true)
		got := h.received(phone)
		if len(got) != 1 || got[0].Kind != stanza.Presence || got[0].From.Resource() == "Cleo" || !strings.Contains(got[0].From.Resource(), "Cleo") {
			t.Fatalf("%v", got)
		}
		nick := got[0].From.Resource()
		h.world.Say("plaza", "dora", "I am another")
		h.expect(phone, "plaza/"+nick+": I am another")
		enter("dora", false)
		if got := h.received(phone); len(got) != 1 || got[0].Type != stanza.TypeUnavailable || got[0].From.Resource() != nick {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, stanza.TextElement("", "subject", "News")))
		got = h.received(phone)
		subjects := 0
		for _, st := range got {
			if strings.HasSuffix(show(st), "subject: News") {
				subjects++
			}
		}
		if subjects != 1 {
			t.Errorf("%v", got)
		}
		// Others' names and nicks here are those of the network.
		to, _ := room("plaza").WithResource("Queen Ann")
		h.send(stanza.NewPresence(to, phone, ""))
		if got := h.received(phone); len(got) != 1 || got[0].Type != stanza.TypeError {
			t.Errorf("%v", got)
		}
		// A private message to a member is one to the contact.
		to, _ = room("plaza").WithResource("Cleo")
		h.send(stanza.NewMessage(to, phone, stanza.TypeChat, stanza.TextElement("", "body", "psst")))
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "ann: psst")
		enter("ann", false)
		got = h.received(phone)
		if last := got[len(got)-1]; last.Type != stanza.TypeUnavailable || !strings.Contains(last.String(), "code='110'") {
			t.Errorf("%v", got)
		}
		h.sendToRoom(phone, "plaza", "still?")
		h.expect(phone, "plaza error not-acceptable")
	})
}

func TestLimits(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.set.Text = 100
		h.set.Queue = 5
		h.set.Stanzas = 10
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.sendToRoom(phone, "plaza", strings.Repeat("x", 101))
		h.expect(phone, "plaza error not-acceptable")
		h.world.Say("plaza", "cleo", strings.Repeat("ä", 100))
		if got := h.received(phone); len(got) != 1 || !strings.HasSuffix(got[0].Body(), "ä … (cut)") {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, stanza.TextElement("", "body", "I sent you an encrypted message"),
			stanza.NewElement("eu.siacs.conversations.axolotl", "encrypted")))
		h.expect(phone, "plaza error not-acceptable")
		h.world.Outage(true)
		for range 6 {
			h.sendToRoom(phone, "plaza", "waits")
		}
		h.expect(phone, "plaza/Ann: waits", "plaza/Ann: waits", "plaza/Ann: waits", "plaza/Ann: waits", "plaza/Ann: waits", "plaza error resource-constraint")
		h.world.Outage(false)
		time.Sleep(time.Minute)
		h.discard()
		refused := 0
		for range 300 {
			h.endpoint.deliver(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, stanza.TextElement("", "body", "flood")))
		}
		for _, m := range h.messages(phone) {
			if m == "cleo error resource-constraint" {
				refused++
			}
		}
		if refused < 50 {
			t.Errorf("only %d refused", refused)
		}
		h.send(stanza.NewMessage(contact("cleo"), jidOf("eve@example.com/x"), stanza.TypeChat, stanza.TextElement("", "body", "hi")))
		h.expect(jidOf("eve@example.com/x"), "cleo error registration-required")
	})
}
