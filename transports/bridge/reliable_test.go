package bridge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// The event of our own message comes before the call that made it returns.
func TestEchoBeforeTheReply(t *testing.T) {
	for _, noNonce := range []bool{false, true} {
		t.Run(fmt.Sprintf("nonce=%v", !noNonce), func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.world.NoNonce = noNonce
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				h.discard()
				after := make(chan struct{})
				h.world.Fault(faultnet.Fault{After: after})
				h.sendToRoom(phone, "plaza", "one")
				h.world.Say("plaza", "cleo", "two") // passes the call that has not returned
				h.expect(phone, "plaza/Ann: one", "plaza/Cleo: two")
				close(after)
				h.expect(phone)
				h.expectNetwork("plaza", "ann: one", "cleo: two")
			})
		})
	}
}

// The network has the message, but we do not learn it: nobody sees it twice.
func TestLostReply(t *testing.T) {
	for _, noNonce := range []bool{false, true} {
		t.Run(fmt.Sprintf("nonce=%v", !noNonce), func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.world.NoNonce = noNonce
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				h.discard()
				lost := faultnet.Fault{Err: transports.Later(0, errors.New("connection reset")), Done: true}
				h.world.Fault(lost, lost)
				st := h.sendToRoom(phone, "plaza", "one")
				h.sendToRoom(phone, "plaza", "two")
				time.Sleep(time.Minute)
				h.expectNetwork("plaza", "ann: one", "ann: two")
				h.expect(phone, "plaza/Ann: one", "plaza/Ann: two")
				h.sendToRoom(phone, "plaza", "uno", replace(st.ID)) // its id was found again
				h.expectNetwork("plaza", "ann: uno", "ann: two")
			})
		})
	}
}

// What ann writes in the network's own client is hers here too: in the words of the server's XEP-0356.
func TestOwnMessagesFromTheNetworksClient(t *testing.T) {
	for _, space := range []string{"urn:xmpp:privilege:1", "urn:xmpp:privilege:2"} {
		t.Run(space, func(t *testing.T) { ownMessages(t, space) })
	}
}

func ownMessages(t *testing.T, space string) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.world.Say("plaza", "ann", "from there")
		h.expect(phone, "plaza/Ann: from there")
		h.world.SayDirect("ann", "cleo", "to cleo")
		h.expect(phone, "cleo: [you] to cleo")
		h.send(stanza.NewMessage(domain, jidOf("example.org"), "", stanza.NewElement(space, "privilege").Add(
			stanza.NewElement(space, "perm").With("access", "message").With("type", "outgoing"))))
		if space == "urn:xmpp:privilege:2" { // the old words take nothing away
			h.send(stanza.NewMessage(domain, jidOf("example.org"), "", stanza.NewElement("urn:xmpp:privilege:1", "privilege")))
		}
		h.world.SayDirect("ann", "cleo", "again")
		h.expect(phone)
		got := h.received(jidOf("example.org"))
		if len(got) != 1 {
			t.Fatal(got)
		}
		outer := got[0].Child(space, "privilege").Child("urn:xmpp:forward:0", "forwarded").Child("jabber:client", "message")
		inner := outer.Child("urn:xmpp:carbons:2", "sent").Child("urn:xmpp:forward:0", "forwarded").Child("jabber:client", "message")
		if outer.Attr("from") != "ann@example.org" || inner.Attr("to") != "cleo@echo.example.org" || inner.ChildText("", "body") != "again" {
			t.Error(got[0])
		}
	})
}

func originID(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:sid:0", "origin-id").With("id", id)
}

// A client that could not know that we had its message sends it again, with the origin-id that it had (XEP-0359).
func TestRepeatedStanzas(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		st := h.sendToRoom(phone, "plaza", "once", originID("0d2ff3b4-8f6e-4d1a"))
		first := h.received(phone)[0]
		h.restart()
		h.join(phone, "plaza")
		h.send(st)
		got := h.received(phone)
		if len(got) != 1 || stanzaID(got[0]) != stanzaID(first) {
			t.Errorf("the client is not notified again: %v", got)
		}
		h.expectNetwork("plaza", "ann: once")
		direct := h.sendTo(phone, "cleo", "once", originID("5c1c7a1e-13d6-42b7"), stanza.NewElement("urn:xmpp:receipts", "request"))
		h.send(direct)
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "ann: once")
		h.expect(phone, "cleo received "+direct.ID, "cleo received "+direct.ID)
		time.Sleep(25 * time.Hour) // no client resends after so long
		h.send(direct)
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "ann: once", "ann: once")
	})
}

