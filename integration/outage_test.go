package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestOutage makes the network unreachable while messages are sent on both sides: all of them arrive afterwards,
// once, in order. (Waits are settings; an outage of an hour differs from one of a second in nothing else.)
func TestOutage(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		h := embedded(t, w)
		s := linked(ctx, t, h, w)
		local, _, _ := w.friend()
		friend := local + "@" + h.domain
		room := s.rooms[0]
		var in, out [2][]string
		checkChat := func(when string) {
			for i := range 5 {
				text := fmt.Sprintf("%s %d", when, i)
				w.send(true, "in "+text+" direct")
				w.send(false, "in "+text+" channel")
				s.write(friend, "chat", "out "+text+" direct")
				s.write(room, "groupchat", "out "+text+" channel")
				in[0], in[1] = append(in[0], "in "+text+" direct"), append(in[1], "in "+text+" channel")
				out[0], out[1] = append(out[0], "out "+text+" direct"), append(out[1], "out "+text+" channel")
			}
		}
		checkChat("before")
		w.outage()
		checkChat("during")
		// The sender is notified that messages wait, once in each conversation; they are stored by then.
		waits := func(body string) bool { return strings.Contains(body, "Your messages wait") }
		err := s.await(ctx, func() bool {
			return slices.ContainsFunc(s.bodies(friend, "chat"), waits) && slices.ContainsFunc(s.bodies(room, "groupchat"), waits)
		})
		if err != nil {
			t.Fatalf("nobody was told that the messages wait: %v", err)
		}
		s.forget()
		h.gateway.Kill() // and the machine restarts in the middle of it
		h.gateway.Start()
		if err := s.connect(ctx); err != nil {
			t.Fatal(err)
		}
		w.restore(ctx)
		if err := s.awaitRooms(ctx); err != nil { // what the gateway reads before is only in the archive
			t.Fatalf("enter the rooms: %v", err)
		}
		checkChat("after")

		err = s.await(ctx, func() bool {
			return slices.Contains(s.bodies(friend, "chat"), "in after 4 direct") && slices.Contains(s.bodies(room, "groupchat"), "in after 4 channel")
		})
		if err != nil {
			t.Errorf("the last messages: %v; direct %q, in the channel %q", err, s.bodies(friend, "chat"), s.bodies(room, "groupchat"))
		}
		for i, direct := range []bool{true, false} {
			awaitLines(ctx, t, w, direct, func([]string) bool { return len(ownLines(w, direct, "out ")) >= len(out[i]) })
			sameOnce(t, fmt.Sprintf("to the network, direct %v", direct), out[i], ownLines(w, direct, "out "))
		}
		sameOnce(t, "direct, from the network", in[0], withPrefix(s.bodies(friend, "chat"), "in "))
		for _, conversation := range [][]string{s.bodies(friend, "chat"), s.bodies(room, "groupchat")} {
			if n := len(slices.DeleteFunc(conversation, func(b string) bool { return !waits(b) })); n != 1 {
				t.Errorf("the user was told %d times that messages wait, want once in each place", n)
			}
		}
		sameOnce(t, "channel, from the network, in the archive", in[1], withPrefix(archiveWith(ctx, t, h, room, "in after 4 channel"), "in "))
	})
}

// TestRevokedTokens revokes the tokens while the login is connected: the user gets one message that says what to do,
// does it, and everything continues where it stopped.
func TestRevokedTokens(t *testing.T) {
	forEachDeployment(t, func(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork) {
		sally := h.login(ctx, t, testAccounts[0])
		waitGateway(ctx, t, sally, h.domain, nil)
		h.link(ctx, t, sally, w)
		friend, before := h.contacts(ctx, t, sally, w)
		w.send(true, "Before")
		await(ctx, t, sally, messageFrom("Before", friend))

		w.revoke()
		notice := await(ctx, t, sally, func(e peers.Event) bool { return mentionsRelink(e, h.domain) })
		w.send(true, "In between, from the network")
		sendChat(ctx, t, sally, friend, "In between, to the network")
		h.relink(ctx, t, sally, w)

		await(ctx, t, sally, messageFrom("In between, from the network", friend))
		awaitLines(ctx, t, w, true, lastIs("In between, to the network"))
		w.send(true, "After")
		await(ctx, t, sally, messageFrom("After", friend))
		for _, text := range []string{"Before", "In between, from the network", "After"} {
			if n := count(sally, messageFrom(text, friend)); n != 1 {
				t.Errorf("%q came %d times", text, n)
			}
		}
		if _, after := h.contacts(ctx, t, sally, w); after.Name != before.Name {
			t.Errorf("the contact is %+v now, was %+v", after, before)
		}
		if n := count(sally, func(e peers.Event) bool { return mentionsRelink(e, h.domain) }); n != 1 {
			t.Errorf("the user was told %d times to link again, want once", n)
		}
		t.Logf("the user was told: %s", notice.Seen.Body)
	})
}

// mentionsRelink reports whether the gateway asks the user to link again.
func mentionsRelink(e peers.Event, domain string) bool {
	return e.Kind == "message" && from(e, domain) && e.Seen.Type != "error" && strings.Contains(strings.ToLower(e.Seen.Body), "relink")
}
