package bridge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// presences takes what was sent to an address: sender and type, or show where it is available.
func (h *harness) presences(to jid.JID) []string {
	var list []string
	for _, st := range h.received(to) {
		if st.Kind == stanza.Presence {
			list = append(list, strings.TrimSpace(st.From.String()+" "+st.Type+st.Tree().ChildText("", "show")))
		}
	}
	return list
}

// Presence comes from a full JID, which is always the same: clients show an entity without a resource as offline. Stanzas about
// subscriptions come from the bare JID (RFC 6121 §3.1.2).
func TestPresenceHasAResource(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.send(stanza.NewPresence(domain, phone, ""))
		h.discard()
		cleo := contact("cleo")
		h.send(stanza.NewPresence(cleo, ann, stanza.TypeSubscribe))
		h.want("a subscription", h.presences(ann), "cleo@echo.example.org subscribed", "cleo@echo.example.org/Echo")
		h.emitPresence(transports.PresenceInfo{User: "cleo", Show: transports.Busy})
		h.want("a change", h.presences(ann), "cleo@echo.example.org/Echo dnd")
		h.send(stanza.NewPresence(cleo, phone, stanza.TypeProbe))
		h.want("a probe", h.presences(phone), "cleo@echo.example.org/Echo dnd")
		full, _ := cleo.WithResource("Echo")
		h.send(stanza.NewPresence(full, phone, stanza.TypeProbe))
		h.want("a probe of the full JID", h.presences(phone), "cleo@echo.example.org/Echo dnd")
		h.emitPresence(transports.PresenceInfo{User: "cleo", Show: transports.Offline})
		h.want("offline", h.presences(ann), "cleo@echo.example.org/Echo unavailable")
		h.send(stanza.NewPresence(domain, phone, stanza.TypeProbe)) // the answer to the presence was that of the first probe
		h.send(stanza.NewPresence(domain, phone, stanza.TypeProbe))
		h.want("the gateway", h.presences(phone), "echo.example.org/Echo")
		h.send(stanza.NewPresence(domain, phone, stanza.TypeUnavailable))
		h.want("a log-out", h.presences(phone), "echo.example.org/Echo unavailable")
		h.send(stanza.NewPresence(cleo, ann, stanza.TypeUnsubscribe))
		h.want("the end of a subscription", h.presences(ann), "cleo@echo.example.org/Echo unavailable", "cleo@echo.example.org unsubscribed")
		h.send(stanza.NewPresence(domain, ann, stanza.TypeUnsubscribe))
		h.want("the end of the gateway's", h.presences(ann), "echo.example.org/Echo unavailable", "echo.example.org unsubscribed")
		if a := h.ask(phone, full, stanza.TypeGet, stanza.NewElement("jabber:iq:version", "query")); a.Type != stanza.TypeResult || a.From != full {
			t.Errorf("the full JID answers %s", a)
		}
	})
}

// Somebody whom the login has not seen yet has a resource too, and the answer to a probe goes to the prober.
func TestPresenceOfSomebodyNew(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.world.AddUser(transports.UserInfo{ID: "dan", Name: "Dan"})
		h.discard()
		h.send(stanza.NewPresence(contact("dan"), phone, stanza.TypeProbe))
		h.want("a probe", h.presences(phone), "dan@echo.example.org/Echo")
		h.want("other resources", h.presences(ann))
	})
}

// A client that becomes available is sent the gateway's presence once, and others are sent none because of it.
func TestPresenceForOneDevice(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.send(stanza.NewPresence(domain, phone, ""))
		h.discard()
		laptop := jidOf("ann@example.org/laptop")
		for name, from := range map[string]jid.JID{"of the session": laptop, "of the account": ann} {
			h.send(stanza.NewPresence(domain, laptop, "")) // as a server sends them after initial presence
			h.send(stanza.NewPresence(domain, from, stanza.TypeProbe))
			h.want("the probe "+name, h.presences(laptop), "echo.example.org/Echo")
			h.want("others, the probe "+name, append(h.presences(ann), h.presences(phone)...))
			h.send(stanza.NewPresence(domain, laptop, "", stanza.TextElement("", "show", "away")))
			h.want("an update", h.presences(laptop))
			h.send(stanza.NewPresence(domain, laptop, stanza.TypeUnavailable))
			h.discard()
		}
		h.send(stanza.NewPresence(contact("cleo"), laptop, "")) // directed presence to a contact is none to the gateway
		h.send(stanza.NewPresence(domain, laptop, ""))
		h.want("after directed presence", h.presences(laptop), "echo.example.org/Echo")
	})
}

// What is shown of a login is sent when it changes: the state once for each change, the contacts where the login comes or goes.
func TestPresenceOfALoginOnce(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.rosterGrant = true
		h.start()
		h.send(privileges("roster", "both"))
		h.link(phone, "ann")
		h.send(stanza.NewPresence(domain, phone, ""))
		h.discard()
		h.world.Outage(true)
		gone := h.presences(ann)
		h.wantOnce("an outage", gone, "cleo@echo.example.org/Echo unavailable")
		h.world.Outage(false)
		time.Sleep(time.Minute)
		back := h.presences(ann)
		h.wantOnce("the end of it", back, "cleo@echo.example.org/Echo")
		for i, state := range [][]string{gone, back} {
			own := slices.DeleteFunc(state, func(s string) bool { return !strings.HasPrefix(s, "echo.") })
			if n := len(slices.Compact(slices.Clone(own))); n > 2 || n == 0 {
				t.Errorf("%d: the gateway's own: %q", i, own)
			}
		}
	})
}

func (h *harness) want(what string, got []string, want ...string) {
	h.Helper()
	if !slices.Equal(got, want) {
		h.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// wantOnce checks that one presence is there, and all of contacts once.
func (h *harness) wantOnce(what string, got []string, want string) {
	h.Helper()
	count := map[string]int{}
	for _, s := range got {
		if count[s]++; count[s] > 1 && strings.Contains(s, "@") {
			h.Errorf("%s: %q comes again", what, s)
		}
	}
	if count[want] != 1 {
		h.Errorf("%s: %q in %q", what, want, got)
	}
}

func (h *harness) emitPresence(info transports.PresenceInfo) {
	h.Helper()
	h.check(h.world.Do(func(as faultnet.As) error {
		return as.SendTo("ann", transports.Event{Actor: info.User, Body: transports.Presence{Info: info}})
	}))
}