// The nonce of a call whose outcome is not known is taken for its echo only where it comes from the call's own user: all
// in the room may have seen it.
func TestNonceOfAnotherUser(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		h.world.Fault(faultnet.Fault{Err: transports.Later(0, errors.New("connection reset"))})
		h.sendToRoom(phone, "plaza", "mine")
		nonce := h.world.LastNonce()
		if nonce == "" {
			t.Fatal("the call had no nonce")
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.SendTo("ben", transports.Event{
				Key: "forged", Room: "plaza", Kind: transports.Public, Actor: "ben", Own: true, Nonce: nonce,
				Body: transports.Message{ID: "forged", Text: richtext.FromPlain("not yours")},
			})
		}))
		time.Sleep(time.Minute)
		h.expectNetwork("plaza", "ann: mine")
	})
}

// Ids need to be unique within one stream only (RFC 6120 §8.1.3): the same one is another message in the next session.
func TestSameIDIsAnotherMessage(t *testing.T) {
	for name, more := range map[string][]*stanza.Element{"plain": nil, "short origin-id": {originID("1")}} {
		t.Run(name, func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.start()
				h.link(phone, "ann")
				for _, session := range []jid.JID{phone, jidOf("ann@example.org/laptop")} {
					h.join(session, "plaza")
					h.discard()
					for _, text := range []string{"ok", "done", "ok"} {
						for _, to := range []struct {
							address jid.JID
							typ     string
						}{{room("plaza"), stanza.TypeGroupchat}, {contact("cleo"), stanza.TypeChat}} {
							st := stanza.NewMessage(to.address, session, to.typ, append([]*stanza.Element{stanza.TextElement("", "body", text)}, more...)...)
							st.ID = "1"
							h.send(st)
						}
					}
					got := h.received(session)
					ids := map[string]bool{}
					for _, st := range got {
						ids[stanzaID(st)] = true
					}
					if len(got) != 3 || len(ids) != 3 {
						t.Errorf("%s is shown %d messages with %d ids", session, len(got), len(ids))
					}
				}
				want := []string{"ann: ok", "ann: done", "ann: ok", "ann: ok", "ann: done", "ann: ok"}
				h.expectNetwork("plaza", want...)
				h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), want...)
				// A correction names the latest of them, also where that waits to be sent.
				wait := make(chan struct{})
				h.world.Fault(faultnet.Fault{Wait: wait})
				last := stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, stanza.TextElement("", "body", "bye"))
				last.ID = "1"
				h.send(last)
				h.sendTo(phone, "cleo", "good bye", replace("1"))
				close(wait)
				h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), append(want, "ann: good bye")...)
			})
		})
	}
}

// Errors of each class, one message each.
func TestErrorClasses(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.world.Fault(
			faultnet.Fault{Err: transports.Later(30*time.Second, errors.New("slow down"))},
			faultnet.Fault{Err: transports.Later(0, errors.New("slow down"))},
		)
		h.sendToRoom(phone, "plaza", "one")
		h.expectNetwork("plaza")
		time.Sleep(25 * time.Second)
		h.expectNetwork("plaza") // the network asked for 30 seconds
		time.Sleep(time.Minute)
		h.expectNetwork("plaza", "ann: one")
		h.discard()
		h.world.Fault(faultnet.Fault{Err: transports.Refuse("forbidden", "You may not write here.", nil)})
		st := h.sendToRoom(phone, "plaza", "two")
		got := h.received(phone)
		if e := got[len(got)-1]; e.Type != stanza.TypeError || e.ID != st.ID || e.Err().Text != "You may not write here." || e.Err().Type != "auth" {
			t.Error(e)
		}
		h.world.Fault(faultnet.Fault{Err: errors.New("nil pointer at 0x1234")})
		h.sendToRoom(phone, "plaza", "three")
		got = h.received(phone)
		if e := got[len(got)-1]; e.Type != stanza.TypeError || e.Err().Condition != "internal-server-error" || strings.Contains(e.String(), "0x1234") {
			t.Error(e)
		}
		h.sendToRoom(phone, "plaza", "four")
		h.expectNetwork("plaza", "ann: one", "ann: four")
	})
}

