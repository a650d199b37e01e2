package content

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// emojiTable has a line for each emoji that Slack knows: its code points in hexadecimal, whether it has skin tones, and its
// names, the one that Slack uses first. Its source and licence are in emoji.LICENSE.
//
//go:embed emoji.txt
var emojiTable string

// slackEmoji is an emoji that Slack knows.
type slackEmoji struct {
	char, name string
	tones      bool
}

// emojiIndex finds emoji by their names, and by their characters without variation selectors.
type emojiIndex struct{ byName, byChar map[string]slackEmoji }

var slackEmojis = sync.OnceValue(func() emojiIndex {
	x := emojiIndex{map[string]slackEmoji{}, map[string]slackEmoji{}}
	for line := range strings.Lines(emojiTable) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		names := strings.Fields(fields[2])
		e := slackEmoji{fromHex(fields[0]), names[0], fields[1] == "tones"}
		for _, name := range names {
			x.byName[name] = e
		}
		x.byChar[withoutSelectors(e.char)] = e
	}
	return x
})

func withoutSelectors(s string) string { return strings.ReplaceAll(s, "\uFE0F", "") }

// fromHex is a text of code points in hexadecimal, "1f44b-1f3fc"; "" for anything else.
func fromHex(codes string) string {
	var b strings.Builder
	for _, hex := range strings.Split(codes, "-") {
		r, err := strconv.ParseUint(hex, 16, 21)
		if err != nil || r < 0x20 || r > 0x10FFFF || r >= 0xD800 && r < 0xE000 {
			return ""
		}
		b.WriteRune(rune(r))
	}
	return b.String()
}

var tones = map[string]string{
	"skin-tone-2": "\U0001F3FB", "skin-tone-3": "\U0001F3FC", "skin-tone-4": "\U0001F3FD", "skin-tone-5": "\U0001F3FE", "skin-tone-6": "\U0001F3FF",
}

// Reaction is a reaction's name as Unicode where there is one, else in colons.
func Reaction(name string) string {
	base, tone, _ := strings.Cut(name, "::")
	if e, ok := slackEmojis().byName[base]; ok {
		return richtext.NormalEmoji(toned(e.char, tones[tone]))
	}
	return richtext.NormalEmoji(":" + name + ":")
}

// toned puts a skin tone behind the first person of an emoji, where a variation selector may have been.
func toned(char, tone string) string {
	if tone == "" {
		return char
	}
	for i := range char {
		if i > 0 {
			return char[:i] + tone + strings.TrimPrefix(char[i:], "\uFE0F")
		}
	}
	return char + tone
}

// EmojiName is the reverse of reaction: a name that Slack knows.
func EmojiName(s string) (string, bool) {
	if name, ok := strings.CutPrefix(s, ":"); ok {
		name, ok = strings.CutSuffix(name, ":")
		return name, ok && name != ""
	}
	s = withoutSelectors(s)
	if e, ok := slackEmojis().byChar[s]; ok {
		return e.name, true
	}
	for name, tone := range tones {
		base := strings.Replace(s, tone, "", 1)
		if e, ok := slackEmojis().byChar[base]; ok && base != s && e.tones {
			return e.name + "::" + name, true
		}
	}
	return "", false
}
