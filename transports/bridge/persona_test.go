package bridge_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// A webhook that has the name of a member, or one that looks like it, is told apart, live and in the archive, whether
// or not the member is shown in the room.
func TestPersonasWithTheNamesOfMembers(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddUser(transports.UserInfo{ID: "hook", Name: "Hook", Bot: true})
		h.start()
		h.link(phone, "ann")
		h.world.Say("plaza", "cleo", "it is me")
		n := 0
		say := func(name string) {
			n++
			h.check(h.world.Do(func(as faultnet.As) error {
				id := transports.MessageID(fmt.Sprint("p", n))
				return as.Emit("plaza", transports.Event{Key: string(id), Actor: "hook", Name: name, Body: transports.Message{ID: id, Text: richtext.FromPlain("me too")}})
			}))
		}
		say("Cleo") // nobody is in the room
		say("☕️ Deploy")
		var history []string
		for _, st := range h.join(phone, "plaza") {
			if st.Body() != "" {
				history = append(history, show(st))
			}
		}
		if want := []string{"plaza/Cleo: it is me", "plaza/Cleo (app): me too", "plaza/☕ Deploy: me too"}; !slices.Equal(history, want) {
			t.Errorf("the archive has %q, want %q", history, want)
		}
		for _, name := range []string{"Cleo", "Ϲleo", "Ｃｌｅｏ", "Deploy ❤️", "Ann"} {
			say(name)
		}
		h.expect(phone, "plaza/Cleo (app): me too", "plaza/Ϲleo (app) (2): me too", "plaza/Ｃｌｅｏ (app) (3): me too", "plaza/Deploy ❤: me too", "plaza/Ann (app): me too")
		h.world.Say("plaza", "cleo", "no")
		h.expect(phone, "plaza/Cleo: no")
	})
}
