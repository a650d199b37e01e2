package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func replace(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:message-correct:0", "replace").With("id", id)
}

func retract(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", id)
}

func reactions(id string, emoji ...string) *stanza.Element {
	x := stanza.NewElement("urn:xmpp:reactions:0", "reactions").With("id", id)
	for _, e := range emoji {
		x.Add(stanza.TextElement("urn:xmpp:reactions:0", "reaction", e))
	}
	return x
}

// stanzaID is the room's id of a message.
func stanzaID(st *stanza.Stanza) string { return st.Child("urn:xmpp:sid:0", "stanza-id").Attr("id") }

func TestEditsOfOwnMessages(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		first := h.sendToRoom(phone, "plaza", "one")
		h.sendToRoom(phone, "plaza", "two")
		edit := h.sendToRoom(phone, "plaza", "uno", replace(first.ID)) // not the last one
		h.expectNetwork("plaza", "ann: uno", "ann: two")
		h.sendToRoom(phone, "plaza", "eins", replace(edit.ID)) // names the correction, not the first
		h.expectNetwork("plaza", "ann: eins", "ann: two")
		h.expect(phone, "plaza/Ann: one", "plaza/Ann: two", "plaza/Ann corrected: uno", "plaza/Ann corrected: eins")
		h.restart()
		h.join(phone, "plaza")
		h.sendToRoom(phone, "plaza", "un", replace(first.ID))
		h.expectNetwork("plaza", "ann: un", "ann: two")
		h.expect(phone, "plaza/Ann corrected: un")

		direct := h.sendTo(phone, "cleo", "one")
		h.sendTo(phone, "cleo", "uno", replace(direct.ID))
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "ann: uno")
		h.expect(phone)
	})
}

// A correction of a correction names the first version to all in the room, whichever the client has named. One that is
// resent, as a retraction that is resent, is shown again to its sender only.
func TestCorrectionOfCorrection(t *testing.T) {
	for _, waiting := range []bool{false, true} {
		t.Run(fmt.Sprintf("waiting=%v", waiting), func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.start()
				h.link(phone, "ann")
				h.link(desk, "ben")
				h.join(phone, "plaza")
				h.join(desk, "plaza")
				h.world.Outage(waiting)
				h.discard()
				first := h.sendToRoom(phone, "plaza", "one")
				edit := h.sendToRoom(phone, "plaza", "uno", replace(first.ID))
				h.discard()
				again := h.sendToRoom(phone, "plaza", "eins", replace(edit.ID), originID("0d2ff3b4-8f6e-4d1b"))
				shown := h.received(desk)
				if len(shown) != 1 || shown[0].Child("urn:xmpp:message-correct:0", "replace").Attr("id") != first.ID || shown[0].Body() != "eins" {
					t.Errorf("ben is shown %v", shown)
				}
				h.discard()
				h.send(again)
				if got := h.received(phone); len(got) != 1 || stanzaID(got[0]) != stanzaID(shown[0]) ||
					got[0].Child("urn:xmpp:message-correct:0", "replace").Attr("id") != first.ID {
					t.Errorf("ann is shown %v", got)
				}
				h.expect(desk)
				gone := h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(first.ID), originID("0d2ff3b4-8f6e-4d1c")))
				h.expect(phone, "plaza/Ann retracted")
				h.world.Outage(false)
				h.discard()
				h.send(gone)
				h.expect(phone, "plaza/Ann retracted")
				h.expect(desk)
				h.expectNetwork("plaza")
			})
		})
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		h.join(desk, "plaza")
		h.discard()
		h.world.Say("plaza", "cleo", "mine")
		msg := h.received(phone)[0]
		h.discard()
		h.sendToRoom(phone, "plaza", "yours", replace(msg.ID))
		h.expect(phone, "plaza error forbidden")
		h.sendToRoom(phone, "plaza", "nobody's", replace("no-such-id"))
		h.expect(phone, "plaza error item-not-found")
		own := h.sendToRoom(phone, "plaza", "ann's")
		h.discard()
		h.sendToRoom(desk, "plaza", "ben's now", replace(own.ID))
		h.expect(desk, "plaza error forbidden")
		h.expectNetwork("plaza", "cleo: mine", "ann: ann's")
	})
}