// The token is revoked in the middle of the session: one message, and after the relink
// everything goes on as before.
func TestRevokedToken(t *testing.T) {
	for _, byCall := range []bool{false, true} {
		t.Run(fmt.Sprintf("foundByCall=%v", byCall), func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				st := h.sendToRoom(phone, "plaza", "before")
				h.discard()
				if byCall {
					h.world.Fault(faultnet.Fault{Err: transports.Relink("the token was revoked", nil)})
				}
				if !byCall {
					h.world.Revoke("ann")
				}
				h.sendToRoom(phone, "plaza", "waiting")
				h.world.Say("plaza", "cleo", "ann?")
				time.Sleep(time.Hour)
				h.restart()
				time.Sleep(time.Hour)
				notified := 0
				for _, st := range h.received(ann) {
					if st.Kind == stanza.Message && strings.Contains(st.Body(), "linked again") && st.From == domain {
						notified++
					}
				}
				_ = st
				if !byCall && notified > 1 {
					t.Errorf("notified %d times", notified)
				}
				h.join(phone, "plaza")
				h.discard()
				h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", "relink 1")))
				h.expect(phone, "gateway: Every password but “wrong” will do.", "gateway: "+formFirst("Link an account again"),
					"gateway: Link your Echo account", "gateway: Name (“-” for ann)")
				h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", "-")))
				got := h.messages(phone)
				if len(got) != 1 || !strings.Contains(got[0], "Password") || !strings.Contains(got[0], "delete the message") {
					t.Errorf("%q", got)
				}
				h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", "xyzzy-plugh")))
				time.Sleep(time.Minute)
				got = h.messages(phone)
				if len(got) < 2 || got[0] != "gateway: Your Echo account Ann at Echo is linked." || got[1] != "plaza/Cleo: ann?" {
					t.Errorf("%q", got)
				}
				h.expectNetwork("plaza", "ann: before", "cleo: ann?", "ann: waiting")
				h.sendToRoom(phone, "plaza", "after", replace(st.ID)) // ids have survived
				h.expectNetwork("plaza", "ann: after", "cleo: ann?", "ann: waiting")
				if log := h.log(); strings.Contains(log, "xyzzy") || strings.Contains(log, "secret-of-ann") || strings.Contains(log, "open sesame") {
					t.Error("a secret is in the log")
				}
			})
		})
	}
}

func TestRevokedIsNotifiedOnce(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		h.world.Revoke("ann")
		time.Sleep(time.Hour)
		got := h.received(ann)
		var notified []string
		for _, st := range got {
			if st.Kind == stanza.Message {
				notified = append(notified, st.Body())
			}
		}
		if len(notified) != 1 || !strings.Contains(notified[0], "relink 1") {
			t.Errorf("%q", notified)
		}
		h.send(stanza.NewPresence(domain, phone, ""))
		got = h.received(phone)
		if len(got) == 0 || got[0].Tree().ChildText("", "show") != "xa" || !strings.Contains(got[0].String(), "revoked") {
			t.Errorf("%v", got)
		}
	})
}

// After a restart the history since the last message is read, before what comes live.
func TestCatchUpAfterRestart(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "0")
		h.world.SayDirect("cleo", "ann", "a")
		h.discard()
		h.stop()
		var want []string
		for i := 1; i < 250; i++ {
			h.world.Say("plaza", "cleo", fmt.Sprint(i))
			want = append(want, fmt.Sprint("plaza/Cleo: ", i))
		}
		h.world.SayDirect("cleo", "ann", "b")
		h.start()
		h.world.Say("plaza", "cleo", "250")
		time.Sleep(time.Minute)
		h.expect(phone, "cleo: b")
		got := []string{}
		for _, st := range h.join(phone, "plaza") { // nobody was in the room: it is in its history
			if st.Body() != "" {
				got = append(got, show(st))
			}
		}
		want = append(want, "plaza/Cleo: 250")
		if fmt.Sprint(got) != fmt.Sprint(want[len(want)-20:]) {
			t.Errorf("%q", got)
		}
		query := stanza.NewElement("urn:xmpp:mam:2", "query").Add(stanza.NewElement("http://jabber.org/protocol/rsm", "set").Add(
			stanza.TextElement("http://jabber.org/protocol/rsm", "max", "100"), stanza.TextElement("http://jabber.org/protocol/rsm", "before", "")))
		var all []string
		for len(all) <= 251 {
			fin := h.ask(phone, room("plaza"), stanza.TypeSet, query).Child("urn:xmpp:mam:2", "fin")
			var page []string
			for _, st := range h.received(phone) {
				m := st.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child("jabber:client", "message")
				page = append(page, m.ChildText("", "body"))
			}
			if len(page) == 0 {
				break
			}
			all = append(page, all...)
			first := fin.Child("http://jabber.org/protocol/rsm", "set").ChildText("", "first")
			query.Child("http://jabber.org/protocol/rsm", "set").Child("", "before").Nodes = []stanza.Node{{Text: first}}
		}
		for i := range 251 {
			if i >= len(all) || all[i] != fmt.Sprint(i) {
				t.Fatalf("the archive has %q", all)
			}
		}
	})
}

