package discord

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/dragoman-im/dragoman/transports/discord/content"
)

// maxPersona is the longest name of a webhook's message, in characters.
const maxAuthorName = 80

var (
	// words are those that a webhook's name may not hold, and those that it may not be (docs: Create
	// Webhook; Usernames and Nicknames).
	words = regexp.MustCompile(`(?i)(c)(lyde)|(d)(iscord)|^(e)(veryone)$|^(h)(ere)$`)
	// signs are those that it may not hold, with others that look like them.
	signs = strings.NewReplacer("@", "\uFF20", "#", "\uFF03", ":", "\uFF1A", "```", "\u02CB\u02CB\u02CB")
)

// personaName is a name that Discord takes: 1 to 80 characters; a hair space breaks the words that it may not hold.
func authorName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = signs.Replace(strings.Join(strings.Fields(name), " "))
	name = words.ReplaceAllString(name, "$1$3$5$7\u200A$2$4$6$8")
	if name = strings.TrimSpace(content.Shorten(name, maxAuthorName)); name == "" {
		return hookName
	}
	return name
}