func TestEditsFromTheNetwork(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		id := h.world.Say("plaza", "cleo", "helo")
		first := h.received(phone)[0]
		for _, text := range []string{"hello", "hello!"} {
			h.check(h.world.Do(func(as faultnet.As) error { return as.Edit("plaza", "cleo", id, text) }))
			got := h.received(phone)
			if len(got) != 1 || got[0].Child("urn:xmpp:message-correct:0", "replace").Attr("id") != first.ID || got[0].Body() != text {
				t.Errorf("edit to %s: %v", text, got)
			}
		}
		// of a message from before we were there
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("plaza", transports.Event{Key: "old/edit/1", Actor: "cleo", Body: transports.Edit{ID: "old", Text: richtext.FromPlain("wise")}})
		}))
		h.expect(phone, "plaza/Cleo: (edited) wise")
		// of ann's own, in the network's client
		own := h.sendToRoom(phone, "plaza", "from here")
		h.discard()
		texts := h.world.Texts("plaza")
		if texts[len(texts)-1] != "ann: from here" {
			t.Fatal(texts)
		}
		h.check(h.world.Do(func(as faultnet.As) error { return as.Edit("plaza", "ann", as.Last("plaza").ID, "from there") }))
		got := h.received(phone)
		if len(got) != 1 || got[0].Child("urn:xmpp:message-correct:0", "replace").Attr("id") != own.ID || got[0].From.Resource() != "Ann" {
			t.Errorf("own edit: %v", got)
		}
		h.world.SayDirect("cleo", "ann", "dear")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Edit(faultnet.DirectRoom("ann", "cleo"), "cleo", as.Last(faultnet.DirectRoom("ann", "cleo")).ID, "dearest")
		}))
		h.expect(phone, "cleo corrected: dearest")
	})
}

func TestDeletes(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		id := h.world.Say("plaza", "cleo", "oops")
		msg := h.received(phone)[0]
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "cleo", id) }))
		got := h.received(phone)
		if len(got) != 1 || got[0].Child("urn:xmpp:message-retract:1", "retract").Attr("id") != stanzaID(msg) || got[0].From.Resource() != "Cleo" {
			t.Errorf("retraction: %v", got)
		}
		id = h.world.Say("plaza", "cleo", "rude")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "ben", id) }))
		h.expect(phone, "plaza moderated")
		// ours
		h.sendToRoom(phone, "plaza", "mine")
		mine := h.received(phone)[0]
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(stanzaID(mine)), stanza.TextElement("", "body", "/me retracted")))
		h.expect(phone, "plaza/Ann retracted")
		h.expectNetwork("plaza")
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(stanzaID(msg))))
		h.expect(phone, "plaza error item-not-found")
		h.world.Say("plaza", "cleo", "stays")
		stays := h.received(phone)[0]
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(stanzaID(stays))))
		h.expect(phone, "plaza error forbidden")
		direct := h.sendTo(phone, "cleo", "psst")
		h.send(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, retract(direct.ID)))
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"))
		h.expect(phone)
		// what was taken away is not in the history
		for _, st := range h.join(jidOf("ann@example.org/laptop"), "plaza") {
			if strings.Contains(st.Body(), "oops") || strings.Contains(st.Body(), "rude") || strings.Contains(st.Body(), "mine") {
				t.Errorf("history shows %s", st)
			}
		}
	})
}

func TestReactions(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		id := h.world.Say("plaza", "cleo", "party?")
		msg := h.received(phone)[0]
		do := func(add, remove string) {
			h.check(h.world.Do(func(as faultnet.As) error {
				return as.React("plaza", "cleo", id, strings.Fields(add), strings.Fields(remove))
			}))
		}
		do("👍", "")
		do("🎉", "")
		do("", "👍")
		h.expect(phone, "plaza/Cleo reacted 👍", "plaza/Cleo reacted 🎉👍", "plaza/Cleo reacted 🎉")
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, reactions(stanzaID(msg), "🎈", "🍰")))
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, reactions(stanzaID(msg), "🍰")))
		h.expect(phone, "plaza/Ann reacted 🎈🍰", "plaza/Ann reacted 🍰") // reflected once, not told back
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, reactions("nothing", "🍰")))
		h.expect(phone, "plaza error item-not-found")
	})
}

