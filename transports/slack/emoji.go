package slack

import (
	"strings"

	"github.com/kyokomi/emoji/v2"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// reaction is a reaction's name as Unicode where there is one, else in colons.
func reaction(name string) string { return richtext.NormalEmoji(":" + name + ":") }

var tones = map[string]string{
	"skin-tone-2": "\U0001F3FB", "skin-tone-3": "\U0001F3FC", "skin-tone-4": "\U0001F3FD", "skin-tone-5": "\U0001F3FE", "skin-tone-6": "\U0001F3FF",
}

// emojiName is the reverse of reaction.
func emojiName(s string) (string, bool) {
	if name, ok := strings.CutPrefix(s, ":"); ok {
		name, ok = strings.CutSuffix(name, ":")
		return name, ok && name != ""
	}
	suffix := ""
	for name, tone := range tones {
		if base := strings.Replace(s, tone, "", 1); base != s && base != "" {
			s, suffix = base, "::"+name // behind the first person of a sequence too
			break
		}
	}
	for _, candidate := range []string{s, richtext.NormalEmoji(s), strings.ReplaceAll(s, "\uFE0F", "")} {
		if names := emoji.RevCodeMap()[candidate]; len(names) > 0 {
			best := names[0]
			for _, n := range names {
				if slackNames[n] || !slackNames[best] && (len(n) < len(best) || len(n) == len(best) && n < best) {
					best = n
				}
			}
			return strings.Trim(best, ":") + suffix, true
		}
	}
	return "", false
}

// slackNames are the names that Slack uses where an emoji has several.
var slackNames = map[string]bool{
	":+1:": true, ":-1:": true, ":heart:": true, ":smile:": true, ":laughing:": true, ":joy:": true, ":tada:": true, ":eyes:": true,
	":white_check_mark:": true, ":x:": true, ":fire:": true, ":rocket:": true, ":thinking_face:": true, ":clap:": true, ":pray:": true,
	":wave:": true, ":ok_hand:": true, ":100:": true, ":open_mouth:": true, ":cry:": true, ":hankey:": true, ":memo:": true, ":bug:": true,
}
