package config

import (
	"strings"
	"testing"
)

func TestLinkedRooms(t *testing.T) {
	t.Parallel()
	const good = "channel = \"c1@slack.example.org\"\nroom = \"garden@conference.example.org\"\naccount = \"ann@example.org\"\n"
	for text, want := range map[string]string{
		"[[linked_room]]\n" + good:                                    "",
		"[[linked_room]]\n" + good + "[[linked_room]]\n" + good:       "linked_room[1].room",
		"[[linked_room]]\n" + strings.Replace(good, "c1@", "", 1):     "linked_room[0].channel",
		"[[linked_room]]\n" + strings.Replace(good, "garden@", "", 1): "linked_room[0].room",
		"[[linked_room]]\n" + good + "people = 1001\n":                "linked_room[0].people",
		"[[linked_room]]\n" + strings.Replace(good, "ann@", "", 1):    "linked_room[0].account",
	} {
		_, err := Parse([]byte(text), "", nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