func TestReplies(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.world.Say("plaza", "cleo", "lunch?")
		msg := h.received(phone)[0]
		text := "> Cleo: 🍝\n> lunch?\nyes"
		h.sendToRoom(phone, "plaza", text,
			stanza.NewElement("urn:xmpp:reply:0", "reply").With("id", stanzaID(msg)).With("to", msg.From.String()),
			stanza.NewElement("urn:xmpp:fallback:0", "fallback").With("for", "urn:xmpp:reply:0").Add(
				stanza.NewElement("urn:xmpp:fallback:0", "body").With("start", "0").With("end", "19")))
		h.expectNetwork("plaza", "cleo: lunch?", "ann: yes")
		if got := h.world.Last("plaza"); got.ReplyTo == "" {
			t.Error("the reply has no target")
		}
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("plaza", transports.Event{Key: "r1", Actor: "cleo", Body: transports.Message{ID: "r1", Text: richtext.FromPlain("good"), ReplyTo: as.Last("plaza").ID}})
		}))
		got := h.received(phone)
		if len(got) != 1 || got[0].Body() != "> Ann:\n> yes\ngood" || got[0].Child("urn:xmpp:reply:0", "reply") == nil {
			t.Fatal(got)
		}
		end := got[0].Child("urn:xmpp:fallback:0", "fallback").Child("", "body").Attr("end")
		if end != "13" {
			t.Errorf("fallback ends at %s", end)
		}
	})
}

func TestFilesAndMe(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			file := transports.File{ID: "f", Name: "cat.png", URL: "https://files.example/cat.png"}
			for _, m := range []transports.Message{
				{ID: "x1", Text: richtext.FromPlain("see"), Files: []transports.File{file, {Name: "secret.doc"}}},
				{ID: "x2", Files: []transports.File{file}},
				{ID: "x3", Text: richtext.FromPlain("waves"), Me: true},
				{ID: "x4"},
			} {
				if err := as.Emit("plaza", transports.Event{Key: string(m.ID), Actor: "cleo", Body: m}); err != nil {
					return err
				}
			}
			return nil
		}))
		got := h.received(phone)
		var bodies []string
		for _, st := range got {
			bodies = append(bodies, st.Body())
		}
		want := "see\ncat.png: https://files.example/cat.png\nFile: secret.doc|https://files.example/cat.png|/me waves|(empty message)"
		if strings.Join(bodies, "|") != want {
			t.Errorf("%q", bodies)
		}
		if got[1].Child("jabber:x:oob", "x").ChildText("", "url") != "https://files.example/cat.png" {
			t.Errorf("no address: %s", got[1])
		}
		h.sendToRoom(phone, "plaza", "/me bows")
		if m := h.world.Last("plaza"); !m.Me || m.Text.String() != "bows" {
			t.Errorf("%+v", m)
		}
	})
}

func TestLongTextsAreSplitAndEdited(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.MaxText = 40
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		st := h.sendToRoom(phone, "plaza", "The quick brown fox *jumps over the lazy dog and runs away* into the wood")
		h.expectNetwork("plaza", "ann: The quick brown fox jumps over the", "ann: lazy dog and runs away into the wood")
		h.sendToRoom(phone, "plaza", "The fox", replace(st.ID))
		h.expectNetwork("plaza", "ann: The fox")
		h.sendToRoom(phone, "plaza", "The quick brown fox jumps over the lazy dog again", replace(st.ID))
		h.expectNetwork("plaza", "ann: The quick brown fox jumps over the lazy", "ann: dog again")
		h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(st.ID)))
		h.expectNetwork("plaza")
		got := h.messages(phone)
		if len(got) != 4 {
			t.Errorf("%q", got)
		}
	})
}

// What was removed from a room has a tombstone in its archive, which says whether a moderator did it; it is not in the history.
func TestTombstones(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		id := h.world.Say("plaza", "cleo", "oops")
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "cleo", id) }))
		id = h.world.Say("plaza", "cleo", "rude")
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "ben", id) }))
		h.discard()
		h.sendToRoom(phone, "plaza", "mine")
		mine := stanzaID(h.received(phone)[0])
		own := stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(mine))
		h.send(own)
		h.discard()
		h.ask(phone, room("plaza"), stanza.TypeSet, mamQuery)
		var ids, moderated int
		var ours bool
		for _, st := range h.received(phone) {
			if strings.Contains(st.Payload, "<retracted") {
				by := strings.Contains(st.Payload, "<moderated")
				if strings.Contains(st.Payload, "<body") || !strings.Contains(st.Payload, "stamp=") || !strings.Contains(st.Payload, "occupant-id") {
					t.Errorf("tombstone: %s", st)
				}
				if by {
					moderated++
				} else {
					ids++
				}
				ours = ours || strings.Contains(st.Payload, "id='"+own.ID+"'") || strings.Contains(st.Payload, `id="`+own.ID+`"`)
			}
		}
		if ids != 2 || moderated != 1 || !ours {
			t.Errorf("%d tombstones of authors, %d of moderators, ours: %v", ids, moderated, ours)
		}
		for _, st := range h.join(jidOf("ann@example.org/laptop"), "plaza") {
			if strings.Contains(st.Payload, "<retracted") {
				t.Errorf("the history has %s", st)
			}
		}
	})
}
