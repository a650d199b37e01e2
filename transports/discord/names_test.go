package discord

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// Topics are shown like messages.
func TestTopics(t *testing.T) {
	t.Parallel()
	s := offline(t)
	for topic, want := range map[string]string{
		"**All** things, see [here](https://e.org/a) <:blob:41771983429993937>": "*All* things, see here <https://e.org/a> :blob:",
		"R&D <3 & more\n- a": "R&D <3 & more\n- a",
		"":                   "",
	} {
		if got := s.room(&objects.Channel{ID: "1", Name: "general", Topic: topic}).Topic; got != want {
			t.Errorf("%q is shown as %q, want %q", topic, got, want)
		}
	}
}
