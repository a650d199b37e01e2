package slack

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Every emoji that Slack knows has a name here that Slack knows, and the name is read as the same emoji.
func TestEmojiHaveNamesThatSlackKnows(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("fake/emoji.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	var all []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		var char strings.Builder
		for _, hex := range strings.Split(fields[0], "-") {
			r, err := strconv.ParseUint(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			char.WriteRune(rune(r))
		}
		all = append(all, char.String())
		for _, name := range strings.Fields(fields[2]) {
			known[name] = char.String()
		}
	}
	wrong, none, back := 0, 0, 0
	for _, char := range all {
		name, ok := emojiName(char)
		if !ok {
			none++
			continue
		}
		if known[name] != char {
			wrong++
			t.Logf("%s is called %q, which is %s", char, name, known[name])
		}
	}
	for name, char := range known {
		if reaction(name) != char {
			back++
		}
	}
	t.Errorf("of %d: %d without a name, %d with another; %d of %d names are read as something else", len(all), none, wrong, back, len(known))
}
