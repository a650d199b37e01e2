package content

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Every emoji that Slack knows has a name here that Slack knows, and the name is read as the same emoji.
func TestEmojiHaveNamesThatSlackKnows(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../fake/emoji.txt")
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
	for _, char := range all {
		for _, form := range []string{char, strings.ReplaceAll(char, "\uFE0F", ""), richtext.NormalEmoji(char)} {
			name, ok := EmojiName(form)
			if !ok || known[name] != char {
				t.Errorf("%q is called %q, %v, which is %q", form, name, ok, known[name])
			}
		}
	}
	for name, char := range known {
		if got := Reaction(name); got != richtext.NormalEmoji(char) {
			t.Errorf("%q is %q, want %q", name, got, char)
		}
	}
	for char, want := range map[string]string{"👋🏽": "wave::skin-tone-4", "👩🏽‍💻": "female-technologist::skin-tone-4", "☝🏿": "point_up::skin-tone-6"} {
		if name, ok := EmojiName(char); !ok || name != want || Reaction(name) != richtext.NormalEmoji(char) {
			t.Errorf("%q is called %q, which is %q", char, name, Reaction(name))
		}
	}
	for _, in := range []string{"❤️🏽", "x", "", "👋👋"} {
		if name, ok := EmojiName(in); ok {
			t.Errorf("%q is called %q", in, name)
		}
	}
	if got := Emojis("hi :wave::skin-tone-3: :no_such_emoji: :+1: a:yy:c 12:30:00"); got != "hi 👋🏼 :no_such_emoji: 👍 a:yy:c 12:30:00" {
		t.Errorf("%q", got)
	}
}