// Live events that come while the past is read stay behind it.
func TestLiveEventsWaitBehindTheCatchUp(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "0")
		h.discard()
		h.world.Outage(true)
		for i := 1; i < 10; i++ {
			h.world.Say("plaza", "cleo", fmt.Sprint(i))
		}
		held := make(chan struct{})
		h.world.HoldHistory(held)
		h.world.Outage(false)
		synctest.Wait()
		h.world.Say("plaza", "cleo", "10")
		h.world.Say("plaza", "cleo", "11")
		h.sendToRoom(phone, "plaza", "mine") // what we say need not wait
		h.expect(phone, "plaza/Ann: mine")
		close(held)
		time.Sleep(time.Minute)
		var want []string
		for i := 1; i < 12; i++ {
			want = append(want, fmt.Sprint("plaza/Cleo: ", i))
		}
		h.expect(phone, want...)
	})
}

// Two local users are in the same room: each sees each message once.
func TestTwoLocalUsersShareARoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, id := range []string{"plaza", "den"} {
			h.join(phone, id)
			h.join(desk, id)
			h.discard()
			h.world.Say(transports.RoomID(id), "cleo", "both of you?")
			h.expect(phone, id+"/Cleo: both of you?")
			h.expect(desk, id+"/Cleo: both of you?")
			h.sendToRoom(phone, id, "I am Ann")
			h.sendToRoom(desk, id, "and I Ben")
			time.Sleep(time.Second)
			h.expect(phone, id+"/Ann: I am Ann", id+"/Ben: and I Ben")
			h.expect(desk, id+"/Ann: I am Ann", id+"/Ben: and I Ben")
			h.expectNetwork(transports.RoomID(id), "cleo: both of you?", "ann: I am Ann", "ben: and I Ben")
		}
		h.world.SayDirect("cleo", "ann", "for ann")
		h.expect(desk)
		h.expect(phone, "cleo: for ann")
	})
}

// Who is not in a room on the network is not in it here.
func TestRoomsAreForTheirMembers(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "vault", Kind: transports.Private, Name: "Vault"}, "cleo", "ben")
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.discard()
		for _, who := range []string{"ann@example.org/phone", "eve@example.org/x"} {
			to, _ := room("vault").WithResource("me")
			h.send(stanza.NewPresence(to, jidOf(who), "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
			got := h.received(jidOf(who))
			if len(got) != 1 || got[0].Type != stanza.TypeError {
				t.Errorf("%s: %v", who, got)
			}
			if a := h.ask(jidOf(who), room("vault"), stanza.TypeGet, stanza.NewElement("http://jabber.org/protocol/disco#info", "query")); strings.Contains(a.String(), "Vault") {
				t.Errorf("%s learns %s", who, a)
			}
		}
		h.join(desk, "vault")
		h.world.Say("vault", "cleo", "secret")
		h.expect(desk, "vault/Cleo: secret")
		h.expect(phone)
		items := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement("http://jabber.org/protocol/disco#items", "query")).String()
		if strings.Contains(items, "vault") || !strings.Contains(items, "plaza@") || !strings.Contains(items, "den@") {
			t.Error(items)
		}
		// Public rooms are joined on the network by joining here.
		h.join(phone, "lobby")
		h.sendToRoom(phone, "lobby", "hello, parrot")
		h.expectNetwork("lobby", "ann: hello, parrot")
	})
}
