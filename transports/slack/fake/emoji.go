package fake

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// emojiTable has a line for each emoji that Slack knows: its code points in hexadecimal, whether it has skin tones, and its
// names, the one that Slack uses first. Its source and licence are in emoji.LICENSE.
//
//go:embed emoji.txt
var emojiTable string

type knownEmoji struct {
	name  string // that Slack uses
	tones bool
}

// emojiNames are the emoji that Slack knows, by all their names.
var emojiNames = sync.OnceValue(func() map[string]knownEmoji {
	all := map[string]knownEmoji{}
	for line := range strings.Lines(emojiTable) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		names := strings.Fields(fields[2])
		for _, name := range names {
			all[name] = knownEmoji{names[0], fields[1] == "tones"}
		}
	}
	return all
})

var toned = regexp.MustCompile(`^(.+)::(skin-tone-[2-6])$`)

// emojiName is the name under which a reaction is kept; ok is false for one that neither Slack nor the workspace knows.
func (w *Workspace) emojiName(name string) (known string, ok bool) {
	if w.emoji[name] != "" {
		return name, true
	}
	if m := toned.FindStringSubmatch(name); m != nil {
		e, ok := emojiNames()[m[1]]
		return e.name + "::" + m[2], ok && e.tones
	}
	e, ok := emojiNames()[name]
	return e.name, ok
}

// commonEmoji are the names of emoji that tests and the demo use. In text, Slack keeps the
// name, whatever was sent.
var commonEmoji = map[string]string{
	"😀": "grinning", "😁": "grin", "😂": "joy", "😃": "smiley", "😄": "smile", "😅": "sweat_smile",
	"😉": "wink", "😊": "blush", "😍": "heart_eyes", "😎": "sunglasses", "😕": "confused", "😢": "cry",
	"😭": "sob", "😱": "scream", "🙂": "slightly_smiling_face", "🙃": "upside_down_face", "🤔": "thinking_face",
	"🙏": "pray", "👍": "+1", "👎": "-1", "👋": "wave", "👏": "clap", "👀": "eyes", "💯": "100", "🔥": "fire",
	"🎉": "tada", "🚀": "rocket", "🐛": "bug", "☕": "coffee", "🍰": "cake", "🌍": "earth_africa",
	"✅": "white_check_mark", "❌": "x", "❤️": "heart", "⚠️": "warning", "🇩🇪": "de", "👨‍👩‍👧": "man-woman-girl",
}

var skinTones = map[rune]string{'🏻': "2", '🏼': "3", '🏽': "4", '🏾': "5", '🏿': "6"}

// toShortcodes writes emoji by name, as Slack keeps them: 👍🏽 is :+1::skin-tone-4:.
func toShortcodes(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > 0x2000 }) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		char, name := longestEmoji(s[i:])
		if char == "" {
			_, n := utf8.DecodeRuneInString(s[i:])
			out.WriteString(s[i : i+n])
			i += n
			continue
		}
		out.WriteString(":" + name + ":")
		i += len(char)
		for r, tone := range skinTones {
			if strings.HasPrefix(s[i:], string(r)) {
				out.WriteString(":skin-tone-" + tone + ":")
				i += len(string(r))
				break
			}
		}
	}
	return out.String()
}

func longestEmoji(s string) (char, name string) {
	for c, n := range commonEmoji {
		if len(c) > len(char) && strings.HasPrefix(s, c) {
			char, name = c, n
		}
	}
	return char, name
}

// emojiUnicode is the hexadecimal code of a named emoji, as in rich_text, or "".
func emojiUnicode(name string) string {
	for c, n := range commonEmoji {
		if n != name {
			continue
		}
		var parts []string
		for _, r := range c {
			parts = append(parts, strconv.FormatInt(int64(r), 16))
		}
		return strings.Join(parts, "-")
	}
	return ""
}
