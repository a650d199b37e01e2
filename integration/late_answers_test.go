package integration_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// TestLateAnswers changes messages while Slack's answers come 700 ms after its events: each change is shown once, as the
// user's own, whether the gateway speaks for the user or as its bot.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	for _, bot := range []bool{false, true} {
		t.Run(map[bool]string{false: "user token", true: "bot token"}[bot], func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
			defer cancel()
			slack := newSlackNetwork(t)
			if bot {
				slack.user = ""
			}
			w := slack.asFakeNetwork()
			h := embedded(t, w)
			sally := h.login(ctx, t, testAccounts[0])
			var info struct{ Identities [][]string }
			waitGateway(ctx, t, sally, h.domain, &info)
			h.link(ctx, t, sally, w)
			room := h.findRoom(ctx, t, sally, w)
			nick := join(ctx, t, sally, joinRequest{room, "Sally", 0}).Nick
			for _, method := range []string{"chat.postMessage", "chat.update", "chat.delete", "reactions.add", "reactions.remove"} {
				slack.server.Break(method, 0, fake.LateReply(700*time.Millisecond))
			}
			id := sendGroupchat(ctx, t, sally, room, "one")
			first := await(ctx, t, sally, messageFrom("one", room+"/"+nick))
			do := func(what string, args map[string]any) {
				args["to"], args["type"] = room, "groupchat"
				if err := sally.Do(ctx, what, args, nil); err != nil {
					t.Fatal(err)
				}
			}
			do("correct", map[string]any{"body": "two", "replaces": id})
			do("react", map[string]any{"id": stanzaID(t, first, room), "reactions": []string{"👍"}})
			do("react", map[string]any{"id": stanzaID(t, first, room), "reactions": []string{"🎉"}})
			do("retract", map[string]any{"id": stanzaID(t, first, room)})
			sendGroupchat(ctx, t, sally, room, "three")
			awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "three") && !mentions(lines, "two") })
			w.send(false, "four") // behind all events of the calls
			_, friendName, _ := w.friend()
			await(ctx, t, sally, messageFrom("four", room+"/"+friendName))
			for what, is := range map[string]func(e peers.Event) bool{
				"corrections":      func(e peers.Event) bool { return e.Seen.Body == "two" },
				"first reactions":  func(e peers.Event) bool { return slices.Equal(e.Seen.Reactions, []string{"👍"}) },
				"second reactions": func(e peers.Event) bool { return slices.Equal(e.Seen.Reactions, []string{"🎉"}) },
				"retractions":      func(e peers.Event) bool { return e.Seen.Retracts != "" },
			} {
				got := count(sally, is)
				own := count(sally, func(e peers.Event) bool { return is(e) && from(e, room+"/"+nick) })
				if got != 1 || own != 1 {
					t.Errorf("%s came %d times, %d times as the user's own, want once", what, got, own)
				}
			}
		})
	}
}
